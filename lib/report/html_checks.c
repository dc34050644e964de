#include "lib/report/html_parts.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/report/figure.h"
#include "lib/report/markup.h"

#include <math.h>
#include <stdint.h>

/* Of 500 failing tables ten are unfolded, and of 20,000 not all are written down. */
enum { PIECE_MAX = 256 * 1024, UNFOLDED = 10, FINDINGS_SHOWN = 1000 };

static const struct {
	const char *class, *word, *mark, *colour;
} looks[] = {
	[V_OK] = { "ok", "OK", "&#10003;", "18794e" },
	[V_WARNING] = { "warning", "WARNING", "!", "8a5300" },
	[V_CRITICAL] = { "critical", "CRITICAL", "&#10005;", "b42318" },
	[V_UNKNOWN] = { "unknown", "UNKNOWN", "?", "6941a5" },
};

const char *html_class(enum verdict v)
{
	return looks[v].class;
}

const char *html_word(enum verdict v)
{
	return looks[v].word;
}

const char *html_colour(enum verdict v)
{
	return looks[v].colour;
}

void html_badge(enum verdict v, struct buf *out)
{
	buf_addf(out, "<span class=\"badge %s\"><span aria-hidden=\"true\">%s</span> %s</span>",
		 looks[v].class, looks[v].mark, looks[v].word);
}

void html_name(const struct row *row, struct buf *out)
{
	BUF_AUTO name = BUF_INIT(PIECE_MAX);

	rows_name(row, &name);
	buf_adds(out, "<bdi>");
	markup_text(out, name.s);
	buf_adds(out, "</bdi>");
}

static const struct {
	const char *field, *head;
} limits[] = { { "warn", "Warning unless" }, { "crit", "Critical unless" } };

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static bool has_limit(const json_t *metrics, size_t limit)
{
	const json_t *m;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (*record_word(m, limits[limit].field))
			return true;
	return false;
}

static void add_limit(const json_t *metric, size_t limit, struct buf *out)
{
	BUF_AUTO range = BUF_INIT(PIECE_MAX);
	const char *text_of = record_word(metric, limits[limit].field);

	if (*text_of)
		figure_range(&range, text_of, record_word(metric, "unit"));
	buf_adds(out, "<td>");
	markup_text(out, range.s);
	buf_adds(out, "</td>");
}

static void add_metric(const json_t *metrics, const json_t *metric, struct buf *out)
{
	BUF_AUTO value = BUF_INIT(PIECE_MAX);
	double v = (double)NAN;

	(void)record_real(metric, "value", &v);
	figure_value(&value, v, record_word(metric, "unit"));
	buf_adds(out, "<tr><th scope=\"row\">");
	markup_text(out, record_word(metric, "name"));
	buf_adds(out, "</th><td>");
	markup_text(out, value.s);
	buf_adds(out, "</td>");
	for (size_t i = 0; i < LIMITS; i++)
		if (has_limit(metrics, i))
			add_limit(metric, i, out);
	buf_adds(out, "</tr>\n");
}

static void add_metrics(const json_t *metrics, struct buf *out)
{
	const json_t *m;
	size_t i;

	if (json_array_size(metrics) == 0)
		return;
	buf_adds(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"figures\">"
		      "<table><thead><tr><th scope=\"col\">Figure</th>"
		      "<th scope=\"col\">Value</th>");
	for (i = 0; i < LIMITS; i++)
		if (has_limit(metrics, i))
			buf_addf(out, "<th scope=\"col\">%s</th>", limits[i].head);
	buf_adds(out, "</tr></thead><tbody>\n");
	json_array_foreach(metrics, i, m)
		add_metric(metrics, m, out);
	buf_adds(out, "</tbody></table></div>\n");
}

void html_fact(const char *word, const char *value, struct buf *out)
{
	if (*value == '\0')
		return;
	buf_addf(out, "<dt>%s</dt><dd><bdi>", word);
	markup_text(out, value);
	buf_adds(out, "</bdi></dd>\n");
}

static void add_value(const json_t *check, const char *field, const char *word, struct buf *out)
{
	BUF_AUTO value = BUF_INIT(PIECE_MAX);

	if (rows_value(check, field, &value))
		html_fact(word, value.s, out);
}

/* More than who found it? */
static bool has_figures(const json_t *check)
{
	return json_object_get(check, "expected") || json_object_get(check, "observed") ||
	       json_array_size(json_object_get(check, "metrics"));
}

static void add_check(const struct summary *s, const struct row *row, bool open, struct buf *out)
{
	BUF_AUTO sentence = BUF_INIT(PIECE_MAX);

	rows_sentence(s, row->check, &sentence);
	buf_addf(out, "<details class=\"check\"%s><summary>", open ? " open" : "");
	html_badge(row->status, out);
	buf_adds(out, "<span class=\"name\">");
	html_name(row, out);
	buf_adds(out, "</span><span class=\"said\"><bdi>");
	markup_text(out, sentence.s);
	buf_adds(out, "</bdi></span></summary>\n<div class=\"detail\"><dl>\n");
	add_value(row->check, "expected", "Expected", out);
	add_value(row->check, "observed", "Observed", out);
	html_fact("Check", row->name, out);
	html_fact("Found by", record_word(row->check, "tool"), out);
	buf_adds(out, "</dl>\n");
	add_metrics(json_object_get(row->check, "metrics"), out);
	buf_adds(out, "</div></details>\n");
}

/* How many more there are of what, which may be a check's name. */
static void add_more(size_t n, const char *what, struct buf *out)
{
	char count[HUMAN_SIZE];

	buf_adds(out, "<p class=\"more\"><bdi>");
	markup_text(out, what);
	buf_addf(out, "</bdi>: %s more</p>\n", human_count((int64_t)n, count));
}

/* The failing ones, the worst first, and then the others as in every report. */
void html_checks(const struct summary *s, struct buf *out)
{
	struct rows bad, all;

	rows_findings(s, &bad);
	rows_table(s, &all);
	buf_adds(out, "<section aria-labelledby=\"checks\"><h2 id=\"checks\">Checks</h2>\n");
	for (size_t i = 0; i < bad.n && i < FINDINGS_SHOWN; i++)
		add_check(s, &bad.v[i], i < UNFOLDED && has_figures(bad.v[i].check), out);
	if (bad.n > FINDINGS_SHOWN)
		add_more(bad.n - FINDINGS_SHOWN, "Findings", out);
	for (size_t i = 0; i < all.n; i++) {
		BUF_AUTO title = BUF_INIT(PIECE_MAX);

		if (all.v[i].check && all.v[i].status == V_OK) {
			add_check(s, &all.v[i], false, out);
		} else if (all.v[i].check == NULL) {
			text_title(&title, all.v[i].name);
			buf_adds(&title, ", all ok");
			add_more(all.v[i].more, title.s, out);
		}
	}
	buf_adds(out, "</section>\n");
	rows_free(&bad);
	rows_free(&all);
}
