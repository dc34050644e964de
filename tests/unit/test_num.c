#include "lib/base/num.h"

#include "tests/unit/suite.h"

enum { REFUSED = -1 };

static const struct {
	const char *in;
	int want;
	uint64_t value;
} sizes[] = {
	{ "0", 0, 0 },
	{ "0.0", 0, 0 },
	{ "1048576", 0, 1048576 },
	{ "7B", 0, 7 },
	{ "1kB", 0, 1000 },
	{ "1KB", 0, 1000 },
	{ "18.2GB", 0, 18200000000 },
	{ "512MiB", 0, 536870912 },
	{ "1.5KiB", 0, 1536 },
	{ "1.3GiB", 0, 1395864371 },
	{ "3TB", 0, 3000000000000 },
	{ "2PB", 0, 2000000000000000 },
	{ "1TiB", 0, 1099511627776 },
	{ "1PiB", 0, 1125899906842624 },
	{ "007MB", 0, 7000000 },
	{ "1.500000000000000000000000000kB", 0, 1500 },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "16383PiB", 0, UINT64_MAX - (1ULL << 50) + 1 },
	{ "18446744073709551616", REFUSED, 0 },
	{ "16384PiB", REFUSED, 0 },
	{ "99999999999999999999999999999999", REFUSED, 0 },
	{ "1.0000000000000000001kB", REFUSED, 0 },
	{ "0.5B", REFUSED, 0 },
	{ "", REFUSED, 0 },
	{ "GB", REFUSED, 0 },
	{ "-1", REFUSED, 0 },
	{ "+1", REFUSED, 0 },
	{ " 1", REFUSED, 0 },
	{ "1 ", REFUSED, 0 },
	{ "1 GB", REFUSED, 0 },
	{ "1.", REFUSED, 0 },
	{ ".5GB", REFUSED, 0 },
	{ "1.2.3GB", REFUSED, 0 },
	{ "1,5GB", REFUSED, 0 },
	{ "0x10", REFUSED, 0 },
	{ "1e3", REFUSED, 0 },
	{ "1G", REFUSED, 0 },
	{ "1gb", REFUSED, 0 },
	{ "1GBB", REFUSED, 0 },
	{ "1EB", REFUSED, 0 },
};

START_TEST(size_table)
{
	struct err e = { 0 };
	uint64_t v = 0;
	int r = num_size(sizes[_i].in, &v, &e);

	ck_assert_msg(r == sizes[_i].want, "'%s' gave %d: %s", sizes[_i].in, r, e.msg);
	ck_assert_uint_eq(v, sizes[_i].value);
	ck_assert_int_eq(e.kind, r == 0 ? ERR_NONE : ERR_USAGE);
}
END_TEST

static const struct {
	const char *in;
	int want;
	uint64_t value;
} durations[] = {
	{ "0", 0, 0 },
	{ "90", 0, 90 },
	{ "90s", 0, 90 },
	{ "15m", 0, 900 },
	{ "26h", 0, 93600 },
	{ "7d", 0, 604800 },
	{ "2w", 0, 1209600 },
	{ "0.5h", 0, 1800 },
	{ "1.5d", 0, 129600 },
	{ "0.1m", 0, 6 },
	{ "0.50m", 0, 30 },
	{ "30500568904943w", 0, 30500568904943ULL * 604800 },
	{ "30500568904944w", REFUSED, 0 },
	{ "0.5", REFUSED, 0 },
	{ "0.01m", REFUSED, 0 },
	{ "1h30m", REFUSED, 0 },
	{ "1H", REFUSED, 0 },
	{ "1min", REFUSED, 0 },
	{ "1y", REFUSED, 0 },
	{ "-1h", REFUSED, 0 },
	{ "", REFUSED, 0 },
	{ "h", REFUSED, 0 },
	{ "1 h", REFUSED, 0 },
	{ "inf", REFUSED, 0 },
	{ "nan", REFUSED, 0 },
};

START_TEST(duration_table)
{
	struct err e = { 0 };
	uint64_t v = 0;
	int r = num_duration(durations[_i].in, &v, &e);

	ck_assert_msg(r == durations[_i].want, "'%s' gave %d: %s", durations[_i].in, r, e.msg);
	ck_assert_uint_eq(v, durations[_i].value);
}
END_TEST

static const struct {
	const char *in;
	int want;
	double value;
} shares[] = {
	{ "0%", 0, 0 },        { "20%", 0, 0.2 },     { "12.5%", 0, 0.125 },
	{ "0.1%", 0, 0.001 },  { "100%", 0, 1 },      { "300%", 0, 3 },
	{ "20", REFUSED, 0 },  { "0.2", REFUSED, 0 }, { "%", REFUSED, 0 },
	{ "-5%", REFUSED, 0 }, { "5%%", REFUSED, 0 }, { "5 %", REFUSED, 0 },
	{ "", REFUSED, 0 },    { "5.%", REFUSED, 0 }, { "99999999999999999999%", REFUSED, 0 },
};

START_TEST(share_table)
{
	struct err e = { 0 };
	double v = 0;
	int r = num_share(shares[_i].in, &v, &e);

	ck_assert_msg(r == shares[_i].want, "'%s' gave %d: %s", shares[_i].in, r, e.msg);
	ck_assert_double_eq_tol(v, shares[_i].value, 1e-15);
}
END_TEST

static const struct {
	const char *in;
	uint64_t lo, hi;
	int want;
	uint64_t value;
} counts[] = {
	{ "0", 0, 10, 0, 0 },
	{ "10", 0, 10, 0, 10 },
	{ "11", 0, 10, REFUSED, 0 },
	{ "4", 5, 10, REFUSED, 0 },
	{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, REFUSED, 0 },
	{ "", 0, 10, REFUSED, 0 },
	{ "1.0", 0, 10, REFUSED, 0 },
	{ "-1", 0, 10, REFUSED, 0 },
	{ "+1", 0, 10, REFUSED, 0 },
	{ "1 ", 0, 10, REFUSED, 0 },
	{ "\t1", 0, 10, REFUSED, 0 },
	{ "1\n", 0, 10, REFUSED, 0 },
};

START_TEST(u64_table)
{
	struct err e = { 0 };
	uint64_t v = 0;
	int r = num_u64(counts[_i].in, counts[_i].lo, counts[_i].hi, &v, &e);

	ck_assert_msg(r == counts[_i].want, "'%s' gave %d: %s", counts[_i].in, r, e.msg);
	ck_assert_uint_eq(v, counts[_i].value);
}
END_TEST

static const struct {
	const char *in;
	int64_t lo, hi;
	int want;
	int64_t value;
} signeds[] = {
	{ "0", -1, 1, 0, 0 },
	{ "-0", -1, 1, 0, 0 },
	{ "-1", -1, 1, 0, -1 },
	{ "-2", -1, 1, REFUSED, 0 },
	{ "2", -1, 1, REFUSED, 0 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, REFUSED, 0 },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
	{ "-9223372036854775809", INT64_MIN, INT64_MAX, REFUSED, 0 },
	{ "--1", -9, 9, REFUSED, 0 },
	{ "-", -9, 9, REFUSED, 0 },
	{ "- 1", -9, 9, REFUSED, 0 },
	{ "", -9, 9, REFUSED, 0 },
	{ "+1", -9, 9, REFUSED, 0 },
};

START_TEST(i64_table)
{
	struct err e = { 0 };
	int64_t v = 0;
	int r = num_i64(signeds[_i].in, signeds[_i].lo, signeds[_i].hi, &v, &e);

	ck_assert_msg(r == signeds[_i].want, "'%s' gave %d: %s", signeds[_i].in, r, e.msg);
	ck_assert_int_eq(v, signeds[_i].value);
}
END_TEST

START_TEST(refusal_says_what_is_accepted)
{
	struct err e = { 0 };
	uint64_t v = 77;
	double share = 77;

	ck_assert_int_eq(num_duration("soon", &v, &e), -1);
	ck_assert_str_eq(e.msg, "'soon' is not a duration in whole seconds; write 90s, 15m, 26h, "
				"7d or 2w");
	ck_assert_int_eq(num_share("20", &share, &e), -1);
	ck_assert_str_eq(e.msg, "'20' is not a share; write it with a percent sign, such as 20%");
	ck_assert_int_eq(num_u64("x", 1, 9, &v, &e), -1);
	ck_assert_str_eq(e.msg, "'x' is not a whole number from 1 to 9");
	ck_assert_uint_eq(v, 77);
	ck_assert_double_eq_tol(share, 77, 1e-9);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("num");
	TCase *c = tcase_create("num");

	tcase_add_loop_test(c, size_table, 0, CASES(sizes));
	tcase_add_loop_test(c, duration_table, 0, CASES(durations));
	tcase_add_loop_test(c, share_table, 0, CASES(shares));
	tcase_add_loop_test(c, u64_table, 0, CASES(counts));
	tcase_add_loop_test(c, i64_table, 0, CASES(signeds));
	tcase_add_test(c, refusal_says_what_is_accepted);
	suite_add_tcase(s, c);
	return suite_run(s);
}
