#ifndef LIB_REPORT_CHART_H
#define LIB_REPORT_CHART_H
/*
 * chart: figures of many runs as bars in an inline SVG, without a script: each bar says its value
 * on hover (<title>), lines and colours come from the page's style sheet by class. Bars begin at
 * zero, so that a drop looks as large as it is.
 */
#include "lib/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* More bars than this are too thin to point at. */
enum { CHART_BARS = 90 };

struct chart {
	const char *label; /* for who cannot see it */
	const char *unit;  /* "s" or "B" */
	size_t n;          /* how many bars, oldest first */
	const int64_t *at_ms;
	size_t parts;             /* a bar is a stack of so many */
	const double *values;     /* [n][parts]; NAN counts as nothing */
	const double *totals;     /* [n]: what a bar says; at least as high as its parts together */
	const char *const *names; /* [parts]; NULL when there is one part */
	double target;            /* NAN: none */
};

void chart_svg(const struct chart *c, struct buf *out);

/* The distance of the grid's lines, so that at most five are needed up to most: 1, 2 or 5 times a
 * power of ten, for seconds also of a minute, an hour, a day. */
double chart_step(double most, const char *unit);
#endif
