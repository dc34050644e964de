#include "lib/net/retry.h"

#include "tests/unit/suite.h"

static struct retry fresh(int64_t deadline_ms)
{
	struct retry r;

	retry_begin(&r, deadline_ms);
	return r;
}

START_TEST(doubles_with_jitter_up_to_a_ceiling)
{
	static const int64_t whole[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
	struct retry low = fresh(INT64_MAX), high = low;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		uint64_t half = (uint64_t)whole[i] / 2;

		ck_assert_int_eq(retry_wait_ms(&low, 0, -1, 0), whole[i] / 2);
		ck_assert_int_eq(retry_wait_ms(&high, 0, -1, half), whole[i]);
	}
	/* The eighth try was the last. */
	ck_assert_int_eq(retry_wait_ms(&low, 0, -1, 0), -1);
}
END_TEST

START_TEST(stays_between_half_and_whole)
{
	for (uint64_t random = 0; random < 5000; random += 7) {
		struct retry r = fresh(INT64_MAX);
		int64_t wait = retry_wait_ms(&r, 0, -1, random);

		ck_assert_int_ge(wait, RETRY_FIRST_MS / 2);
		ck_assert_int_le(wait, RETRY_FIRST_MS);
	}
}
END_TEST

static const struct {
	int64_t deadline_ms, now_ms, asked_ms;
	uint64_t random;
	int64_t want;
} waits[] = {
	{ 10000, 0, 3000, 0, 3000 },                           /* what was asked for, at least */
	{ 10000, 0, 3000, 300, 3300 },                         /* and a tenth at most */
	{ 10000, 0, 3000, 301, 3000 },  { 10000, 0, 0, 0, 0 }, /* "now" */
	{ 10000, 0, 10000, 0, -1 },                            /* would end at the deadline */
	{ 10000, 0, 9999, 999, -1 },                           /* with its jitter it would */
	{ 10000, 0, INT64_MAX, 0, -1 },                        /* a service gone mad */
	{ 10000, 10000, -1, 0, -1 },                           /* the time is up */
	{ 10000, 20000, -1, 0, -1 },    { 10000, 9700, -1, 0, -1 }, /* 500 ms do not fit into 300 */
	{ 10000, 9400, -1, 0, 500 },
};

START_TEST(wait_table)
{
	struct retry r = fresh(waits[_i].deadline_ms);

	ck_assert_int_eq(retry_wait_ms(&r, waits[_i].now_ms, waits[_i].asked_ms, waits[_i].random),
			 waits[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("retry");
	TCase *c = tcase_create("retry");

	tcase_add_test(c, doubles_with_jitter_up_to_a_ceiling);
	tcase_add_test(c, stays_between_half_and_whole);
	tcase_add_loop_test(c, wait_table, 0, CASES(waits));
	suite_add_tcase(s, c);
	return suite_run(s);
}
