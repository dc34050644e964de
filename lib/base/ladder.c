#include "lib/base/ladder.h"

#include <time.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, EPOCH_WEEKDAY = 3, EPOCH_YEAR = 1900, MONTHS = 12 };

static const struct {
	const char *name, *period;
} words[LADDER_RUNGS] = {
	[LADDER_DAILY] = { "daily", "day" },
	[LADDER_WEEKLY] = { "weekly", "week" },
	[LADDER_MONTHLY] = { "monthly", "month" },
	[LADDER_YEARLY] = { "yearly", "year" },
};

const char *ladder_name(enum ladder_rung rung)
{
	return words[rung].name;
}

const char *ladder_period(enum ladder_rung rung)
{
	return words[rung].period;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t month_of(int64_t ms)
{
	const time_t t = (time_t)floor_div(ms, 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	return (int64_t)(tm.tm_year + EPOCH_YEAR) * MONTHS + tm.tm_mon;
}

/* Consecutive numbers for consecutive periods. */
static int64_t period_of(enum ladder_rung rung, int64_t ms)
{
	const int64_t day = floor_div(ms, DAY_MS);

	switch (rung) {
	case LADDER_DAILY:
		return day;
	case LADDER_WEEKLY: /* the epoch was a Thursday */
		return floor_div(day + EPOCH_WEEKDAY, 7);
	case LADDER_MONTHLY:
		return month_of(ms);
	case LADDER_YEARLY:
	case LADDER_RUNGS:
		break;
	}
	return floor_div(month_of(ms), MONTHS);
}

static int64_t begin_of(enum ladder_rung rung, int64_t period)
{
	struct tm tm = { .tm_mday = 1 };

	if (rung == LADDER_DAILY)
		return period * DAY_MS;
	if (rung == LADDER_WEEKLY)
		return (period * 7 - EPOCH_WEEKDAY) * DAY_MS;
	if (rung == LADDER_MONTHLY)
		tm.tm_mon = (int)(period % MONTHS);
	tm.tm_year = (int)(rung == LADDER_MONTHLY ? period / MONTHS : period) - EPOCH_YEAR;
	return (int64_t)timegm(&tm) * 1000;
}

void ladder_judge(enum ladder_rung rung, const int64_t *at_ms, size_t n, uint64_t wanted,
		  struct ladder_kept *out)
{
	const int64_t newest = period_of(rung, at_ms[n - 1]), oldest = period_of(rung, at_ms[0]);
	const int64_t last = newest - (int64_t)wanted + 1;
	int64_t below = newest + 1; /* the oldest period that was seen kept */

	*out = (struct ladder_kept){ 0 };
	for (size_t i = n; i-- > 0 && below > last;) {
		int64_t period = period_of(rung, at_ms[i]);

		if (period >= below)
			continue;
		if (period < last)
			period = last - 1;
		if (below - period > 1 && out->missing == 0)
			out->first_missing_ms = begin_of(rung, below - 1);
		out->missing += (uint64_t)(below - period - 1);
		out->kept += period >= last;
		below = period;
	}
	if (oldest > last)
		out->unreached = (uint64_t)(oldest - last);
}
