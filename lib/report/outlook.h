#ifndef LIB_REPORT_OUTLOOK_H
#define LIB_REPORT_OUTLOOK_H
/*
 * outlook: the sentences about forecasts and steps (lib/base/forecast.h), and their verdicts. Pure.
 */
#include "lib/base/check.h"
#include "lib/base/forecast.h"

#include <stdbool.h>

struct outlook_target {
	const char *is; /* "target", "limit" */
	double value;   /* NAN: none */
	bool bytes;     /* else seconds */
};

/* "22 min; at this growth (+9.6 s a day over 60 runs) the 30 min target is missed in about 47 days
 * (41 to 55)". A warning when that is within the horizon, or when the trend is beyond the target
 * already. value: what the present run measured, said while there is no trend. */
void outlook_say_forecast(struct check *c, const struct forecast *f, double value,
			  const struct outlook_target *target, double horizon_s);

/* "58 min, 3.1 times its own trend (19 min)": a warning, unless the value is within what is allowed
 * (NAN: nothing is). */
void outlook_say_step(struct check *c, const struct forecast_step *step, double seconds,
		      double allowed);
#endif
