#include "lib/report/plain.h"

#include "lib/base/human.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"
#include "lib/report/others.h"
#include "lib/report/rows.h"

#include <string.h>

enum { WIDTH = 96, MARGIN = 2, NAME_MAX_SHOWN = 34, FINDING_INDENT = 12, PIECE_MAX = 256 * 1024 };

static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

static void add_blanks(size_t n, struct buf *out)
{
	buf_addf(out, "%*s", (int)n, "");
}

static void add_coloured(const char *word, enum verdict v, bool colour, struct buf *out)
{
	static const char *const escapes[] = { "\033[1;32m", "\033[1;33m", "\033[1;31m",
					       "\033[1;35m" };

	if (colour)
		buf_addf(out, "%s%s\033[0m", escapes[v], word);
	else
		buf_adds(out, word);
}

/* Bytes of s for a line with room for `room` characters. */
static size_t line_length(const char *s, size_t room)
{
	const size_t most = utf8_prefix(s, room);
	size_t n = most;

	if (s[most] == '\0' || s[most] == ' ')
		return most;
	while (n > 0 && s[n - 1] != ' ')
		n--;
	/* A word that is longer than the line is broken where it must be. */
	return n ? n - 1 : most;
}

void plain_wrap(const char *s, size_t column, size_t indent, size_t width, struct buf *out)
{
	for (size_t at = column;; at = indent) {
		const size_t n = line_length(s, at < width ? width - at : 1);
		size_t shown = n;

		while (shown > 0 && s[shown - 1] == ' ')
			shown--;
		buf_add(out, s, shown);
		buf_addc(out, '\n');
		s += n;
		s += strspn(s, " ");
		if (*s == '\0')
			return;
		add_blanks(indent, out);
	}
}

static size_t name_width(const struct rows *rows)
{
	size_t width = 0;

	for (size_t i = 0; i < rows->n; i++) {
		BUF_AUTO name = BUF_INIT(PIECE_MAX);
		size_t n;

		rows_name(&rows->v[i], &name);
		n = utf8_count(name.s);
		if (n > width && n <= NAME_MAX_SHOWN)
			width = n;
	}
	return width;
}

static void add_row(const struct summary *s, const struct row *row, size_t width, struct buf *out)
{
	const size_t indent = MARGIN + width + 2;
	BUF_AUTO name = BUF_INIT(PIECE_MAX);
	BUF_AUTO sentence = BUF_INIT(PIECE_MAX);
	char count[HUMAN_SIZE];
	size_t n;

	rows_name(row, &name);
	n = utf8_count(name.s);
	add_blanks(MARGIN, out);
	if (n > width) {
		plain_wrap(name.s, MARGIN, MARGIN + 2, WIDTH, out);
		add_blanks(indent, out);
	} else {
		buf_add(out, name.s, name.len);
		add_blanks(indent - MARGIN - n, out);
	}
	if (row->check)
		rows_sentence(s, row->check, &sentence);
	else
		buf_addf(&sentence, "and %s more, all ok", human_count((int64_t)row->more, count));
	plain_wrap(sentence.s, indent, indent, WIDTH, out);
}

/* What is ok; the rest stands above it. */
static void add_table(const struct summary *s, struct buf *out)
{
	struct rows rows;
	size_t width;

	rows_table(s, &rows);
	width = name_width(&rows);
	for (size_t i = 0; i < rows.n; i++)
		if (rows.v[i].status == V_OK)
			add_row(s, &rows.v[i], width, out);
	if (s->counts[V_OK])
		buf_addc(out, '\n');
	rows_free(&rows);
}

static void add_values(const json_t *check, struct buf *out)
{
	BUF_AUTO line = BUF_INIT(PIECE_MAX);
	BUF_AUTO value = BUF_INIT(PIECE_MAX);

	if (rows_value(check, "expected", &value))
		buf_addf(&line, "expected %s", value.s);
	buf_reset(&value);
	if (rows_value(check, "observed", &value))
		buf_addf(&line, "%sobserved %s", line.len ? ", " : "", value.s);
	if (line.len == 0)
		return;
	add_blanks(FINDING_INDENT, out);
	plain_wrap(line.s, FINDING_INDENT, FINDING_INDENT, WIDTH, out);
}

/* What is not ok, on top, where it is seen first. */
static void add_findings(const struct summary *s, bool colour, struct buf *out)
{
	struct rows rows;

	rows_findings(s, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		const struct row *row = &rows.v[i];
		BUF_AUTO name = BUF_INIT(PIECE_MAX);
		BUF_AUTO sentence = BUF_INIT(PIECE_MAX);

		rows_name(row, &name);
		rows_sentence(s, row->check, &sentence);
		add_blanks(MARGIN, out);
		add_coloured(words[row->status], row->status, colour, out);
		add_blanks(FINDING_INDENT - MARGIN - strlen(words[row->status]), out);
		plain_wrap(name.s, FINDING_INDENT, FINDING_INDENT, WIDTH, out);
		add_blanks(FINDING_INDENT, out);
		plain_wrap(sentence.s, FINDING_INDENT, FINDING_INDENT, WIDTH, out);
		add_values(row->check, out);
	}
	if (rows.n)
		buf_addc(out, '\n');
	rows_free(&rows);
}

/* What nobody here knows, as it is. */
static void add_others(const struct summary *s, struct buf *out)
{
	json_t *record;
	size_t i;

	json_array_foreach(s->others, i, record) {
		BUF_AUTO line = BUF_INIT(PIECE_MAX);

		others_title(record, &line);
		buf_adds(&line, ": ");
		others_sentence(record, &line);
		add_blanks(MARGIN, out);
		plain_wrap(line.s, MARGIN, MARGIN + 2, WIDTH, out);
	}
	if (s->n_others > json_array_size(s->others))
		buf_addf(out, "  and %zu more such records\n",
			 s->n_others - json_array_size(s->others));
	if (s->n_others)
		buf_addc(out, '\n');
}

static void add_line(const struct buf *line, struct buf *out)
{
	if (line->len == 0)
		return;
	add_blanks(MARGIN, out);
	plain_wrap(line->s, MARGIN, MARGIN, WIDTH, out);
}

/* "fetch-latest 2 min 20 s, restore-to-temp 19 min" */
static void add_tools(const struct summary *s, struct buf *out)
{
	BUF_AUTO line = BUF_INIT(PIECE_MAX);
	char time[HUMAN_SIZE];

	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];

		if (t->begun + t->ended == 0)
			continue;
		buf_adds(&line, line.len ? ", " : "");
		text_safe(&line, t->name);
		buf_addf(&line, " %s",
			 t->ended >= t->begun ? human_duration(t->seconds, time) : "did not end");
	}
	add_line(&line, out);
}

static void add_run(const struct summary *s, struct buf *out)
{
	BUF_AUTO tally = BUF_INIT(PIECE_MAX);
	BUF_AUTO when = BUF_INIT(PIECE_MAX);
	char at[UTC_SIZE], time[HUMAN_SIZE];

	rows_tally(s, &tally);
	buf_addf(&when, "%s, took %s", utc_human(s->started_ms, at),
		 human_duration((double)(s->ended_ms - s->started_ms) / 1000, time));
	if (s->host[0]) {
		buf_adds(&when, ", on ");
		text_safe(&when, s->host);
	}
	if (s->run[0]) {
		buf_adds(&when, ", run ");
		text_safe(&when, s->run);
	}
	add_line(&tally, out);
	add_line(&when, out);
	add_tools(s, out);
}

void plain_report(const struct summary *s, const struct plain_style *style, struct buf *out)
{
	const size_t word = strlen(words[s->status]);
	BUF_AUTO headline = BUF_INIT(PIECE_MAX);

	if (style->quiet && s->status == V_OK)
		return;
	rows_headline(s, style->title, &headline);
	add_coloured(words[s->status], s->status, style->colour, out);
	plain_wrap(headline.s + word, word, MARGIN, WIDTH, out);
	buf_addc(out, '\n');
	add_findings(s, style->colour, out);
	if (!style->quiet) {
		add_table(s, out);
		add_others(s, out);
	}
	add_run(s, out);
}
