#include "lib/report/markdown.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/report/others.h"
#include "lib/report/rows.h"

#include <stdint.h>
#include <string.h>

/* GitHub takes 1 MiB for the summary of a step, and nothing of what is larger. */
enum { PIECE_MAX = 256 * 1024, TABLE_MOST = 500 * 1024, FINDINGS_MOST = 900 * 1024 };

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       ((unsigned char)c & 0x80);
}

/* An underscore inside a word is no markup (CommonMark 6.2), and order_items reads better so. */
static bool is_markup(const char *s, size_t i)
{
	if (s[i] == '_')
		return i == 0 || !is_word(s[i - 1]) || !is_word(s[i + 1]);
	return s[i] != '\0' && strchr("\\`*<>|[]~&", s[i]);
}

/* What text_safe() has let through. */
static void add_escaped(const char *s, struct buf *out)
{
	for (size_t i = 0; s[i]; i++) {
		if (is_markup(s, i))
			buf_addc(out, '\\');
		buf_addc(out, s[i]);
	}
}

void markdown_text(const char *s, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);

	text_safe(&safe, s);
	add_escaped(safe.s, out);
}

static size_t longest_run_of_backticks(const char *s)
{
	size_t longest = 0;

	while (*s) {
		const size_t n = strspn(s, "`");

		longest = n > longest ? n : longest;
		s += n ? n : 1;
	}
	return longest;
}

void markdown_code(const char *s, bool in_table, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);
	size_t fence;

	text_safe(&safe, s);
	fence = longest_run_of_backticks(safe.s) + 1;
	for (size_t i = 0; i < fence; i++)
		buf_addc(out, '`');
	buf_adds(out, fence > 1 ? " " : "");
	for (const char *p = safe.s; *p; p++) {
		if (*p == '|' && in_table)
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	buf_adds(out, fence > 1 ? " " : "");
	for (size_t i = 0; i < fence; i++)
		buf_addc(out, '`');
}

static void add_title(const char *name, struct buf *out)
{
	BUF_AUTO title = BUF_INIT(PIECE_MAX);

	text_title(&title, name);
	add_escaped(title.s, out);
}

/* "`public.users` row count"; bold for what people decide by. */
static void add_name(const struct row *row, bool in_table, struct buf *out)
{
	static const char deciding[] = "verified-";
	const bool bold = strncmp(row->name, deciding, strlen(deciding)) == 0;
	const char *subject = record_word(row->check, "subject");
	BUF_AUTO words = BUF_INIT(PIECE_MAX);

	buf_adds(out, bold ? "**" : "");
	if (*subject) {
		markdown_code(subject, in_table, out);
		buf_addc(out, ' ');
		text_words(&words, row->name);
		add_escaped(words.s, out);
	} else {
		add_title(row->name, out);
	}
	buf_adds(out, bold ? "**" : "");
}

static void add_sentence(const struct summary *s, const json_t *check, struct buf *out)
{
	BUF_AUTO sentence = BUF_INIT(PIECE_MAX);

	rows_sentence(s, check, &sentence);
	add_escaped(sentence.s, out);
}

static const char *mark(enum verdict v)
{
	static const char *const marks[] = { "", "**WARNING** ", "**CRITICAL** ", "**UNKNOWN** " };

	return marks[v];
}

static void add_left_out(size_t n, struct buf *out)
{
	char count[HUMAN_SIZE];

	buf_addf(out, "\n%s more are left out here, for GitHub takes no more.\n",
		 human_count((int64_t)n, count));
}

static void add_row(const struct summary *s, const struct row *row, struct buf *out)
{
	char count[HUMAN_SIZE];

	buf_adds(out, "| ");
	add_name(row, true, out);
	buf_addf(out, " | %s", mark(row->status));
	if (row->check)
		add_sentence(s, row->check, out);
	else
		buf_addf(out, "and %s more, all ok", human_count((int64_t)row->more, count));
	buf_adds(out, " |\n");
}

static void add_table(const struct summary *s, struct buf *out)
{
	struct rows rows;

	rows_table(s, &rows);
	buf_adds(out, "| Check | Result |\n|---|---|\n");
	for (size_t i = 0; i < rows.n; i++) {
		if (out->len > TABLE_MOST) {
			add_left_out(rows.n - i, out);
			break;
		}
		add_row(s, &rows.v[i], out);
	}
	rows_free(&rows);
}

static void add_value(const json_t *check, const char *field, const char *word, struct buf *out)
{
	BUF_AUTO value = BUF_INIT(PIECE_MAX);

	if (!rows_value(check, field, &value))
		return;
	buf_addf(out, "  - %s: ", word);
	add_escaped(value.s, out);
	buf_addc(out, '\n');
}

static void add_findings(const struct summary *s, struct buf *out)
{
	struct rows rows;

	rows_findings(s, &rows);
	if (rows.n)
		buf_adds(out, "\n## Findings\n\n");
	for (size_t i = 0; i < rows.n; i++) {
		const struct row *row = &rows.v[i];

		if (out->len > FINDINGS_MOST) {
			add_left_out(rows.n - i, out);
			break;
		}
		buf_addf(out, "- %s", mark(row->status));
		add_name(row, false, out);
		buf_adds(out, ": ");
		add_sentence(s, row->check, out);
		buf_addc(out, '\n');
		add_value(row->check, "expected", "expected", out);
		add_value(row->check, "observed", "observed", out);
	}
	rows_free(&rows);
}

static void add_others(const struct summary *s, struct buf *out)
{
	json_t *record;
	size_t i;

	if (s->n_others)
		buf_adds(out, "\n## Also recorded\n\n");
	json_array_foreach(s->others, i, record) {
		BUF_AUTO line = BUF_INIT(PIECE_MAX);

		others_title(record, &line);
		buf_adds(&line, ": ");
		others_sentence(record, &line);
		buf_adds(out, "- ");
		add_escaped(line.s, out);
		buf_addc(out, '\n');
	}
	if (s->n_others > json_array_size(s->others))
		buf_addf(out, "- and %zu more\n", s->n_others - json_array_size(s->others));
}

static void add_item(const char *word, const char *value, struct buf *out)
{
	if (*value == '\0')
		return;
	buf_addf(out, "- %s: ", word);
	markdown_text(value, out);
	buf_addc(out, '\n');
}

static void add_tools(const struct summary *s, struct buf *out)
{
	char time[HUMAN_SIZE];

	buf_adds(out, "\n| Tool | Status | Time |\n|---|---|---|\n");
	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];

		if (t->begun + t->ended == 0)
			continue;
		buf_adds(out, "| ");
		markdown_text(t->name, out);
		if (t->ended >= t->begun)
			buf_addf(out, " | %s | %s |\n", verdict_name(t->said),
				 human_duration(t->seconds, time));
		else
			buf_adds(out, " | did not end | |\n");
	}
}

static void add_run(const struct summary *s, struct buf *out)
{
	BUF_AUTO when = BUF_INIT(PIECE_MAX);
	BUF_AUTO tally = BUF_INIT(PIECE_MAX);
	char from[UTC_SIZE], to[UTC_SIZE], time[HUMAN_SIZE];

	buf_adds(out, "\n## Run\n\n");
	rows_tally(s, &tally);
	buf_addf(out, "- %s\n", tally.s);
	buf_addf(&when, "%s to %s (%s)", utc_human(s->started_ms, from), utc_human(s->ended_ms, to),
		 human_duration((double)(s->ended_ms - s->started_ms) / 1000, time));
	add_item("Time", when.s, out);
	add_item("Backup", record_word(s->backup, "name"), out);
	add_item("Source", record_word(s->backup, "source"), out);
	add_item("SHA-256", record_word(s->backup, "sha256"), out);
	add_item("PostgreSQL", record_word(s->instance, "server_version"), out);
	add_item("Durability", record_word(s->instance, "durability"), out);
	add_item("Host", s->host, out);
	add_item("Run", s->run, out);
	if (s->n_tools)
		add_tools(s, out);
}

void markdown_report(const struct summary *s, const char *title, struct buf *out)
{
	BUF_AUTO headline = BUF_INIT(PIECE_MAX);

	rows_headline(s, title, &headline);
	buf_adds(out, "# ");
	add_escaped(headline.s, out);
	buf_adds(out, "\n\n");
	add_table(s, out);
	add_findings(s, out);
	add_others(s, out);
	add_run(s, out);
}
