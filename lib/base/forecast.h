#ifndef LIB_BASE_FORECAST_H
#define LIB_BASE_FORECAST_H
/*
 * forecast: how a measured time (or any amount) goes with the size of the backup and with the days,
 * when it will pass its target at this growth, and whether the newest one is what the ones before
 * promised. Pure, no clock, no files.
 *
 * The model is value = base + per_size * size + drift * day, each slope that of Theil and Sen,
 * which a quarter of wild points does not move; their intervals are Sen's of 90 % (P. K. Sen 1968,
 * "Estimates of the regression coefficient based on Kendall's tau"). The growth of a day is
 * per_size times the growth of the size, and the drift, where there is one that is not noise. A
 * growth whose interval holds 0 is none.
 *
 * Only points since the last change of level count: a new machine, another method, a large import.
 * Such a change is one by half and more, of the median of a week of points and of three of them
 * alike; of the values, if the sizes do not explain it, or of the sizes.
 */
#include <stdbool.h>
#include <stddef.h>

struct forecast_point {
	double day;   /* when; any origin, ascending */
	double size;  /* NAN: unknown, or of no influence */
	double value; /* finite */
};

/* FEW: fewer points, or points of fewer days, are no trend. */
enum { FORECAST_FEW = 7 };

enum forecast_kind {
	FORECAST_TOO_FEW, /* nothing but n and since is set */
	FORECAST_STEADY,
	FORECAST_GROWS,
	FORECAST_FALLS,
};

struct forecast {
	enum forecast_kind kind;
	size_t n;     /* the points that count */
	size_t since; /* the first of them; not 0: there the level changed */
	double span;  /* their days */
	double now;   /* where the trend is on the day of the last point */
	double per_day, per_day_low, per_day_high;
	/* Days from the last point until the target is passed: 0 when it is, INFINITY when it never
	 * will. All INFINITY without a target and without a growth. */
	double days, days_early, days_late;
};

/* The trend of n points. target: what must not be passed; NAN: none. */
void forecast_judge(const struct forecast_point *v, size_t n, double target, struct forecast *out);

struct forecast_step {
	bool known;      /* there are enough points before; else all is 0 */
	double expected; /* of the last point, by those before */
	double factor;   /* its value is so many times that */
	size_t runs;     /* so many points, up to the last, are beyond; 0: it is as expected */
};

struct forecast_limits {
	double factor;    /* beyond: more than so many times what was expected, */
	double min_delta; /* and more by at least this; besides, by four times the usual noise */
};

/* The last of n points beside those before it. One that has lasted for a week of points is no step
 * any more, but the level. */
void forecast_step(const struct forecast_point *v, size_t n, const struct forecast_limits *limits,
		   struct forecast_step *out);
#endif
