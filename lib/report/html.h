#ifndef LIB_REPORT_HTML_H
#define LIB_REPORT_HTML_H
/*
 * html: the report as one page that needs nothing else: no script, no font, no image, no network
 * (its Content-Security-Policy forbids them). Light and dark as the reader's system is; foldable
 * by <details>, so that keyboard and screen reader work. Whatever a name or a message holds, it
 * stays text.
 */
#include "lib/base/buf.h"
#include "lib/report/past.h"
#include "lib/report/summary.h"

/* past: earlier runs, without the present one. title may be
 * NULL: "backup of LABEL". */
void html_report(const struct summary *s, const struct past *past, const char *title,
		 struct buf *out);
#endif
