#include "lib/base/schedule.h"

#include "tests/unit/suite.h"

static const struct {
	int64_t at_ms[6];
	size_t n;
	bool known;
	int64_t interval_ms;
} cases[] = {
	{ { 0 }, 0, false, 0 },
	{ { 10, 20 }, 2, false, 0 },
	{ { 10, 20, 20 }, 3, false, 0 }, /* one of them was seen twice */
	{ { 10, 20, 30 }, 3, true, 10 },
	{ { 30, 10, 20 }, 3, true, 10 },
	{ { 0, 10, 20, 30, 400, 410 }, 6, true, 10 }, /* a week of holidays is no schedule */
	{ { 0, 24, 48, 72, 73, 96 }, 6, true, 24 },   /* nor is one by hand */
};

START_TEST(case_table)
{
	struct schedule s = { 0 };
	int64_t got = 0;

	for (size_t i = 0; i < cases[_i].n; i++)
		schedule_add(&s, cases[_i].at_ms[i]);
	ck_assert_int_eq(schedule_interval(&s, &got), cases[_i].known);
	ck_assert_int_eq(got, cases[_i].interval_ms);
	schedule_free(&s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("schedule");
	TCase *c = tcase_create("schedule");

	tcase_add_loop_test(c, case_table, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
