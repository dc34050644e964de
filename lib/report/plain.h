#ifndef LIB_REPORT_PLAIN_H
#define LIB_REPORT_PLAIN_H
/*
 * plain: the report for people at a terminal or in a mail, at most 96 columns wide.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

#include <stdbool.h>

struct plain_style {
	const char *title; /* NULL: "backup of LABEL" */
	bool colour;
	bool quiet; /* only what is not ok; nothing at all when everything is */
};

void plain_report(const struct summary *s, const struct plain_style *style, struct buf *out);

/* Appends s in lines of at most `width` characters, broken at blanks where there are any; every
 * line but the first is indented. `column` is where the first one begins. */
void plain_wrap(const char *s, size_t column, size_t indent, size_t width, struct buf *out);
#endif
