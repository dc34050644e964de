#include "lib/report/paper.h"

#include "lib/base/text.h"
#include "lib/report/html_parts.h"
#include "lib/report/markdown.h"
#include "lib/report/markup.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024, FENCE_LEAST = 3 };

static void add_text(struct paper *p, const char *text)
{
	if (p->html)
		markup_text(p->out, text);
	else
		markdown_text(text, p->out);
}

void paper_begin(struct paper *p, const char *title, const char *colour)
{
	if (p->html) {
		html_open(title, colour, p->out);
		buf_adds(p->out, "<body>\n<header class=\"plain\"><div class=\"page\">\n<h1>");
		markup_text(p->out, title);
		buf_adds(p->out, "</h1>\n</div></header>\n<main class=\"page paper\">\n");
	} else {
		buf_adds(p->out, "# ");
		markdown_text(title, p->out);
		buf_adds(p->out, "\n\n");
	}
}

void paper_end(struct paper *p, const char *last_words)
{
	buf_adds(p->out, p->html ? "</main>\n<footer><div class=\"page\">" : "---\n\n");
	add_text(p, last_words);
	buf_adds(p->out, p->html ? "</div></footer>\n</body>\n</html>\n" : "\n");
}

static void add_formatted(struct paper *p, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void add_formatted(struct paper *p, const char *fmt, va_list ap)
{
	char text[4096];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	add_text(p, text);
}

void paper_heading(struct paper *p, int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (p->html)
		buf_addf(p->out, "<h%d>", level);
	else
		buf_adds(p->out, level == 2 ? "## " : "### ");
	add_formatted(p, fmt, ap);
	if (p->html)
		buf_addf(p->out, "</h%d>\n", level);
	else
		buf_adds(p->out, "\n\n");
	va_end(ap);
}

void paper_text(struct paper *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_adds(p->out, p->html ? "<p>" : "");
	add_formatted(p, fmt, ap);
	buf_adds(p->out, p->html ? "</p>\n" : "\n\n");
	va_end(ap);
}

void paper_facts_begin(struct paper *p)
{
	buf_adds(p->out, p->html ? "<dl class=\"facts\">\n" : "");
}

void paper_fact(struct paper *p, const char *word, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_adds(p->out, p->html ? "<dt>" : "- ");
	add_text(p, word);
	buf_adds(p->out, p->html ? "</dt><dd><bdi>" : ": ");
	add_text(p, value);
	buf_adds(p->out, p->html ? "</bdi></dd>\n" : "\n");
}

void paper_facts_end(struct paper *p)
{
	buf_adds(p->out, p->html ? "</dl>\n" : "\n");
}

void paper_table_begin(struct paper *p, const char *const *columns)
{
	size_t n = 0;

	buf_adds(p->out, p->html ? "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
				   "aria-label=\"table\">"
				   "<table><thead><tr>"
				 : "|");
	for (; columns[n]; n++) {
		buf_adds(p->out, p->html ? "<th scope=\"col\">" : " ");
		add_text(p, columns[n]);
		buf_adds(p->out, p->html ? "</th>" : " |");
	}
	buf_adds(p->out, p->html ? "</tr></thead><tbody>\n" : "\n|");
	for (size_t i = 0; i < n && !p->html; i++)
		buf_adds(p->out, "---|");
	buf_adds(p->out, p->html ? "" : "\n");
}

void paper_row(struct paper *p, const char *const *cells)
{
	buf_adds(p->out, p->html ? "<tr>" : "|");
	for (size_t i = 0; cells[i]; i++) {
		if (p->html)
			buf_adds(p->out, i ? "<td>" : "<th scope=\"row\">");
		else
			buf_addc(p->out, ' ');
		add_text(p, cells[i]);
		if (p->html)
			buf_adds(p->out, i ? "</td>" : "</th>");
		else
			buf_adds(p->out, " |");
	}
	buf_adds(p->out, p->html ? "</tr>\n" : "\n");
}

void paper_table_end(struct paper *p)
{
	buf_adds(p->out, p->html ? "</tbody></table></div>\n" : "\n");
}

/* Line by line, for a line break is no character to be replaced here. */
static void add_lines(struct paper *p, const char *lines)
{
	while (*lines) {
		const size_t n = strcspn(lines, "\n");
		BUF_AUTO line = BUF_INIT(PIECE_MAX);

		buf_add(&line, lines, n);
		if (p->html)
			markup_text(p->out, line.s);
		else
			text_safe(p->out, line.s);
		buf_addc(p->out, '\n');
		lines += n + (lines[n] == '\n');
	}
}

/* A fence that is longer than any in the text (CommonMark 4.5). */
static size_t fence_of(const char *lines)
{
	size_t longest = FENCE_LEAST - 1;

	while (*lines) {
		const size_t n = strspn(lines, "`");

		longest = n > longest ? n : longest;
		lines += n ? n : 1;
	}
	return longest + 1;
}

void paper_code(struct paper *p, const char *kind, const char *lines)
{
	const size_t fence = fence_of(lines);

	if (p->html) {
		buf_addf(p->out, "<pre class=\"%s\" tabindex=\"0\"><code>", kind);
		add_lines(p, lines);
		buf_adds(p->out, "</code></pre>\n");
		return;
	}
	for (size_t i = 0; i < fence; i++)
		buf_addc(p->out, '`');
	buf_addf(p->out, "%s\n", kind);
	add_lines(p, lines);
	for (size_t i = 0; i < fence; i++)
		buf_addc(p->out, '`');
	buf_adds(p->out, "\n\n");
}

void paper_note(struct paper *p, const char *word, const char *text)
{
	buf_adds(p->out, p->html ? "<p class=\"note\"><b>" : "**");
	add_text(p, word);
	buf_adds(p->out, p->html ? ":</b> " : ":** ");
	add_text(p, text);
	buf_adds(p->out, p->html ? "</p>\n" : "\n\n");
}
