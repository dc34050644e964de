#ifndef LIB_BASE_SERIES_H
#define LIB_BASE_SERIES_H
/*
 * series: is a backup's size plausible in the series of those before it? Looks at more than trend's
 * median: whether this size is usual for its weekday, whether the series takes it now and then or
 * has moved to it, and whether it declines by steps that are each too small to be seen. Pure.
 *
 * What it takes for what:
 *	drop        against the previous or the median, beyond max_drop         critical
 *	weekday     a drop, but as on at least 3 such days of the last weeks    ok
 *	often       a drop, to a size that a quarter of the series has, unless
 *	            its weekday says otherwise                                  ok
 *	now and then  a drop, to a size that at least 2 had and was left again  warning
 *	moved       a drop against the median alone, the last 3 were like it    warning
 *	decline     nearly every backup smaller than those before it, in all
 *	            beyond half of max_drop                                     warning
 *	            beyond max_drop                                             critical
 *	plateau     all sizes within 1 %, and this one a tenth of max_drop below warning
 *	growth      beyond max_growth, against both                             warning
 * A change below min_delta_b is none, unless more than half is gone.
 */
#include "lib/base/trend.h"

struct series_in {
	const uint64_t *bytes; /* oldest first, none of them 0 */
	const int64_t *at_ms;  /* when they were taken; INT64_MIN: unknown */
	size_t n, window;      /* the last `window` make the median; more are for patterns */
	uint64_t now_b;
	int64_t now_ms;
};

struct series_limits {
	struct trend_limits trend;
	uint64_t min_delta_b, tiny_b; /* smaller than tiny_b is no backup */
};

/* SERIES_FEW: with fewer before, no pattern is looked for. */
enum { SERIES_FEW = 7 };

enum series_kind {
	SERIES_USUAL,
	SERIES_TINY,
	SERIES_DROP,
	SERIES_WEEKDAY,
	SERIES_OFTEN,
	SERIES_NOW_AND_THEN,
	SERIES_MOVED,
	SERIES_DECLINE,
	SERIES_PLATEAU,
	SERIES_GROWTH,
};

struct series {
	enum series_kind kind;
	enum verdict status;
	struct trend trend;  /* against the window */
	uint64_t mad_b;      /* median of the deviations from the median */
	double slope_b_day;  /* Theil-Sen; NAN where times or backups are too few */
	uint64_t expected_b; /* the weekday's median, for SERIES_WEEKDAY */
	size_t alike;        /* how many are like this one */
	double decline;      /* share, negative */
	size_t over;         /* backups that declined, this one included */
};

void series_judge(const struct series_in *in, const struct series_limits *limits,
		  struct series *out);

/* Theil and Sen's slope of y over x, n points: the median of all slopes between two. NAN with fewer
 * than 3 different x. */
double series_slope(const double *x, const double *y, size_t n);

/* A slope and the ends of its interval; all NAN where there is none. */
struct series_slope {
	double mid, low, high;
};

/* The same with Sen's interval of 90 %. */
struct series_slope series_slopes(const double *x, const double *y, size_t n);

/* Of n values, which are sorted by it. NAN for none. */
double series_median(double *v, size_t n);
#endif
