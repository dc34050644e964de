#include "lib/alert/letter.h"

#include "lib/base/utf8.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct alert alert_of(enum alert_kind kind, enum verdict v, const json_t *failing,
			     const json_t *checks)
{
	return (struct alert){ .kind = kind,
			       .topic = "",
			       .verdict = v,
			       .headline = "shop: the headline",
			       .label = "shop",
			       .run = "01JDRUN",
			       .host = "verify1",
			       .at_ms = 1771308700113,
			       .failing = failing,
			       .checks = checks };
}

static const struct {
	enum alert_kind kind;
	enum verdict verdict;
	int64_t since_s; /* before the alert; 0: none */
	const char *want;
} subjects[] = {
	{ ALERT_TRIGGER, V_CRITICAL, 0, "CRITICAL: shop: 1 of 2 checks did not pass" },
	{ ALERT_REMINDER, V_WARNING, 93600,
	  "Still WARNING: shop: 1 of 2 checks did not pass; failing since "
	  "2026-02-16 04:11:40 UTC (26 h)" },
	{ ALERT_TRIGGER, V_CRITICAL, 59, "CRITICAL: shop: 1 of 2 checks did not pass" },
	{ ALERT_TEST, V_OK, 0, "Test alert: shop" },
};

START_TEST(subject_table)
{
	json_t *checks = json_of("[{'check':'a','status':'critical'},{'check':'b','status':'ok'}]");
	struct alert a = alert_of(subjects[_i].kind, subjects[_i].verdict, checks, checks);
	BUF_AUTO out = BUF_INIT(1000);

	if (subjects[_i].since_s)
		a.since_ms = a.at_ms - subjects[_i].since_s * 1000;
	letter_subject(&out, &a);
	ck_assert_str_eq(out.s, subjects[_i].want);
	json_decref(checks);
}
END_TEST

START_TEST(a_recovery_counts_what_passed)
{
	json_t *checks = json_of("[{'check':'a','status':'ok'}]"), *none = json_array();
	struct alert a = alert_of(ALERT_RESOLVE, V_OK, none, checks);
	BUF_AUTO out = BUF_INIT(1000);

	letter_subject(&out, &a);
	ck_assert_str_eq(out.s, "Recovered: shop: 1 of 1 checks passed");
	json_decref(checks);
	json_decref(none);
}
END_TEST

START_TEST(a_subject_is_one_short_line)
{
	json_t *none = json_array();
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, none, none);
	BUF_AUTO label = BUF_INIT(10000), out = BUF_INIT(1000);

	for (int i = 0; i < 500; i++)
		buf_adds(&label, "\xc3\xa4\r\n");
	a.label = label.s;
	letter_subject(&out, &a);
	ck_assert_ptr_null(strpbrk(out.s, "\r\n"));
	ck_assert_uint_le(utf8_count(out.s), 150);
	json_decref(none);
}
END_TEST

START_TEST(the_text)
{
	json_t *failing = json_of("[{'check':'row-count','subject':'public.a','status':'critical',"
				  "'summary':'12 rows\\nare missing'}]");
	json_t *checks = json_of("[{'check':'row-count','subject':'public.a','status':'critical'},"
				 "{'check':'verified-rto','subject':'','status':'ok',"
				 "'summary':'22 min (target 30 min)'},"
				 "{'check':'restore','status':'ok','summary':'no error'}]");
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, failing, checks);
	BUF_AUTO out = BUF_INIT(10000);

	a.report_url = "https://r/";
	a.runbook_url = "https://b/";
	letter_text(&out, &a);
	ck_assert_str_eq(out.s, "CRITICAL: shop\n"
				"\n"
				"1 of 3 checks did not pass\n"
				"\n"
				"OK       Verified RTO: 22 min (target 30 min)\n"
				"\n"
				"Did not pass\n"
				"\n"
				"CRITICAL Row count public.a: 12 rows?are missing\n"
				"\n"
				"Passed\n"
				"\n"
				"OK       Restore: no error\n"
				"\n"
				"Report:  https://r/\n"
				"Runbook: https://b/\n"
				"\n"
				"2026-02-17 06:11:40 UTC, verify1, run 01JDRUN\n");
	json_decref(failing);
	json_decref(checks);
}
END_TEST

START_TEST(html_is_only_ours)
{
	json_t *checks = json_of("[{'check':'<b>','subject':'<script>alert(1)</script>',"
				 "'status':'critical','summary':'a & b <img src=x> \\u202e'}]");
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, checks, checks);
	BUF_AUTO out = BUF_INIT(100000);

	a.label = "<i>shop</i>";
	a.host = "\"><i>";
	a.run = "<i>";
	a.report_url = "https://r/?a=1&b=\"onclick=\"x";
	a.runbook_url = "javascript:alert(1)";
	letter_html(&out, &a);
	ck_assert_ptr_null(strstr(out.s, "<i>"));
	ck_assert_ptr_null(strstr(out.s, "<script"));
	ck_assert_ptr_null(strstr(out.s, "<img"));
	ck_assert_ptr_null(strstr(out.s, "javascript"));
	ck_assert_ptr_null(strstr(out.s, "\xe2\x80\xae"));
	ck_assert_ptr_nonnull(strstr(out.s, "a &amp; b &lt;img src=x&gt; ?"));
	ck_assert_ptr_nonnull(strstr(out.s, "href=\"https://r/?a=1&amp;b=&quot;onclick=&quot;x\""));
	json_decref(checks);
}
END_TEST

START_TEST(a_test_lists_no_checks)
{
	json_t *checks = json_of("[{'check':'alert-test','status':'ok','summary':'x'}]");
	struct alert a = alert_of(ALERT_TEST, V_OK, checks, checks);
	BUF_AUTO text = BUF_INIT(10000), html = BUF_INIT(10000);

	letter_text(&text, &a);
	letter_html(&html, &a);
	ck_assert_ptr_nonnull(strstr(text.s, "shop: the headline"));
	ck_assert_ptr_nonnull(strstr(html.s, "shop: the headline"));
	ck_assert_ptr_null(strstr(text.s, "Passed"));
	ck_assert_ptr_null(strstr(html.s, "Passed"));
	json_decref(checks);
}
END_TEST

START_TEST(many_checks_are_counted)
{
	json_t *failing = json_array();
	struct alert a;
	BUF_AUTO text = BUF_INIT(LETTER_MAX), html = BUF_INIT(LETTER_MAX);

	for (int i = 0; i < 500; i++)
		json_array_append_new(failing, json_of("{'check':'row-count','subject':'t',"
						       "'status':'critical','summary':'s'}"));
	a = alert_of(ALERT_TRIGGER, V_CRITICAL, failing, failing);
	letter_text(&text, &a);
	letter_html(&html, &a);
	ck_assert_ptr_nonnull(strstr(text.s, "500 of 500 checks"));
	ck_assert_ptr_nonnull(strstr(text.s, "and 300 more"));
	ck_assert_ptr_nonnull(strstr(html.s, "and 300 more"));
	ck_assert(!text.full && !html.full);
	json_decref(failing);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("letter");
	TCase *c = tcase_create("letter");

	tcase_add_loop_test(c, subject_table, 0, CASES(subjects));
	tcase_add_test(c, a_recovery_counts_what_passed);
	tcase_add_test(c, a_subject_is_one_short_line);
	tcase_add_test(c, the_text);
	tcase_add_test(c, html_is_only_ours);
	tcase_add_test(c, a_test_lists_no_checks);
	tcase_add_test(c, many_checks_are_counted);
	suite_add_tcase(s, c);
	return suite_run(s);
}
