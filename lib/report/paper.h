#ifndef LIB_REPORT_PAPER_H
#define LIB_REPORT_PAPER_H
/*
 * paper: a document of headings, paragraphs, lists, tables and commands, written as Markdown or as
 * a self-contained HTML page, whichever the reader wants; its author says everything once.
 *
 * Whatever a text holds, it stays text (markdown.h, markup.h). Commands are shown to the byte, for
 * they are copied and run: only control characters are replaced.
 */
#include "lib/base/buf.h"

#include <stdbool.h>

struct paper {
	struct buf *out;
	bool html;
};

/* The page's head with its title as first heading, and its end. colour: of the icon. */
void paper_begin(struct paper *p, const char *title, const char *colour);
void paper_end(struct paper *p, const char *last_words);

/* level: 2 or 3. */
void paper_heading(struct paper *p, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void paper_text(struct paper *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A list of words and what they stand for: "Host: db1". An empty value is left out. */
void paper_facts_begin(struct paper *p);
void paper_fact(struct paper *p, const char *word, const char *value);
void paper_facts_end(struct paper *p);

/* columns: NULL-terminated. Cells of a row are given one after the other, and NULL. */
void paper_table_begin(struct paper *p, const char *const *columns);
void paper_row(struct paper *p, const char *const *cells);
void paper_table_end(struct paper *p);

/* Lines to be copied. kind: "sh", "sql", "text". */
void paper_code(struct paper *p, const char *kind, const char *lines);

/* A paragraph that is set apart: "Checkpoint: ...". */
void paper_note(struct paper *p, const char *word, const char *text);
#endif
