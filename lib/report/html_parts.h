#ifndef LIB_REPORT_HTML_PARTS_H
#define LIB_REPORT_HTML_PARTS_H
/*
 * html_parts: what the pieces of the page (html.h) have from each other.
 */
#include "lib/base/buf.h"
#include "lib/report/past.h"
#include "lib/report/rows.h"
#include "lib/report/summary.h"

/* A page up to its <body>, with the style sheet that knows the classes of all pieces. title is
 * text; colour: of the icon, six hexadecimal digits. */
void html_open(const char *title, const char *colour, struct buf *out);

/* How a verdict looks: its class, the word on its badge, the colour of the icon. */
const char *html_class(enum verdict v);
const char *html_word(enum verdict v);
const char *html_colour(enum verdict v);
void html_badge(enum verdict v, struct buf *out);

/* What a check is about. */
void html_name(const struct row *row, struct buf *out);

/* A line of a list of facts; none where the value is "". word is markup, value is text. */
void html_fact(const char *word, const char *value, struct buf *out);

/* The list of checks. */
void html_checks(const struct summary *s, struct buf *out);

/* The charts; runs: oldest first, the present one last, at least one; of the tables of past. */
void html_charts(const struct past *past, const struct past_run *runs, size_t n, struct buf *out);
#endif
