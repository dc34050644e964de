#include "lib/base/range.h"

#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *range;
	double value;
	bool alerts;
} cases[] = {
	{ "10", 0, false },        { "10", 10, false },
	{ "10", 10.001, true },    { "10", -0.001, true },
	{ "0", 0, false },         { "0", 1, true },
	{ "0:", 0, false },        { "0:", -1, true },
	{ "0:", INFINITY, false }, { "10:", 10, false },
	{ "10:", 9.99, true },     { "10:", 1e300, false },
	{ "~:10", 10, false },     { "~:10", -INFINITY, false },
	{ "~:10", 10.5, true },    { "10:20", 10, false },
	{ "10:20", 20, false },    { "10:20", 9.9, true },
	{ "10:20", 20.1, true },   { "@10:20", 10, true },
	{ "@10:20", 15, true },    { "@10:20", 20, true },
	{ "@10:20", 9.9, false },  { "@10:20", 20.1, false },
	{ "@10", 0, true },        { "@10", 11, false },
	{ "~:", 1e300, false },    { "~:", -INFINITY, false },
	{ "@~:", 3, true },        { "-5:5", -5, false },
	{ "-5:5", -6, true },      { "-20:-10", -15, false },
	{ "-20:-10", 0, true },    { "-0.2:", -0.2, false },
	{ "-0.2:", -0.21, true },  { "1.5:2.5", 2, false },
	{ "5:5", 5, false },       { "5:5", 5.1, true },
	{ "10", NAN, true },       { "@10", NAN, true },
	{ "~:", NAN, true },
};

START_TEST(alerts_as_the_guidelines_say)
{
	struct range r;
	struct err e = { 0 };

	ck_assert_msg(range_parse(cases[_i].range, &r, &e) == 0, "%s", e.msg);
	ck_assert(r.set);
	ck_assert_str_eq(r.text, cases[_i].range);
	ck_assert_msg(range_alerts(&r, cases[_i].value) == cases[_i].alerts, "%s of %g",
		      cases[_i].range, cases[_i].value);
}
END_TEST

static const char *const bad[] = {
	"",     "@",   ":",   ":10",  "@:10",   "x",     "10x",  "10 ", " 10",  "20:10",  "-1",
	"10:~", "~",   "~10", "~~:1", "1:2:3",  "1e3",   "0x10", "inf", "nan",  "+5",     "1.",
	".5",   "1,5", "--1", "@@10", "10:20%", "10:-5", "10%",  "26h", "1:\n", "10:20:",
};

START_TEST(refuses)
{
	struct range r = { .set = false };
	struct err e = { 0 };

	ck_assert_msg(range_parse(bad[_i], &r, &e) == -1, "'%s' was taken", bad[_i]);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert(!r.set);
}
END_TEST

START_TEST(refuses_what_does_not_fit)
{
	struct range r;
	struct err e = { 0 };
	char s[RANGE_SIZE + 1];
	char huge[400];

	memset(s, '1', sizeof(s));
	s[RANGE_SIZE - 1] = '\0';
	ck_assert_int_eq(range_parse(s, &r, &e), 0);
	s[RANGE_SIZE - 1] = '1';
	s[RANGE_SIZE] = '\0';
	ck_assert_int_eq(range_parse(s, &r, &e), -1);
	memset(huge, '9', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	ck_assert_int_eq(range_parse(huge, &r, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "[@][START:]END"));
}
END_TEST

static const struct {
	const char *warn, *crit;
	double value;
	enum verdict want;
} judged[] = {
	{ "10", "20", 5, V_OK },        { "10", "20", 15, V_WARNING },
	{ "10", "20", 25, V_CRITICAL }, { NULL, "20", 15, V_OK },
	{ NULL, "20", 25, V_CRITICAL }, { "10", NULL, 25, V_WARNING },
	{ NULL, NULL, 25, V_OK },       { NULL, NULL, NAN, V_OK },
	{ "10", NULL, NAN, V_UNKNOWN }, { NULL, "10", NAN, V_UNKNOWN },
	{ "20", "10", 15, V_CRITICAL },
};

START_TEST(judges)
{
	struct range warn = { .set = false }, crit = { .set = false };
	struct err e = { 0 };

	if (judged[_i].warn)
		ck_assert_int_eq(range_parse(judged[_i].warn, &warn, &e), 0);
	if (judged[_i].crit)
		ck_assert_int_eq(range_parse(judged[_i].crit, &crit, &e), 0);
	ck_assert_int_eq(range_judge(&warn, &crit, judged[_i].value), judged[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("range");
	TCase *c = tcase_create("range");

	tcase_add_loop_test(c, alerts_as_the_guidelines_say, 0, CASES(cases));
	tcase_add_loop_test(c, refuses, 0, CASES(bad));
	tcase_add_test(c, refuses_what_does_not_fit);
	tcase_add_loop_test(c, judges, 0, CASES(judged));
	suite_add_tcase(s, c);
	return suite_run(s);
}
