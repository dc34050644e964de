#ifndef LIB_BASE_RANGE_H
#define LIB_BASE_RANGE_H
/*
 * range: Nagios thresholds "[@][start:]end" (Monitoring Plugins guidelines, "Threshold and
 * ranges"). "10" alerts outside 0..10, "10:" below 10, "~:10" above 10, "@10:20" inside. The end
 * points belong to the range. Plain decimals only: no exponent, no unit.
 */
#include "lib/base/err.h"

#include <stdbool.h>

enum { RANGE_SIZE = 64 };

struct range {
	double start, end;     /* may be -INFINITY, INFINITY */
	bool inside;           /* '@': alert when inside */
	bool set;              /* false: no threshold was given */
	char text[RANGE_SIZE]; /* as it was written, for performance data */
};

int range_parse(const char *s, struct range *out, struct err *e);

/* A range that is not set never alerts; one that is alerts for a value that is not a number. */
bool range_alerts(const struct range *r, double value);

/* The verdict of a value under a warning and a critical range, either of them unset. A value that
 * is not a number is unknown as soon as one of them is set. */
enum verdict range_judge(const struct range *warn, const struct range *crit, double value);
#endif
