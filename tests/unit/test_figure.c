#include "lib/report/figure.h"

#include "tests/unit/suite.h"

#include <math.h>

static const struct {
	double value;
	const char *unit, *want;
} values[] = {
	{ 1320, "s", "22 min" },
	{ -90, "s", "-1 min 30 s" },
	{ 0, "B", "0 B" },
	{ 18200000000, "B", "18.2 GB" },
	{ -1500, "B", "-1.5 kB" },
	{ 1e20, "B", "1e+20 B" },
	{ 8412056, "rows", "8,412,056 rows" },
	{ 14, "", "14" },
	{ 0.5, "", "0.5" },
	{ 1e300, "", "1e+300" },
	{ 0.004, "ratio", "0.4 %" },
	{ -0.2, "ratio", "-20 %" },
	{ 3, "odd\nunit", "3 odd?unit" },
	{ NAN, "s", "?" },
	{ INFINITY, "rows", "?" },
};

START_TEST(value_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	figure_value(&b, values[_i].value, values[_i].unit);
	ck_assert_str_eq(b.s, values[_i].want);
}
END_TEST

static const struct {
	const char *range, *unit, *want;
} ranges[] = {
	{ "1800", "s", "at most 30 min" },
	{ "0", "rows", "at most 0 rows" },
	{ "-0.2:", "ratio", "at least -20 %" },
	{ "~:10", "", "at most 10" },
	{ "10:20", "B", "10 B to 20 B" },
	{ "-5:5", "", "-5 to 5" },
	{ "@10:20", "s", "not 10 s to 20 s" },
	{ "@5", "", "not at most 5" },
	{ "~:", "s", "anything" },
	{ "a\x1blot", "s", "a?lot" },
	{ "1e3", "s", "1e3" },
};

START_TEST(range_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	figure_range(&b, ranges[_i].range, ranges[_i].unit);
	ck_assert_str_eq(b.s, ranges[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("figure");
	TCase *c = tcase_create("figure");

	tcase_add_loop_test(c, value_table, 0, CASES(values));
	tcase_add_loop_test(c, range_table, 0, CASES(ranges));
	suite_add_tcase(s, c);
	return suite_run(s);
}
