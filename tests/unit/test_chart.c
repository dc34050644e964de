#include "lib/report/calendar.h"
#include "lib/report/chart.h"

#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

static const int64_t day_ms = 24 * 3600 * 1000LL;

static const struct {
	double most;
	const char *unit;
	double want;
} steps[] = {
	{ 0, "s", 1 },         { 4.2, "s", 1 },        { 9, "s", 2 },        { 50, "s", 10 },
	{ 150, "s", 30 },      { 151, "s", 60 },       { 1800, "s", 600 },   { 2400, "s", 600 },
	{ 86400, "s", 21600 }, { 100000, "s", 21600 }, { 4e6, "s", 864000 }, { 5, "B", 1 },
	{ 18.2e9, "B", 5e9 },  { 20e9, "B", 5e9 },     { 1e18, "B", 2e17 },  { 0, "B", 1 },
	{ NAN, "B", 1 },
};

START_TEST(step_table)
{
	const double step = chart_step(steps[_i].most, steps[_i].unit);

	ck_assert_double_eq_tol(step, steps[_i].want, steps[_i].want * 1e-9);
}
END_TEST

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

START_TEST(a_bar_says_what_it_is_made_of)
{
	static const int64_t at_ms[] = { 1771309986000, 1771396386000 };
	static const double values[] = { 60, NAN, 30, 90 };
	static const double totals[] = { 60, 200 };
	static const char *const names[] = { "fetch", "<rows>" };
	const struct chart c = {
		.label = "\"RTO\"",
		.unit = "s",
		.n = 2,
		.at_ms = at_ms,
		.parts = 2,
		.values = values,
		.totals = totals,
		.names = names,
		.target = 100,
	};
	BUF_AUTO b = BUF_INIT(1024 * 1024);

	chart_svg(&c, &b);
	ck_assert_uint_eq(times(b.s, "<g class=\"bar"), 2);
	ck_assert_uint_eq(times(b.s, "<g class=\"bar over"), 1);
	ck_assert_uint_eq(times(b.s, "class=\"rest\""), 1);
	ck_assert_uint_eq(times(b.s, "class=\"p1\""), 1);
	ck_assert_ptr_nonnull(strstr(b.s, "aria-label=\"&quot;RTO&quot;\""));
	ck_assert_ptr_nonnull(
		strstr(b.s, "<title>2026-02-17 06:33:06 UTC: 1 min&#10;fetch 1 min<"));
	ck_assert_ptr_nonnull(strstr(b.s, "&lt;rows&gt; 1 min 30 s"));
	ck_assert_ptr_nonnull(strstr(b.s, ">target 1 min 40 s<"));
	ck_assert_ptr_null(strstr(b.s, "nan"));
	ck_assert_ptr_null(strstr(b.s, "inf"));
}
END_TEST

START_TEST(nothing_can_be_drawn)
{
	const struct chart c = { .label = "", .unit = "B", .parts = 1, .target = NAN };
	BUF_AUTO b = BUF_INIT(1024 * 1024);

	chart_svg(&c, &b);
	ck_assert_uint_eq(times(b.s, "<g "), 0);
	ck_assert_ptr_null(strstr(b.s, "nan"));
}
END_TEST

static const struct {
	struct past_run runs[3];
	size_t n;
	enum calendar_day want;
} days[] = {
	{ { { 0 } }, 0, DAY_NONE },
	{ { { .status = V_OK } }, 1, DAY_LOOKED },
	{ { { .status = V_WARNING } }, 1, DAY_LOOKED },
	{ { { .status = V_CRITICAL } }, 1, DAY_FAILED },
	{ { { .status = V_UNKNOWN } }, 1, DAY_FAILED },
	{ { { .status = V_CRITICAL, .restored = true } }, 1, DAY_FAILED },
	{ { { .status = V_OK, .restored = true, .verified = true } }, 1, DAY_VERIFIED },
	{ { { .status = V_OK }, { .status = V_CRITICAL }, { .status = V_OK } }, 3, DAY_FAILED },
	{ { { .status = V_CRITICAL }, { .restored = true, .verified = true } }, 2, DAY_VERIFIED },
};

START_TEST(day_table)
{
	ck_assert_int_eq(calendar_judge(days[_i].runs, days[_i].n), days[_i].want);
}
END_TEST

START_TEST(a_year_of_days)
{
	struct past_run runs[400] = { 0 };
	const int64_t today = 1771309986000; /* Tuesday 2026-02-17 */
	BUF_AUTO svg = BUF_INIT(1024 * 1024), table = BUF_INIT(1024 * 1024);

	for (int i = 0; i < 400; i++) {
		runs[i].at_ms = today - (399 - i) * day_ms;
		runs[i].restored = true;
		runs[i].verified = i != 398;
	}
	calendar_svg(runs, 400, today, &svg);
	/* 51 whole weeks, Monday and Tuesday */
	ck_assert_uint_eq(times(svg.s, "<g class=\"day "), 51 * 7 + 2);
	ck_assert_uint_eq(times(svg.s, "<g class=\"day failed"), 1);
	ck_assert_uint_eq(times(svg.s, "<g class=\"day none"), 0);
	ck_assert_ptr_nonnull(strstr(svg.s, "<title>2026-02-16: not verified</title>"));
	ck_assert_ptr_null(strstr(svg.s, "2026-02-18"));
	calendar_table(runs, 400, &table);
	ck_assert_ptr_nonnull(strstr(table.s, ">2026-02</th><td>16</td><td>1</td><td>0</td>"));
	ck_assert_ptr_nonnull(strstr(table.s, ">2025-12</th><td>31</td><td>0</td><td>0</td>"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("chart");
	TCase *c = tcase_create("chart");

	tcase_add_loop_test(c, step_table, 0, CASES(steps));
	tcase_add_test(c, a_bar_says_what_it_is_made_of);
	tcase_add_test(c, nothing_can_be_drawn);
	tcase_add_loop_test(c, day_table, 0, CASES(days));
	tcase_add_test(c, a_year_of_days);
	suite_add_tcase(s, c);
	return suite_run(s);
}
