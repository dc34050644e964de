#include "lib/base/check.h"
#include "lib/base/record.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdlib.h>

START_TEST(a_check_on_which_nothing_was_said_is_unknown)
{
	struct check c;

	check_init(&c, "a", "");
	ck_assert_int_eq(c.status, V_UNKNOWN);
	ck_assert_str_eq(record_text(c.object, "status"), "unknown");
	check_drop(&c);
}
END_TEST

static const struct {
	enum verdict first, second, status;
	const char *summary;
} said[] = {
	{ V_OK, V_OK, V_OK, "one; two" },
	{ V_OK, V_WARNING, V_WARNING, "two" },
	{ V_WARNING, V_OK, V_WARNING, "one" },
	{ V_UNKNOWN, V_WARNING, V_UNKNOWN, "one" },
	{ V_UNKNOWN, V_CRITICAL, V_CRITICAL, "two" },
	{ V_CRITICAL, V_UNKNOWN, V_CRITICAL, "one" },
	{ V_CRITICAL, V_CRITICAL, V_CRITICAL, "one; two" },
};

START_TEST(the_worst_finding_stays)
{
	struct check c;

	check_init(&c, "a", "b");
	check_say(&c, said[_i].first, "one");
	check_say(&c, said[_i].second, "two");
	ck_assert_int_eq(c.status, said[_i].status);
	ck_assert_str_eq(record_text(c.object, "summary"), said[_i].summary);
	ck_assert_str_eq(record_text(c.object, "status"), verdict_name(said[_i].status));
	check_drop(&c);
}
END_TEST

START_TEST(a_figure_that_json_cannot_hold_is_left_out)
{
	struct check c;

	check_init(&c, "a", "");
	check_metric_real(&c, "nan", NAN, "s");
	check_metric_real(&c, "inf", INFINITY, "s");
	ck_assert_ptr_null(c.metrics);
	check_metric_int(&c, "n", INT64_MAX, "rows");
	ck_assert_uint_eq(json_array_size(c.metrics), 1);
	check_drop(&c);
}
END_TEST

START_TEST(ranges_judge_the_last_metric)
{
	struct range warn = { 0 }, crit = { 0 };
	struct err e = { 0 };
	struct check c;

	ck_assert_int_eq(range_parse("10", &warn, &e), 0);
	ck_assert_int_eq(range_parse("20", &crit, &e), 0);
	check_init(&c, "a", "");
	check_say(&c, V_OK, "fine");
	check_metric_real(&c, "age", 15, "s");
	check_ranges(&c, &warn, &crit, 15);
	ck_assert_int_eq(c.status, V_WARNING);
	ck_assert_str_eq(record_text(json_array_get(c.metrics, 0), "crit"), "20");
	check_drop(&c);
}
END_TEST

START_TEST(the_largest_check_is_still_a_record)
{
	char *big = malloc(100001);
	struct check c;
	char *line;

	ck_assert_ptr_nonnull(big);
	memset(big, '\x01', 100000); /* six bytes each as JSON */
	big[100000] = '\0';
	check_init(&c, big, big);
	for (int i = 0; i < 20; i++)
		check_say(&c, V_CRITICAL, "%s", big);
	check_observed_text(&c, "x");
	check_expected_text(&c, "y");
	line = record_print(c.object, RECORD_MAX);
	ck_assert_ptr_nonnull(line);
	free(line);
	free(big);
	check_drop(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("check");
	TCase *c = tcase_create("check");

	tcase_add_test(c, a_check_on_which_nothing_was_said_is_unknown);
	tcase_add_loop_test(c, the_worst_finding_stays, 0, CASES(said));
	tcase_add_test(c, a_figure_that_json_cannot_hold_is_left_out);
	tcase_add_test(c, ranges_judge_the_last_metric);
	tcase_add_test(c, the_largest_check_is_still_a_record);
	suite_add_tcase(s, c);
	return suite_run(s);
}
