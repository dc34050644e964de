#include "lib/base/forecast.h"

#include "tests/unit/suite.h"

#include <math.h>

enum { MOST = 400 };

static const double target = 1800, never = INFINITY;

struct shape {
	double size, value; /* GB, seconds */
};

static double wobble(int day)
{
	static const int off[] = { 3, -4, 1, 5, -2, 0, -5, 4, 2, -1, -3 };

	return off[day % 11];
}

static struct shape flat(int day)
{
	(void)day;
	return (struct shape){ 100, 1000 };
}

static struct shape noise(int day)
{
	return (struct shape){ 100 + wobble(day) / 5, 1000 + 20 * wobble(day * 3) };
}

/* 10 s a GB and a minute; a GB a day from 100 GB on. */
static struct shape growth(int day)
{
	const double size = 100 + day;

	return (struct shape){ size, 60 + 10 * size };
}

static struct shape noisy_growth(int day)
{
	const double size = 100 + day + wobble(day) / 10;

	return (struct shape){ size, 60 + 10 * size + 5 * wobble(day * 7) };
}

/* The size stays and the time creeps. */
static struct shape creeping(int day)
{
	return (struct shape){ 100, 1000 + 2 * day + wobble(day) };
}

static struct shape shrinking(int day)
{
	const double size = 200 - day;

	return (struct shape){ size, 60 + 10 * size };
}

static struct shape sizeless(int day)
{
	return (struct shape){ (double)NAN, 1000 + 10 * day + wobble(day) };
}

/* A Sunday's backup is a full one and takes twice as long. */
static struct shape weekly(int day)
{
	return day % 7 == 6 ? (struct shape){ 100, 2000 + wobble(day) }
			    : (struct shape){ 100, 1000 + wobble(day) };
}

static struct shape one_outlier(int day)
{
	struct shape s = noise(day);

	s.value *= day == 30 || day == 55 ? 5 : 1;
	return s;
}

/* To a machine half as fast on day 40; before it the database grew, then it stays. */
static struct shape migration(int day)
{
	return day < 40 ? growth(day) : (struct shape){ 140 + wobble(day) / 50, 2920 };
}

static struct shape faster_machine(int day)
{
	struct shape s = growth(day);

	s.value /= day < 40 ? 1 : 4;
	return s;
}

/* Twice as much is imported on day 50; the time follows. */
static struct shape import(int day)
{
	struct shape s = noise(day);

	s.size *= day < 50 ? 1 : 2;
	s.value *= day < 50 ? 1 : 2;
	return s;
}

/* A third more each week, the time as the size. */
static struct shape galloping(int day)
{
	const double size = 10 * pow(1.05, day);

	return (struct shape){ size, 10 * size };
}

static struct shape missed(int day)
{
	return (struct shape){ 100, 2000 + wobble(day) };
}

static struct shape nothing(int day)
{
	(void)day;
	return (struct shape){ 0, 0 };
}

static size_t series(struct shape (*of)(int day), int days, struct forecast_point *v)
{
	for (int day = 0; day < days; day++) {
		const struct shape s = of(day);

		v[day] = (struct forecast_point){ 1000 + day, s.size, s.value };
	}
	return (size_t)days;
}

static const struct {
	const char *is;
	struct shape (*of)(int day);
	int days;
	double target;
	enum forecast_kind kind;
	double at_least, at_most; /* days to the target */
	size_t since;
} trends[] = {
	{ "no run yet", flat, 0, target, FORECAST_TOO_FEW, never, never, 0 },
	{ "one run", flat, 1, target, FORECAST_TOO_FEW, never, never, 0 },
	{ "too short", growth, 6, target, FORECAST_TOO_FEW, never, never, 0 },
	{ "just enough", growth, 7, target, FORECAST_GROWS, 67, 69, 0 },
	{ "static", flat, 60, target, FORECAST_STEADY, never, never, 0 },
	{ "noise", noise, 60, target, FORECAST_STEADY, never, never, 0 },
	{ "growth", growth, 28, target, FORECAST_GROWS, 46.9, 47.1, 0 },
	{ "growth of a year", growth, 365, 6000, FORECAST_GROWS, 129, 131, 0 },
	{ "growth with noise", noisy_growth, 28, target, FORECAST_GROWS, 44, 50, 0 },
	{ "growth without a target", growth, 28, NAN, FORECAST_GROWS, never, never, 0 },
	{ "growth beyond it", growth, 90, target, FORECAST_GROWS, 0, 0, 0 },
	{ "creeping at one size", creeping, 100, target, FORECAST_GROWS, 290, 315, 0 },
	{ "shrinking", shrinking, 60, target, FORECAST_FALLS, never, never, 0 },
	{ "shrinking, missed still", shrinking, 20, target, FORECAST_FALLS, 0, 0, 0 },
	{ "no sizes", sizeless, 60, target, FORECAST_GROWS, 19, 22, 0 },
	{ "long Sundays", weekly, 60, target, FORECAST_STEADY, never, never, 0 },
	{ "outliers", one_outlier, 60, target, FORECAST_STEADY, never, never, 0 },
	{ "a migration", migration, 60, 6000, FORECAST_STEADY, never, never, 40 },
	{ "a migration of three days", migration, 43, 2500, FORECAST_GROWS, 100, 110, 0 },
	{ "a faster machine", faster_machine, 60, target, FORECAST_GROWS, 530, 580, 40 },
	{ "an import", import, 60, 6000, FORECAST_STEADY, never, never, 50 },
	{ "galloping", galloping, 60, 10000, FORECAST_GROWS, 100, 800, 0 },
	{ "steady and missed", missed, 60, target, FORECAST_STEADY, 0, 0, 0 },
	{ "all zero", nothing, 60, target, FORECAST_STEADY, never, never, 0 },
};

START_TEST(each_series_gets_its_trend)
{
	struct forecast_point v[MOST];
	const size_t n = series(trends[_i].of, trends[_i].days, v);
	struct forecast f;

	forecast_judge(v, n, trends[_i].target, &f);
	ck_assert_msg(f.kind == trends[_i].kind, "%s: kind %d (%g a day, %g to %g)", trends[_i].is,
		      (int)f.kind, f.per_day, f.per_day_low, f.per_day_high);
	ck_assert_msg(f.days >= trends[_i].at_least && f.days <= trends[_i].at_most,
		      "%s: %g days (now %g, %g a day)", trends[_i].is, f.days, f.now, f.per_day);
	ck_assert_msg(f.days_early <= f.days && f.days <= f.days_late, "%s: %g in %g to %g",
		      trends[_i].is, f.days, f.days_early, f.days_late);
	ck_assert_msg(f.since == trends[_i].since, "%s: since %zu", trends[_i].is, f.since);
	ck_assert_uint_eq(f.n, n - f.since);
}
END_TEST

START_TEST(runs_of_a_few_days_are_no_trend)
{
	struct forecast_point v[MOST];
	const size_t n = series(growth, 60, v);
	struct forecast f;

	for (size_t i = 0; i < n; i++)
		v[i].day = (double)i / 24;
	forecast_judge(v, n, target, &f);
	ck_assert_int_eq(f.kind, FORECAST_TOO_FEW);
}
END_TEST

START_TEST(more_noise_makes_a_wider_interval)
{
	struct forecast_point calm[MOST], wild[MOST];
	const size_t n = series(noisy_growth, 28, calm);
	struct forecast a, b;

	(void)series(noisy_growth, 28, wild);
	for (int day = 0; day < 28; day++)
		wild[day].value += 8 * wobble(day * 5 + 2);
	forecast_judge(calm, n, target, &a);
	forecast_judge(wild, n, target, &b);
	ck_assert_int_eq(b.kind, FORECAST_GROWS);
	ck_assert_double_gt(b.days_late - b.days_early, a.days_late - a.days_early);
	ck_assert_double_lt(b.days_early, 47);
	ck_assert_double_gt(b.days_late, 47);
}
END_TEST

/* The last `runs` of a series take `factor` times as long; so many of them are told. */
static const struct {
	const char *is;
	struct shape (*of)(int day);
	int days, runs;
	double factor;
	bool known;
	size_t want;
	double expected; /* NAN: any */
} steps[] = {
	{ "as ever", flat, 30, 0, 1, true, 0, 1000 },
	{ "three times longer", flat, 30, 1, 3, true, 1, 1000 },
	{ "since three runs", flat, 30, 3, 3, true, 3, 1000 },
	{ "since six runs, of few", flat, 13, 6, 3, true, 6, 1000 },
	{ "for a week: the level", flat, 30, 7, 3, false, 0, NAN },
	{ "for two weeks", flat, 30, 14, 3, true, 0, 3000 },
	{ "noise", noise, 60, 0, 1, true, 0, NAN },
	{ "three times, in noise", noise, 60, 1, 3, true, 1, NAN },
	{ "growth", growth, 60, 0, 1, true, 0, 1650 },
	{ "three times its growth", growth, 60, 2, 3, true, 2, 1650 },
	{ "half as much again", growth, 60, 1, 1.5, true, 0, 1650 },
	{ "three times faster", flat, 30, 1, 0.33, true, 0, 1000 },
	{ "a long Sunday", weekly, 56, 0, 1, true, 0, NAN },
	{ "an import, its first run", import, 51, 0, 1, true, 0, NAN },
	{ "an import of a week", import, 57, 0, 1, true, 0, NAN },
	{ "three times longer after it", import, 58, 1, 3, true, 1, NAN },
	{ "galloping", galloping, 60, 0, 1, true, 0, NAN },
	{ "no sizes", sizeless, 60, 1, 3, true, 1, NAN },
	{ "the day after an outlier", one_outlier, 57, 0, 1, true, 0, NAN },
	{ "too short", flat, 7, 1, 3, false, 0, 0 },
	{ "just enough", flat, 8, 1, 3, true, 1, 1000 },
	{ "from nothing to nothing", nothing, 30, 0, 1, true, 0, 0 },
};

START_TEST(a_step_is_told_and_growth_is_none)
{
	const struct forecast_limits limits = { .factor = 2, .min_delta = 30 };
	struct forecast_point v[MOST];
	const size_t n = series(steps[_i].of, steps[_i].days, v);
	struct forecast_step s;

	for (int i = 1; i <= steps[_i].runs; i++)
		v[steps[_i].days - i].value *= steps[_i].factor;
	forecast_step(v, n, &limits, &s);
	ck_assert_msg(s.known == steps[_i].known, "%s: known %d", steps[_i].is, s.known);
	ck_assert_msg(s.runs == steps[_i].want, "%s: %zu runs, %g times %g", steps[_i].is, s.runs,
		      s.factor, s.expected);
	if (s.known && isfinite(steps[_i].expected))
		ck_assert_msg(fabs(s.expected - steps[_i].expected) < 1, "%s: %g expected",
			      steps[_i].is, s.expected);
}
END_TEST

START_TEST(a_small_step_and_an_unknown_size)
{
	const struct forecast_limits limits = { .factor = 2, .min_delta = 30 };
	struct forecast_point v[MOST];
	size_t n = series(flat, 30, v);
	struct forecast_step s;

	/* 5 s instead of 1 are no finding. */
	for (size_t i = 0; i < n; i++)
		v[i].value = i + 1 < n ? 1 : 5;
	forecast_step(v, n, &limits, &s);
	ck_assert_uint_eq(s.runs, 0);
	ck_assert_double_eq_tol(s.factor, 5, 1e-9);

	n = series(growth, 30, v);
	v[n - 1].size = (double)NAN;
	v[n - 1].value = 4000;
	forecast_step(v, n, &limits, &s);
	ck_assert_uint_eq(s.runs, 1);
	ck_assert_double_gt(s.expected, 1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("forecast");
	TCase *t = tcase_create("forecast");

	tcase_add_loop_test(t, each_series_gets_its_trend, 0, CASES(trends));
	tcase_add_test(t, runs_of_a_few_days_are_no_trend);
	tcase_add_test(t, more_noise_makes_a_wider_interval);
	tcase_add_loop_test(t, a_step_is_told_and_growth_is_none, 0, CASES(steps));
	tcase_add_test(t, a_small_step_and_an_unknown_size);
	suite_add_tcase(s, t);
	return suite_run(s);
}
