#include "lib/base/utc.h"

#include "tests/unit/suite.h"

#include <string.h>
#include <time.h>

/* 2026-02-17T01:58:42Z, the moment of most cases. */
#define THEN 1771293522000LL
#define DAY_MS 86400000LL

static const struct {
	int64_t ms;
	const char *rfc3339;
	const char *human;
} formats[] = {
	{ 0, "1970-01-01T00:00:00.000Z", "1970-01-01 00:00:00 UTC" },
	{ -1, "1969-12-31T23:59:59.999Z", "1969-12-31 23:59:59 UTC" },
	{ THEN + 113, "2026-02-17T01:58:42.113Z", "2026-02-17 01:58:42 UTC" },
	{ 951782400000, "2000-02-29T00:00:00.000Z", "2000-02-29 00:00:00 UTC" },
	{ 951868799999, "2000-02-29T23:59:59.999Z", "2000-02-29 23:59:59 UTC" },
	{ 1709251199000, "2024-02-29T23:59:59.000Z", "2024-02-29 23:59:59 UTC" },
	{ -2203977600000, "1900-02-28T00:00:00.000Z", "1900-02-28 00:00:00 UTC" },
	{ -2203891200000, "1900-03-01T00:00:00.000Z", "1900-03-01 00:00:00 UTC" },
	{ 4107542400000, "2100-03-01T00:00:00.000Z", "2100-03-01 00:00:00 UTC" },
	{ 2147483648000, "2038-01-19T03:14:08.000Z", "2038-01-19 03:14:08 UTC" },
	{ -62167219200000, "0000-01-01T00:00:00.000Z", "0000-01-01 00:00:00 UTC" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59 UTC" },
	{ 253402300800000, "9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59 UTC" },
	{ INT64_MAX, "9999-12-31T23:59:59.999Z", "9999-12-31 23:59:59 UTC" },
	{ INT64_MIN, "0000-01-01T00:00:00.000Z", "0000-01-01 00:00:00 UTC" },
};

START_TEST(format_table)
{
	char out[UTC_SIZE];

	ck_assert_str_eq(utc_format(formats[_i].ms, out), formats[_i].rfc3339);
	ck_assert_str_eq(utc_human(formats[_i].ms, out), formats[_i].human);
}
END_TEST

static const struct {
	int64_t ms;
	const char *http;
} http_formats[] = {
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
	{ -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
	{ THEN + 113, "Tue, 17 Feb 2026 01:58:42 GMT" },
	{ 951782400000, "Tue, 29 Feb 2000 00:00:00 GMT" },
	{ 1764547199000, "Sun, 30 Nov 2025 23:59:59 GMT" },
	{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
	{ INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
};

START_TEST(format_http)
{
	char out[UTC_SIZE];

	ck_assert_str_eq(utc_format_http(http_formats[_i].ms, out), http_formats[_i].http);
}
END_TEST

static const struct {
	const char *in;
	int64_t ms;
} moments[] = {
	{ "2026-02-17T01:58:42Z", THEN },
	{ "2026-02-17t01:58:42z", THEN },
	{ "2026-02-17 01:58:42Z", THEN },
	{ "2026-02-17 01:58:42+00", THEN },
	{ "2026-02-17 01:58:42-00:00", THEN },
	{ "2026-02-17 03:58:42+02", THEN },
	{ "2026-02-17 03:58:42+0200", THEN },
	{ "2026-02-17T03:58:42+02:00", THEN },
	{ "2026-02-17 07:28:42+05:30", THEN },
	{ "2026-02-16 18:28:42-07:30", THEN },
	{ "2026-02-17 15:58:42+14", THEN },
	{ "2026-02-16 13:58:42-12", THEN },
	{ "2026-02-17 02:52:10+00:53:28", THEN },
	{ "2026-02-17 01:58:42.1+00", THEN + 100 },
	{ "2026-02-17 01:58:42.113+00", THEN + 113 },
	{ "2026-02-17 01:58:42.113999+00", THEN + 113 },
	{ "2026-02-17 01:58:42.000001+00", THEN },
	{ "2026-02-17T01:58:42.113456789012345678901Z", THEN + 113 },
	{ "2026-02-17T01:58:42.0Z", THEN },
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31 23:59:59.5+00", -500 },
	{ "2016-12-31T23:59:60Z", 1483228800000 },
	{ "2000-02-29T00:00:00Z", 951782400000 },
	{ "2026-03-29T02:30:00+01:00", 1774747800000 },
	{ "2026-03-29T02:30:00+02:00", 1774744200000 },
	{ "0000-01-01T00:00:00Z", -62167219200000 },
	{ "9999-12-31T23:59:59.999999Z", 253402300799999 },
};

START_TEST(parse_table)
{
	int64_t ms = -12345;

	ck_assert_msg(utc_parse(moments[_i].in, &ms), "'%s' was refused", moments[_i].in);
	ck_assert_int_eq(ms, moments[_i].ms);
}
END_TEST

static const char *const no_moments[] = {
	"",
	"now",
	"2026-02-17",
	"2026-02-17T01:58:42",
	"2026-02-17 01:58:42.123",
	"2026-02-17T01:58Z",
	"2026-02-17T01:58:42 Z",
	"2026-02-17T01:58:42Z ",
	" 2026-02-17T01:58:42Z",
	"2026-02-17  01:58:42Z",
	"2026-02-17T01:58:42.Z",
	"2026-02-17T01:58:42,5Z",
	"2026-02-17T1:58:42Z",
	"2026-2-17T01:58:42Z",
	"26-02-17T01:58:42Z",
	"20260217T015842Z",
	"2026-13-01T00:00:00Z",
	"2026-00-01T00:00:00Z",
	"2026-02-00T00:00:00Z",
	"2026-02-29T00:00:00Z",
	"1900-02-29T00:00:00Z",
	"2026-04-31T00:00:00Z",
	"2026-02-17T24:00:00Z",
	"2026-02-17T23:60:00Z",
	"2026-02-17T23:59:61Z",
	"2026-02-17T01:58:42+",
	"2026-02-17T01:58:42+2",
	"2026-02-17T01:58:42+020",
	"2026-02-17T01:58:42+02:0",
	"2026-02-17T01:58:42+02:60",
	"2026-02-17T01:58:42+02:00:60",
	"2026-02-17T01:58:42+16",
	"2026-02-17T01:58:42 UTC",
	"2026-02-17T01:58:42+02Z",
	"10000-01-01T00:00:00Z",
	"10000-01-01 00:00:00+00",
	"9999-12-31T23:59:59-01",
	"0000-01-01T00:00:00+01",
	"-0001-01-01T00:00:00Z",
	"0044-03-15 00:00:00+00 BC",
	"infinity",
	"-infinity",
	"2026-02-17T01:58:42\xef\xbc\xba",
};

START_TEST(parse_refuses)
{
	int64_t ms = 77;

	ck_assert_msg(!utc_parse(no_moments[_i], &ms), "'%s' was taken", no_moments[_i]);
	ck_assert_int_eq(ms, 77);
}
END_TEST

/* Every day of 800 years, there and back: the calendar has no gap and no double day. */
START_TEST(every_day_round_trips)
{
	char out[UTC_SIZE], last[UTC_SIZE] = "";
	int64_t ms;

	for (int64_t t = -11644473600000; t < 13601088000000; t += DAY_MS) {
		ck_assert(utc_parse(utc_format(t, out), &ms));
		ck_assert_int_eq(ms, t);
		ck_assert_msg(strcmp(out, last) > 0, "%s comes after %s", out, last);
		memcpy(last, out, sizeof(last));
	}
	ck_assert_str_eq(last, "2400-12-31T00:00:00.000Z");
}
END_TEST

static const struct {
	const char *in;
	bool want;
	int64_t ms;
} http_dates[] = {
	{ "Tue, 17 Feb 2026 01:58:42 GMT", true, THEN },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777000 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", true, 0 },
	{ "Sat, 31 Dec 2016 23:59:60 GMT", true, 1483228800000 },
	{ "Tue, 17 Feb 2026 01:58:42 UTC", false, 0 },
	{ "Tue, 17 Feb 2026 01:58:42 +0000", false, 0 },
	{ "Tue, 17 feb 2026 01:58:42 GMT", false, 0 },
	{ "Die, 17 Feb 2026 01:58:42 GMT", false, 0 },
	{ "Tue, 17 Foo 2026 01:58:42 GMT", false, 0 },
	{ "Tue, 7 Feb 2026 01:58:42 GMT", false, 0 },
	{ "Mon, 30 Feb 2026 01:58:42 GMT", false, 0 },
	{ "Tue, 17 Feb 2026 24:58:42 GMT", false, 0 },
	{ "Tue, 17 Feb 2026 01:58:42 GMT ", false, 0 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", false, 0 },
	{ "Sun Nov  6 08:49:37 1994", false, 0 },
	{ "", false, 0 },
	{ "Tue", false, 0 },
};

START_TEST(http_table)
{
	int64_t ms = 0;

	ck_assert_msg(utc_parse_http(http_dates[_i].in, &ms) == http_dates[_i].want, "'%s'",
		      http_dates[_i].in);
	ck_assert_int_eq(ms, http_dates[_i].ms);
}
END_TEST

enum carries { NOTHING, DAY, MINUTE, SECOND };

static const struct {
	const char *name;
	enum carries what;
} names[] = {
	{ "shop-20260217.dump", DAY },
	{ "shop20260217.dump", DAY },
	{ "20260217", DAY },
	{ "shop-2026-02-17.sql.gz", DAY },
	{ "shop_2026_02_17.sql", DAY },
	{ "shop.2026.02.17.sql", DAY },
	{ "2026/02/17/shop.dump", DAY },
	{ "shop-2026-02-17-pg15.dump", DAY },
	{ "shop-20260217-1.dump", DAY },
	{ "shop-20260217-12.dump", DAY },
	{ "shop-20260217-123.dump", DAY },
	{ "shop-20260217_8412.dump", DAY },
	{ "shop-20260217_1234567.dump", DAY },
	{ "shop-20260217_2460.dump", DAY },
	{ "shop-20260217_015842.dump", SECOND },
	{ "shop-20260217-015842F", SECOND },
	{ "20260216-015842F_20260217-015842I", SECOND },
	{ "20260217T015842", SECOND },
	{ "shop-20260217015842.dump", SECOND },
	{ "shop-20260217T015842Z.dump", SECOND },
	{ "shop-2026-02-17T01-58-42Z.tar", SECOND },
	{ "shop-2026-02-17T01:58:42.113Z.tar", SECOND },
	{ "shop 2026-02-17 01:58:42.sql", SECOND },
	{ "shop_2026-02-17__01_58_42.sql", SECOND },
	{ "2026-02-17/015842/shop.dump", SECOND },
	{ "shop-2026-02-17_01.58", MINUTE },
	{ "shop-2026-02-17_01-58.dump", MINUTE },
	{ "shop-20260217_0158.dump", MINUTE },
	{ "shop-202602170158.dump", MINUTE },
	{ "shop-2026-02-17_0158-3.dump", MINUTE },
	{ "v20200101-20260217_015842-full", SECOND },
	{ "from-2020-01-01-to-2026-02-17.dump", DAY },
	{ "2026-02-16-2026-02-17.dump", DAY },
	{ "2026-02-16_2026-02-17_015842.dump", SECOND },
	{ "20200101_010101-20260217.dump", DAY },
	{ "99999999-20260217.dump", DAY },
	{ "99999999-2026-02-17.dump", DAY },
	{ "", NOTHING },
	{ "shop.dump", NOTHING },
	{ "shop-2026.dump", NOTHING },
	{ "shop-2026-02.dump", NOTHING },
	{ "shop-20261317.dump", NOTHING },
	{ "shop-20260229.dump", NOTHING },
	{ "shop-2026-02-30.dump", NOTHING },
	{ "shop-2026-0217.dump", NOTHING },
	{ "shop-2026-02_17.dump", NOTHING },
	{ "shop-120260217.dump", NOTHING },
	{ "shop-202602171.dump", NOTHING },
	{ "shop-1771293522.dump", NOTHING },
	{ "00000001000000000000002A", NOTHING },
	{ "shop-18991231.dump", NOTHING },
	{ "shop-260217.dump", NOTHING },
	{ "shop-17-02-2026.dump", NOTHING },
};

START_TEST(name_table)
{
	static const int64_t moment[] = {
		[DAY] = THEN - 7122000, [MINUTE] = THEN - 42000, [SECOND] = THEN
	};
	const enum carries what = names[_i].what;
	char out[UTC_SIZE];
	bool exact = false;
	int64_t ms = 0;

	ck_assert_msg(utc_from_name(names[_i].name, &ms, &exact) == (what != NOTHING), "'%s'",
		      names[_i].name);
	if (what == NOTHING)
		return;
	ck_assert_msg(ms == moment[what], "'%s' gave %s", names[_i].name, utc_format(ms, out));
	ck_assert_msg(exact == (what != DAY), "'%s'", names[_i].name);
}
END_TEST

START_TEST(now_can_be_set)
{
	const int64_t real = utc_now_ms();

	ck_assert_int_ge(real, THEN);
	ck_assert_int_le(llabs(real / 1000 - (int64_t)time(NULL)), 2);
	utc_set_now(THEN);
	ck_assert_int_eq(utc_now_ms(), THEN);
}
END_TEST

START_TEST(monotonic_moves_forward)
{
	const int64_t before = mono_ms();
	const struct timespec nap = { .tv_nsec = 20000000 };

	(void)nanosleep(&nap, NULL);
	ck_assert_int_ge(mono_ms(), before + 19);
}
END_TEST

/* The night of the change to summer time in a zone that has one. */
START_TEST(zone_of_the_process_does_not_matter)
{
	char out[UTC_SIZE];
	int64_t ms = 0;

	ck_assert_int_eq(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	ck_assert(utc_parse("2026-03-08T02:30:00Z", &ms));
	ck_assert_int_eq(ms, 1772937000000);
	ck_assert_str_eq(utc_human(ms, out), "2026-03-08 02:30:00 UTC");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("utc");
	TCase *c = tcase_create("utc");

	tcase_add_loop_test(c, format_table, 0, CASES(formats));
	tcase_add_loop_test(c, format_http, 0, CASES(http_formats));
	tcase_add_loop_test(c, parse_table, 0, CASES(moments));
	tcase_add_loop_test(c, parse_refuses, 0, CASES(no_moments));
	tcase_add_test(c, every_day_round_trips);
	tcase_add_loop_test(c, http_table, 0, CASES(http_dates));
	tcase_add_loop_test(c, name_table, 0, CASES(names));
	tcase_add_test(c, monotonic_moves_forward);
	tcase_add_test(c, zone_of_the_process_does_not_matter);
	tcase_add_test(c, now_can_be_set);
	suite_add_tcase(s, c);
	return suite_run(s);
}
