#include "lib/report/html.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/report/changes.h"
#include "lib/report/figure.h"
#include "lib/report/html_parts.h"
#include "lib/report/markup.h"
#include "lib/report/others.h"
#include "lib/report/rows.h"
#include "lib/report/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024, CHANGES_SHOWN = 20 };

/* The headline without its verdict, which the badge says; not yet as markup. */
static void add_headline(const struct summary *s, const char *title, struct buf *out)
{
	BUF_AUTO line = BUF_INIT(PIECE_MAX);
	char *rest;

	rows_headline(s, title, &line);
	rest = strchr(line.s, ' ');
	rest = rest ? rest + 1 : line.s;
	if (*rest >= 'a' && *rest <= 'z')
		*rest = (char)(*rest - 'a' + 'A');
	buf_adds(out, rest);
}

static void add_head(const struct summary *s, const char *title, struct buf *out)
{
	BUF_AUTO words = BUF_INIT(PIECE_MAX);

	buf_addf(&words, "%s: ", html_word(s->status));
	add_headline(s, title, &words);
	html_open(words.s, html_colour(s->status), out);
}

static void add_header(const struct summary *s, const char *title, struct buf *out)
{
	char from[UTC_SIZE], to[UTC_SIZE], time[HUMAN_SIZE];
	BUF_AUTO headline = BUF_INIT(PIECE_MAX);

	add_headline(s, title, &headline);
	buf_addf(out, "<header class=\"%s\"><div class=\"page\">\n<p>", html_class(s->status));
	html_badge(s->status, out);
	if (s->label[0]) {
		buf_adds(out, " <bdi class=\"label\">");
		markup_text(out, s->label);
		buf_adds(out, "</bdi>");
	}
	buf_adds(out, "</p>\n<h1>");
	markup_text(out, headline.s);
	buf_addf(out, "</h1>\n<p class=\"when\">%s to %s (%s)</p>\n</div></header>\n",
		 utc_human(s->started_ms, from), utc_human(s->ended_ms, to),
		 human_duration((double)(s->ended_ms - s->started_ms) / 1000, time));
}

static void add_tile(const char *name, double value, const char *unit, double target, double before,
		     struct buf *out)
{
	char change[HUMAN_SIZE];

	if (!isfinite(value))
		return;
	buf_addf(out, "<div class=\"tile%s\"><dt>%s</dt><dd><b>",
		 isfinite(target) && value > target ? " over" : "", name);
	figure_value(out, value, unit);
	buf_adds(out, "</b>");
	if (isfinite(target)) {
		buf_adds(out, "<span>target ");
		figure_value(out, target, unit);
		buf_adds(out, "</span>");
	}
	if (before > 0)
		buf_addf(out, "<span>%s since the last run</span>",
			 human_change((value - before) / before, change));
	buf_adds(out, "</dd></div>\n");
}

static void add_tiles(const struct summary *s, const struct past_run *now,
		      const struct past_run *last, struct buf *out)
{
	BUF_AUTO tally = BUF_INIT(PIECE_MAX);
	char ok[HUMAN_SIZE], all[HUMAN_SIZE];

	buf_adds(out, "<dl class=\"tiles\">\n");
	add_tile("Verified RPO", now->rpo_s, "s", now->rpo_target_s, last->rpo_s, out);
	add_tile("Verified RTO", now->rto_s, "s", now->rto_target_s, last->rto_s, out);
	add_tile("Backup size", now->bytes, "B", (double)NAN, last->bytes, out);
	rows_tally(s, &tally);
	buf_addf(out, "<div class=\"tile%s\"><dt>Checks passed</dt><dd><b>%s of %s</b><span>",
		 s->status == V_CRITICAL ? " over" : "", human_count((int64_t)s->counts[V_OK], ok),
		 human_count((int64_t)summary_checks(s), all));
	markup_text(out, tally.s);
	buf_adds(out, "</span></dd></div>\n</dl>\n");
}

static void add_change(const struct change *c, struct buf *out)
{
	const struct row row = { .check = c->check, .name = record_word(c->check, "check") };

	buf_adds(out, "<li>");
	if (c->kind == CHANGE_GONE)
		buf_adds(out, "<span class=\"badge unknown\">GONE</span>");
	else
		html_badge(c->after, out);
	buf_adds(out, " <span>");
	html_name(&row, out);
	if (c->kind == CHANGE_NEW)
		buf_adds(out, ": not there before");
	else
		buf_addf(out, "%s %s",
			 c->kind == CHANGE_GONE ? ": not there any more, was" : ", was",
			 verdict_name(c->before));
	buf_adds(out, "</span></li>\n");
}

static void add_figure_change(const char *name, double before, double after, const char *unit,
			      struct buf *out)
{
	BUF_AUTO was = BUF_INIT(PIECE_MAX), is = BUF_INIT(PIECE_MAX);

	if (!isfinite(before) || !isfinite(after))
		return;
	figure_value(&was, before, unit);
	figure_value(&is, after, unit);
	if (strcmp(was.s, is.s) != 0)
		buf_addf(out, "<li><span>%s: %s, was %s</span></li>\n", name, is.s, was.s);
}

static void add_same_backup(const struct summary *s, const struct past *past, struct buf *out)
{
	const char *was = record_word(json_object_get(past->last, "backup"), "sha256");

	if (*was && strcmp(was, record_word(s->backup, "sha256")) == 0)
		buf_adds(out, "<li><span>It is the same backup, byte for byte, as last time"
			      "</span></li>\n");
}

static void add_check_changes(const struct summary *s, const struct past *past, struct buf *out)
{
	struct changes changes;
	char count[HUMAN_SIZE];
	const bool whole = json_object_get(past->last, "checks_left_out") == NULL &&
			   json_array_size(s->checks) == summary_checks(s);

	changes_find(json_object_get(past->last, "checks"), s->checks, whole, &changes);
	for (size_t i = 0; i < changes.n && i < CHANGES_SHOWN; i++)
		add_change(&changes.v[i], out);
	if (changes.n > CHANGES_SHOWN)
		buf_addf(out, "<li><span>and %s more</span></li>\n",
			 human_count((int64_t)(changes.n - CHANGES_SHOWN), count));
	changes_free(&changes);
}

/* last: the figures of past->last. */
static void add_changes(const struct summary *s, const struct past *past,
			const struct past_run *now, const struct past_run *last, struct buf *out)
{
	BUF_AUTO list = BUF_INIT(out->max);
	char moment[UTC_SIZE];

	buf_adds(out,
		 "<section aria-labelledby=\"changed\"><h2 id=\"changed\">What changed</h2>\n");
	if (past->last == NULL) {
		buf_adds(out, past->known
				      ? "<p>This is the first run of its kind that the history "
					"knows.</p>\n"
				      : "<p>No history is kept, so nothing can be compared.</p>\n");
	} else {
		add_check_changes(s, past, &list);
		add_figure_change("Verified RPO", last->rpo_s, now->rpo_s, "s", &list);
		add_figure_change("Verified RTO", last->rto_s, now->rto_s, "s", &list);
		add_figure_change("Backup size", last->bytes, now->bytes, "B", &list);
		add_same_backup(s, past, &list);
		buf_addf(out,
			 "<div class=\"card\"><p>Since the run of %s, which was %s:</p>\n<ul "
			 "class=\"changes\">\n%s</ul></div>\n",
			 utc_human(last->at_ms, moment), verdict_name(last->status),
			 list.len ? list.s : "<li><span>nothing</span></li>\n");
	}
	buf_adds(out, "</section>\n");
}

static void add_tools(const struct summary *s, struct buf *out)
{
	char time[HUMAN_SIZE];

	buf_adds(out,
		 "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"tools\">"
		 "<table><thead><tr><th scope=\"col\">Tool</th>"
		 "<th scope=\"col\">Status</th><th scope=\"col\">Time</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];

		if (t->begun + t->ended == 0)
			continue;
		buf_adds(out, "<tr><th scope=\"row\">");
		markup_text(out, t->name);
		if (t->ended >= t->begun)
			buf_addf(out, "</th><td>%s</td><td>%s</td></tr>\n", verdict_name(t->said),
				 human_duration(t->seconds, time));
		else
			buf_adds(out, "</th><td>did not end</td><td></td></tr>\n");
	}
	buf_adds(out, "</tbody></table></div>\n");
}

static void add_others(const struct summary *s, struct buf *out)
{
	json_t *record;
	size_t i;

	if (s->n_others == 0)
		return;
	buf_adds(out, "<section aria-labelledby=\"also\"><h2 id=\"also\">Also recorded</h2>\n"
		      "<dl class=\"facts\">\n");
	json_array_foreach(s->others, i, record) {
		BUF_AUTO title = BUF_INIT(PIECE_MAX), words = BUF_INIT(PIECE_MAX);

		others_title(record, &title);
		others_sentence(record, &words);
		buf_adds(out, "<dt><bdi>");
		markup_text(out, title.s);
		buf_adds(out, "</bdi></dt><dd><bdi>");
		markup_text(out, words.s);
		buf_adds(out, "</bdi></dd>\n");
	}
	buf_adds(out, "</dl>\n");
	if (s->n_others > json_array_size(s->others))
		buf_addf(out, "<p class=\"more\">and %zu more such records</p>\n",
			 s->n_others - json_array_size(s->others));
	buf_adds(out, "</section>\n");
}

static void add_run(const struct summary *s, struct buf *out)
{
	buf_adds(out, "<section aria-labelledby=\"run\"><h2 id=\"run\">This run</h2>\n"
		      "<dl class=\"facts\">\n");
	html_fact("Backup", record_word(s->backup, "name"), out);
	html_fact("Source", record_word(s->backup, "source"), out);
	html_fact("SHA-256", record_word(s->backup, "sha256"), out);
	html_fact("PostgreSQL", record_word(s->instance, "server_version"), out);
	html_fact("Recovery point", record_word(s->instance, "recovery_point"), out);
	html_fact("Durability", record_word(s->instance, "durability"), out);
	html_fact("Host", s->host, out);
	html_fact("Run", s->run, out);
	buf_adds(out, "</dl>\n");
	if (s->n_tools)
		add_tools(s, out);
	buf_adds(out, "</section>\n");
}

static void add_trends(const struct past *past, const struct past_run *now, struct buf *out)
{
	struct past_run *runs = xcalloc(past->n + 1, sizeof(*runs));

	if (past->n)
		memcpy(runs, past->v, past->n * sizeof(*runs));
	runs[past->n] = *now;
	buf_adds(out, "<section aria-labelledby=\"trends\"><h2 id=\"trends\">Over time</h2>\n");
	html_charts(past, runs, past->n + 1, out);
	buf_adds(out, "</section>\n");
	free(runs);
}

void html_report(const struct summary *s, const struct past *past, const char *title,
		 struct buf *out)
{
	JSON_AUTO *run = run_object(s, SIZE_MAX);
	struct past_run now, last = { .bytes = 0 };

	(void)past_run_of(run, &now);
	past_watched(past, run, &now);
	if (past->last)
		(void)past_run_of(past->last, &last);
	add_head(s, title, out);
	buf_adds(out, "<body>\n");
	add_header(s, title, out);
	buf_adds(out, "<main class=\"page\">\n");
	add_tiles(s, &now, &last, out);
	add_changes(s, past, &now, &last, out);
	html_checks(s, out);
	add_others(s, out);
	if (past->n)
		add_trends(past, &now, out);
	add_run(s, out);
	buf_adds(out, "</main>\n<footer><div class=\"page\">Made by backup-probes. Times are UTC."
		      "</div></footer>\n</body>\n</html>\n");
}
