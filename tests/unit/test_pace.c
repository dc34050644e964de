#include "lib/storage/pace.h"
#include "tests/unit/suite.h"

/* 1000 bytes a second: what comes too fast waits, and a pause is not saved up for later. */
static const struct {
	int64_t now_us;
	size_t n;
	int64_t wait_us;
} steps[] = {
	{ 1000000, 100, 0 },      { 1000000, 100, 100000 }, { 1000000, 1000, 1100000 },
	{ 2100000, 100, 100000 }, { 9000000, 100, 0 },      { 9000000, 100, 100000 },
};

START_TEST(limited)
{
	struct pace p;

	pace_begin(&p, 1000);
	for (int i = 0; i < CASES(steps); i++)
		ck_assert_int_eq(pace_ahead_us(&p, steps[i].n, steps[i].now_us), steps[i].wait_us);
	pace_end(&p);
}
END_TEST

START_TEST(unlimited)
{
	struct pace p;

	pace_begin(&p, 0);
	ck_assert_int_eq(pace_ahead_us(&p, 1000000, 0), 0);
	pace_wait(&p, 1000000, NULL);
	pace_end(&p);
}
END_TEST

START_TEST(stopped)
{
	const volatile sig_atomic_t stop = 1;
	struct pace p;

	pace_begin(&p, 1);
	pace_wait(&p, 1000000, &stop);
	pace_end(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pace");
	TCase *c = tcase_create("pace");

	tcase_add_test(c, limited);
	tcase_add_test(c, unlimited);
	tcase_add_test(c, stopped);
	suite_add_tcase(s, c);
	return suite_run(s);
}
