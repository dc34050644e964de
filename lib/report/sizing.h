#ifndef LIB_REPORT_SIZING_H
#define LIB_REPORT_SIZING_H
/*
 * sizing: the sentence about the size of a backup (lib/base/series.h), with its verdict, and the
 * figures. The ranges are of the change against the median, and may be unset. Pure.
 */
#include "lib/base/check.h"
#include "lib/base/series.h"

/* "18.2 GB, +0.4 % against the median of 14" */
void sizing_say(struct check *c, const struct series *s, uint64_t bytes,
		const struct trend_limits *limits, const struct range *warn,
		const struct range *crit);

/* bytes, and what it is compared with; the limits are those of change_ratio. */
void sizing_metrics(struct check *c, const struct series *s, uint64_t bytes,
		    const struct trend_limits *limits, const struct range *warn,
		    const struct range *crit);
#endif
