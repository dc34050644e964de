#ifndef LIB_REPORT_MARKDOWN_H
#define LIB_REPORT_MARKDOWN_H
/*
 * markdown: the report for wikis, merge requests and job summaries (CommonMark 0.30 with the tables
 * of GitHub Flavored Markdown 0.29). Whatever a name or a message holds, it stays text: no markup,
 * no HTML, no line of its own.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

/* title may be NULL: "backup of LABEL". */
void markdown_report(const struct summary *s, const char *title, struct buf *out);

/* s as inline text. */
void markdown_text(const char *s, struct buf *out);

/* s as code; in_table where '|' must be kept from ending the cell. */
void markdown_code(const char *s, bool in_table, struct buf *out);
#endif
