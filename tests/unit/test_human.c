#include "lib/base/human.h"

#include "tests/unit/suite.h"

#include <float.h>
#include <math.h>

static const struct {
	uint64_t bytes;
	const char *want;
} bytes[] = {
	{ 0, "0 B" },
	{ 1, "1 B" },
	{ 999, "999 B" },
	{ 1000, "1.0 kB" },
	{ 1549, "1.5 kB" },
	{ 99949, "99.9 kB" },
	{ 99950, "100 kB" },
	{ 999499, "999 kB" },
	{ 999500, "1.0 MB" },
	{ 1000000, "1.0 MB" },
	{ 18200000000, "18.2 GB" },
	{ 180000000000, "180 GB" },
	{ 2500000000000, "2.5 TB" },
	{ 7000000000000000, "7.0 PB" },
	{ UINT64_MAX, "18.4 EB" },
};

START_TEST(bytes_table)
{
	char out[HUMAN_SIZE];

	ck_assert_str_eq(human_bytes(bytes[_i].bytes, out), bytes[_i].want);
}
END_TEST

static const struct {
	double seconds;
	const char *want;
} durations[] = {
	{ 0, "0 s" },
	{ 0.0001, "1 ms" },
	{ 0.012, "12 ms" },
	{ 0.0994, "99 ms" },
	{ 0.0996, "0.1 s" },
	{ 0.8, "0.8 s" },
	{ 0.97, "1 s" },
	{ 1.04, "1 s" },
	{ 1.5, "1.5 s" },
	{ 9.94, "9.9 s" },
	{ 9.96, "10 s" },
	{ 42, "42 s" },
	{ 59.4, "59 s" },
	{ 59.7, "1 min" },
	{ 60, "1 min" },
	{ 61, "1 min 1 s" },
	{ 140, "2 min 20 s" },
	{ 599.4, "9 min 59 s" },
	{ 599.6, "10 min" },
	{ 1140, "19 min" },
	{ 1320, "22 min" },
	{ 1349, "22 min" },
	{ 1351, "23 min" },
	{ 3569, "59 min" },
	{ 3570, "1 h" },
	{ 3600, "1 h" },
	{ 15120, "4 h 12 min" },
	{ 86400, "24 h" },
	{ 93600, "26 h" },
	{ 172740, "47 h 59 min" },
	{ 172780, "2 d" },
	{ 172800, "2 d" },
	{ 273600, "3 d 4 h" },
	{ 604800, "7 d" },
	{ 31536000, "365 d" },
	{ -90, "-1 min 30 s" },
	{ -0.5, "-0.5 s" },
	{ 8.9e15, "103009259259 d 6 h" },
	{ 9.1e15, "?" },
	{ INFINITY, "?" },
	{ -INFINITY, "?" },
	{ NAN, "?" },
};

START_TEST(duration_table)
{
	char out[HUMAN_SIZE];

	ck_assert_str_eq(human_duration(durations[_i].seconds, out), durations[_i].want);
}
END_TEST

static const struct {
	int64_t n;
	const char *want;
} counts[] = {
	{ 0, "0" },
	{ 7, "7" },
	{ 999, "999" },
	{ 1000, "1,000" },
	{ 12345, "12,345" },
	{ 123456, "123,456" },
	{ 2847291, "2,847,291" },
	{ -1, "-1" },
	{ -999, "-999" },
	{ -1000, "-1,000" },
	{ INT64_MAX, "9,223,372,036,854,775,807" },
	{ INT64_MIN, "-9,223,372,036,854,775,808" },
};

START_TEST(count_table)
{
	char out[HUMAN_SIZE];

	ck_assert_str_eq(human_count(counts[_i].n, out), counts[_i].want);
}
END_TEST

static const struct {
	double share;
	const char *want;
} changes[] = {
	{ 0, "0 %" },         { -0.0, "0 %" },
	{ 0.0004, "0 %" },    { -0.0004, "0 %" },
	{ 0.0005, "+0.1 %" }, { 0.004, "+0.4 %" },
	{ -0.004, "-0.4 %" }, { 0.0994, "+9.9 %" },
	{ 0.0996, "+10 %" },  { -0.31, "-31 %" },
	{ -1, "-100 %" },     { 0.2, "+20 %" },
	{ 12, "+1,200 %" },   { 1e12, "+100,000,000,000,000 %" },
	{ DBL_MAX, "?" },     { INFINITY, "?" },
	{ -INFINITY, "?" },   { NAN, "?" },
};

START_TEST(change_table)
{
	char out[HUMAN_SIZE];

	ck_assert_str_eq(human_change(changes[_i].share, out), changes[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("human");
	TCase *c = tcase_create("human");

	tcase_add_loop_test(c, bytes_table, 0, CASES(bytes));
	tcase_add_loop_test(c, duration_table, 0, CASES(durations));
	tcase_add_loop_test(c, count_table, 0, CASES(counts));
	tcase_add_loop_test(c, change_table, 0, CASES(changes));
	suite_add_tcase(s, c);
	return suite_run(s);
}
