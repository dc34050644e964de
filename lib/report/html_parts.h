#ifndef LIB_REPORT_HTML_PARTS_H
#define LIB_REPORT_HTML_PARTS_H
/*
 * html_parts: what the pieces of the page (html.h) have from each other.
 */
#include "lib/base/buf.h"
#include "lib/report/past.h"
#include "lib/report/rows.h"
#include "lib/report/summary.h"

/* The lines of the style sheet, which know the classes that the pieces use. */
void html_style(struct buf *out);

/* How a verdict looks: its class, and the word on its badge. */
const char *html_class(enum verdict v);
const char *html_word(enum verdict v);
void html_badge(enum verdict v, struct buf *out);

/* What a check is about. */
void html_name(const struct row *row, struct buf *out);

/* The list of checks. */
void html_checks(const struct summary *s, struct buf *out);

/* The charts; runs: oldest first, the present one last, at least one. */
void html_charts(const struct past_run *runs, size_t n, struct buf *out);
#endif
