#include "lib/base/series.h"

#include "tests/unit/suite.h"

#include <math.h>

enum { MOST = 56 };

static const int64_t day_ms = 24 * 3600 * 1000LL;
static const uint64_t mb = 1000 * 1000;

/* The size of the day's backup, in MB; day 5 and 6 of each seven are a weekend. */
static double flat(int day)
{
	(void)day;
	return 100;
}

static double noise(int day)
{
	static const int off[] = { 3, -4, 1, 5, -2, 0, -5, 4, 2, -1, -3 };

	return 100 + off[day % 11];
}

static double growing(int day)
{
	return 100 + 1.5 * day + noise(day) / 100;
}

static double weekend(int day)
{
	return day % 7 >= 5 ? 40 + noise(day) / 50 : noise(day);
}

/* Full on the first day, small ones until the next. */
static double mixed(int day)
{
	return day % 7 == 0 ? 100 : 5 + noise(day) / 50;
}

static double alternating(int day)
{
	return day % 3 == 0 ? 100 : 20;
}

static double leak(int day)
{
	return 100 - 0.8 * day;
}

static double slow_leak(int day)
{
	return 100 - 0.3 * day + noise(day) / 400;
}

static double purged(int day)
{
	return day >= 50 ? 60 : noise(day);
}

static double purged_today(int day)
{
	return day >= 55 ? 60 : noise(day);
}

static double bulky_once(int day)
{
	return day == 55 ? 300 : noise(day);
}

static double now_and_then(int day)
{
	return day == 20 || day == 40 ? 50 : noise(day);
}

static double small_and_growing(int day)
{
	return day < 55 ? 20 : 22;
}

/* The backup to judge is of day MOST, which is the first of a week. */
static const struct {
	const char *is;
	double (*of)(int day);
	int days;   /* before it */
	int shift;  /* so many days later in the week */
	double now; /* MB */
	enum verdict want;
	enum series_kind kind;
} cases[] = {
	/* no alarm */
	{ "static", flat, 56, 0, 100, V_OK, SERIES_USUAL },
	{ "noise", noise, 56, 0, 96, V_OK, SERIES_USUAL },
	{ "growth", growing, 56, 0, 184, V_OK, SERIES_USUAL },
	{ "a doubled database", growing, 56, 0, 370, V_OK, SERIES_USUAL },
	{ "20 to 22 MB", small_and_growing, 56, 0, 22, V_OK, SERIES_USUAL },
	{ "a Monday after a weekend", weekend, 56, 0, 101, V_OK, SERIES_USUAL },
	{ "a Saturday as ever", weekend, 56, 5, 40, V_OK, SERIES_WEEKDAY },
	{ "a Sunday as ever", weekend, 56, 6, 41, V_OK, SERIES_WEEKDAY },
	{ "an incremental after the full", mixed, 56, 1, 7.1, V_OK, SERIES_OFTEN },
	{ "the full after incrementals", mixed, 56, 0, 101, V_WARNING, SERIES_GROWTH },
	{ "every third day large", alternating, 55, -1, 20, V_OK, SERIES_OFTEN },
	{ "the small one after it", alternating, 55, 0, 20, V_OK, SERIES_USUAL },
	/* said, and no more than that */
	{ "a holiday like a Sunday", weekend, 56, 2, 41, V_WARNING, SERIES_NOW_AND_THEN },
	{ "as small as twice before", now_and_then, 56, 0, 50, V_WARNING, SERIES_NOW_AND_THEN },
	{ "days after a purge", purged, 56, 0, 60, V_WARNING, SERIES_MOVED },
	{ "a step down from a plateau", flat, 56, 0, 95, V_WARNING, SERIES_PLATEAU },
	{ "a slow leak", slow_leak, 56, 0, 83.2, V_WARNING, SERIES_DECLINE },
	{ "five times and more", noise, 56, 0, 600, V_WARNING, SERIES_GROWTH },
	/* losses */
	{ "a leak beyond the limit", leak, 56, 0, 55, V_CRITICAL, SERIES_DECLINE },
	{ "a sudden drop", noise, 56, 0, 70, V_CRITICAL, SERIES_DROP },
	{ "the second day of it", purged_today, 56, 0, 60, V_CRITICAL, SERIES_DROP },
	{ "a drop on a weekend", weekend, 56, 5, 25, V_CRITICAL, SERIES_DROP },
	{ "a growing one falls to its median", growing, 56, 0, 140, V_CRITICAL, SERIES_DROP },
	{ "next to nothing", noise, 56, 0, 0.00008, V_CRITICAL, SERIES_TINY },
	{ "nothing", noise, 56, 0, 0, V_CRITICAL, SERIES_TINY },
	/* too few for patterns: only the previous and the median count */
	{ "half of one", flat, 1, 0, 50, V_CRITICAL, SERIES_DROP },
	{ "one like it and one larger", alternating, 2, -1, 20, V_CRITICAL, SERIES_DROP },
	{ "none before", flat, 0, 0, 1, V_OK, SERIES_USUAL },
	{ "back to normal after a bulky one", bulky_once, 56, 0, 100, V_WARNING,
	  SERIES_NOW_AND_THEN },
};

START_TEST(each_series_gets_its_verdict)
{
	const struct series_limits limits = {
		.trend = { .max_drop = 0.2, .max_growth = 4 },
		.min_delta_b = 16 * 1024,
		.tiny_b = 128,
	};
	uint64_t bytes[MOST];
	int64_t at_ms[MOST];
	const size_t n = (size_t)cases[_i].days;
	const struct series_in in = {
		.bytes = bytes,
		.at_ms = at_ms,
		.n = n,
		.window = 14,
		.now_b = (uint64_t)(cases[_i].now * (double)mb),
		.now_ms = (MOST + cases[_i].shift) * day_ms,
	};
	struct series s;

	for (size_t i = 0; i < n; i++) {
		const int day = MOST - (int)n + (int)i + cases[_i].shift;

		bytes[i] = (uint64_t)(cases[_i].of(day) * (double)mb);
		at_ms[i] = day * day_ms;
	}
	series_judge(&in, &limits, &s);
	ck_assert_msg(s.status == cases[_i].want && s.kind == cases[_i].kind,
		      "%s: status %d, kind %d", cases[_i].is, (int)s.status, (int)s.kind);
}
END_TEST

START_TEST(a_slope_is_not_bent_by_one_point)
{
	const double x[] = { 0, 1, 2, 3, 4, 5, 6 }, y[] = { 10, 12, 14, 9000, 18, 20, 22 };

	ck_assert_double_eq_tol(series_slope(x, y, 7), 2, 0.5);
	ck_assert(isnan(series_slope(x, y, 2)));
}
END_TEST

START_TEST(small_changes_of_small_backups_are_none)
{
	const uint64_t bytes[] = { 20000, 20000 };
	const int64_t at_ms[] = { 0, day_ms };
	const struct series_limits limits = { { 0.2, 4 }, 16 * 1024, 128 };
	struct series_in in = { bytes, at_ms, 2, 14, 12000, 2 * day_ms };
	struct series s;

	series_judge(&in, &limits, &s);
	ck_assert_int_eq(s.status, V_OK);
	/* but the loss of most of it is one */
	in.now_b = 9000;
	series_judge(&in, &limits, &s);
	ck_assert_int_eq(s.status, V_CRITICAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("series");
	TCase *c = tcase_create("series");

	tcase_add_loop_test(c, each_series_gets_its_verdict, 0,
			    (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(c, a_slope_is_not_bent_by_one_point);
	tcase_add_test(c, small_changes_of_small_backups_are_none);
	suite_add_tcase(s, c);
	return suite_run(s);
}
