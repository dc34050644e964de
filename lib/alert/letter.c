#include "lib/alert/letter.h"

#include "lib/alert/digest.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"

#include <string.h>

enum { SUBJECT_MOST = 150, NAME_MOST = 200, SUMMARY_MOST = 1000, LINE_MAX_B = 64 * 1024 };

#define TABLE "<table style=\"border-collapse:collapse\">\n"

/* How a value is written: as it is, or for HTML. */
typedef void write_fn(struct buf *out, const char *s);

static void write_plain(struct buf *out, const char *s)
{
	buf_adds(out, s);
}

static void write_html(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			buf_adds(out, "&amp;");
		else if (*s == '<')
			buf_adds(out, "&lt;");
		else if (*s == '>')
			buf_adds(out, "&gt;");
		else if (*s == '"')
			buf_adds(out, "&quot;");
		else
			buf_addc(out, *s);
	}
}

static void add(struct buf *out, write_fn *put, const char *s, size_t most)
{
	BUF_AUTO safe = BUF_INIT(LINE_MAX_B), cut = BUF_INIT(LINE_MAX_B);

	text_safe(&safe, s);
	utf8_cut(&cut, safe.s, most);
	put(out, cut.s);
}

/* "Row count public.orders" */
static void add_name(struct buf *out, write_fn *put, const json_t *check)
{
	BUF_AUTO name = BUF_INIT(LINE_MAX_B);
	const char *subject = digest_text(check, "subject");

	text_title(&name, digest_text(check, "check"));
	if (*subject)
		buf_addf(&name, "%s%s", name.len ? " " : "", subject);
	add(out, put, name.len ? name.s : "Check", NAME_MOST);
}

static void add_text_check(struct buf *out, const json_t *check)
{
	buf_addf(out, "%-9s", alert_shout(digest_status(check)));
	add_name(out, write_plain, check);
	buf_adds(out, ": ");
	add(out, write_plain, digest_text(check, "summary"), SUMMARY_MOST);
	buf_addc(out, '\n');
}

static const char *colour(enum verdict v)
{
	static const char *const of[] = { "#1a7f37", "#9a6700", "#cf222e", "#6e40c9" };

	return of[v];
}

static void add_html_check(struct buf *out, const json_t *check)
{
	const enum verdict v = digest_status(check);

	buf_addf(out,
		 "<tr><td style=\"color:%s;padding:2px 12px 2px 0\"><b>%s</b></td>"
		 "<td style=\"padding:2px 12px 2px 0\">",
		 colour(v), alert_shout(v));
	add_name(out, write_html, check);
	buf_adds(out, "</td><td style=\"padding:2px 0\">");
	add(out, write_html, digest_text(check, "summary"), SUMMARY_MOST);
	buf_adds(out, "</td></tr>\n");
}

typedef void put_fn(struct buf *out, const json_t *check);

static void add_figures(struct buf *out, const json_t *checks, put_fn *put)
{
	for (size_t i = 0; i < DIGEST_FIGURES; i++) {
		const json_t *check = digest_figure(checks, i);

		if (check)
			put(out, check);
	}
}

/* The checks that passed and are not among the figures, or those that did not pass; the number of
 * those beyond LETTER_CHECKS. */
static size_t add_checks(struct buf *out, const json_t *checks, bool passed, put_fn *put)
{
	const json_t *check;
	size_t i, n = 0;

	json_array_foreach(checks, i, check) {
		if ((digest_status(check) == V_OK) != passed || (passed && digest_is_figure(check)))
			continue;
		if (n++ < LETTER_CHECKS)
			put(out, check);
	}
	return n > LETTER_CHECKS ? n - LETTER_CHECKS : 0;
}

void letter_subject(struct buf *out, const struct alert *a)
{
	BUF_AUTO line = BUF_INIT(LINE_MAX_B);

	digest_heading(&line, a);
	if (a->kind != ALERT_TEST) {
		buf_adds(&line, ": ");
		digest_outcome(&line, a);
	}
	add(out, write_plain, line.s, SUBJECT_MOST);
}

static void add_text_list(struct buf *out, const char *title, const json_t *checks, bool passed)
{
	BUF_AUTO list = BUF_INIT(LETTER_MAX / 2);
	const size_t more = add_checks(&list, checks, passed, add_text_check);

	if (list.len == 0)
		return;
	buf_addf(out, "%s\n\n%s", title, list.s);
	if (more > 0)
		buf_addf(out, "and %zu more\n", more);
	buf_addc(out, '\n');
}

void letter_text(struct buf *out, const struct alert *a)
{
	BUF_AUTO heading = BUF_INIT(LINE_MAX_B);
	char when[UTC_SIZE];

	digest_heading(&heading, a);
	add(out, write_plain, heading.s, SUMMARY_MOST);
	buf_adds(out, "\n\n");
	if (a->kind == ALERT_TEST)
		add(out, write_plain, a->headline, SUMMARY_MOST);
	else
		digest_outcome(out, a);
	buf_adds(out, "\n\n");
	if (a->kind != ALERT_TEST) {
		add_figures(out, a->checks, add_text_check);
		buf_addc(out, '\n');
		add_text_list(out, "Did not pass", a->failing, false);
		add_text_list(out, "Passed", a->checks, true);
	}
	if (a->report_url)
		buf_addf(out, "Report:  %s\n", a->report_url);
	if (a->runbook_url)
		buf_addf(out, "Runbook: %s\n", a->runbook_url);
	buf_addf(out, "\n%s, ", utc_human(a->at_ms, when));
	add(out, write_plain, a->host, NAME_MOST);
	buf_adds(out, ", run ");
	add(out, write_plain, a->run, NAME_MOST);
	buf_addc(out, '\n');
}

static void add_html_list(struct buf *out, const char *title, const json_t *checks, bool passed)
{
	BUF_AUTO list = BUF_INIT(LETTER_MAX / 2);
	const size_t more = add_checks(&list, checks, passed, add_html_check);

	if (list.len == 0)
		return;
	buf_addf(out, "<h3>%s</h3>\n" TABLE "%s</table>\n", title, list.s);
	if (more > 0)
		buf_addf(out, "<p>and %zu more</p>\n", more);
}

static void add_html_link(struct buf *out, const char *url, const char *name)
{
	if (!url || (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
		return;
	buf_adds(out, "<p><a href=\"");
	write_html(out, url);
	buf_addf(out, "\">%s</a></p>\n", name);
}

void letter_html(struct buf *out, const struct alert *a)
{
	BUF_AUTO heading = BUF_INIT(LINE_MAX_B), outcome = BUF_INIT(LINE_MAX_B);
	char when[UTC_SIZE];

	digest_heading(&heading, a);
	if (a->kind == ALERT_TEST)
		buf_adds(&outcome, a->headline);
	else
		digest_outcome(&outcome, a);
	buf_addf(out,
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n"
		 "<body style=\"font-family:sans-serif\">\n<h2 style=\"color:%s\">",
		 colour(a->verdict));
	add(out, write_html, heading.s, SUMMARY_MOST);
	buf_adds(out, "</h2>\n<p>");
	add(out, write_html, outcome.s, SUMMARY_MOST);
	buf_adds(out, "</p>\n");
	if (a->kind != ALERT_TEST) {
		buf_adds(out, TABLE);
		add_figures(out, a->checks, add_html_check);
		buf_adds(out, "</table>\n");
		add_html_list(out, "Did not pass", a->failing, false);
		add_html_list(out, "Passed", a->checks, true);
	}
	add_html_link(out, a->report_url, "Report");
	add_html_link(out, a->runbook_url, "Runbook");
	buf_addf(out, "<p style=\"color:#666\">%s, ", utc_human(a->at_ms, when));
	add(out, write_html, a->host, NAME_MOST);
	buf_adds(out, ", run ");
	add(out, write_html, a->run, NAME_MOST);
	buf_adds(out, "</p>\n</body></html>\n");
}
