#include "tests/unit/suite.h"
#include "tests/unit/summary.h"

/* The last finding of the sink's own. */
static void expect_found(const char *name, const char *subject, const char *status,
			 const char *summary)
{
	const json_t *c = json_array_get(s.checks, json_array_size(s.checks) - 1);

	ck_assert_ptr_nonnull(c);
	ck_assert_str_eq(json_string_value(json_object_get(c, "check")), name);
	ck_assert_str_eq(json_string_value(json_object_get(c, "subject")), subject);
	ck_assert_str_eq(json_string_value(json_object_get(c, "status")), status);
	ck_assert_str_eq(json_string_value(json_object_get(c, "summary")), summary);
	ck_assert_str_eq(json_string_value(json_object_get(c, "tool")), "emit-report");
}

START_TEST(a_whole_stream_is_its_worst_check)
{
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	check("a", "y", "", "warning", "hm", 0);
	end("a", "warning", 2);
	finish();
	ck_assert_int_eq(s.status, V_WARNING);
	ck_assert_uint_eq(summary_checks(&s), 2);
	ck_assert_uint_eq(s.counts[V_OK], 1);
	ck_assert_uint_eq(s.counts[V_WARNING], 1);
	ck_assert_str_eq(s.run, "R1");
	ck_assert_int_eq(s.ended_ms - s.started_ms, 19887);
}
END_TEST

START_TEST(an_empty_stream_is_critical)
{
	finish();
	ck_assert_int_eq(s.status, V_CRITICAL);
	expect_found("stream", "", "critical", "no record arrived: nothing before this tool ran");
}
END_TEST

START_TEST(a_stream_without_checks_is_unknown)
{
	begin("a");
	end("a", "ok", 0);
	take("{'record':'weather','sky':'blue'}");
	finish();
	ck_assert_int_eq(s.status, V_UNKNOWN);
	expect_found("stream", "", "unknown", "nothing was checked");
}
END_TEST

START_TEST(begin_without_end_is_critical)
{
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	finish();
	ck_assert_int_eq(s.status, V_CRITICAL);
	expect_found("stage", "a", "critical",
		     "began and did not end: it was killed, or its records were cut off");
}
END_TEST

START_TEST(one_end_does_not_do_for_two_beginnings)
{
	begin("a");
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	end("a", "ok", 1);
	finish();
	ck_assert_int_eq(s.status, V_CRITICAL);
	ck_assert_uint_eq(summary_checks(&s), 2);
}
END_TEST

START_TEST(what_is_expected_of_a_restored_server_waits_for_one)
{
	strv_add(&expected_if_restored, "b");
	begin("a");
	check("a", "restore", "", "unknown", "there was nothing to restore", 0);
	end("a", "unknown", 1);
	if (_i)
		take("{\"record\":\"instance\",\"tool\":\"a\",\"conninfo\":\"host=/x\"}");
	finish();
	ck_assert_int_eq(s.status, _i ? V_CRITICAL : V_UNKNOWN);
	ck_assert_uint_eq(summary_checks(&s), _i ? 2 : 1);
	if (_i)
		expect_found("stage", "b", "critical", "was expected and never began");
}
END_TEST

START_TEST(what_was_expected_must_begin)
{
	strv_add(&expected, "a");
	strv_add(&expected, "b");
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	end("a", "ok", 1);
	check("b", "x", "", "ok", "b wrote a check and no stage record", 0);
	finish();
	ck_assert_int_eq(s.status, V_CRITICAL);
	ck_assert_uint_eq(summary_checks(&s), 3);
	expect_found("stage", "b", "critical", "was expected and never began");
}
END_TEST

static const struct {
	const char *check, *end;
	enum verdict want;
	size_t findings;
} ends[] = {
	{ "ok", "ok", V_OK, 0 },
	{ "ok", "critical", V_CRITICAL, 1 },
	{ "ok", "unknown", V_UNKNOWN, 1 },
	{ "ok", "warning", V_WARNING, 1 },
	{ "ok", "odd", V_UNKNOWN, 1 },
	{ "critical", "ok", V_CRITICAL, 0 },
	{ "critical", "unknown", V_CRITICAL, 0 },
	{ "unknown", "critical", V_CRITICAL, 1 },
};

START_TEST(a_worse_end_counts)
{
	begin("a");
	check("a", "x", "", ends[_i].check, "so", 0);
	end("a", ends[_i].end, 1);
	finish();
	ck_assert_int_eq(s.status, ends[_i].want);
	ck_assert_uint_eq(summary_checks(&s), 1 + ends[_i].findings);
}
END_TEST

START_TEST(a_check_of_another_tool_does_not_excuse_a_worse_end)
{
	begin("a");
	check("b", "x", "", "critical", "b's", 0);
	end("a", "critical", 0);
	finish();
	expect_found("stage", "a", "critical",
		     "ended with status critical, which none of its checks shows");
}
END_TEST

START_TEST(lost_checks_are_noticed)
{
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	end("a", "ok", 3);
	finish();
	ck_assert_int_eq(s.status, V_UNKNOWN);
	expect_found("stage", "a", "unknown", "wrote 3 checks, of which 1 arrived");
}
END_TEST

START_TEST(ends_that_do_not_count_are_believed)
{
	begin("a");
	check("a", "x", "", "ok", "fine", 0);
	take("{'record':'stage','tool':'a','event':'end','status':'ok'}");
	finish();
	ck_assert_int_eq(s.status, V_OK);
}
END_TEST

START_TEST(a_check_without_a_status_is_unknown)
{
	take("{'record':'check','check':'x'}");
	finish();
	ck_assert_int_eq(s.status, V_UNKNOWN);
}
END_TEST

START_TEST(odd_types_do_no_harm)
{
	take("{'record':'stage','tool':7,'event':null,'seconds':'x','at':5}");
	take("{'record':'stage','tool':'a','event':'end','status':'ok','seconds':-4,'checks':-9}");
	take("{'record':'check','tool':[],'check':{},'status':'ok','metrics':'many'}");
	take("{'record':'backup','newest':'true','name':'no'}");
	take("{'record':8,'run':9,'label':{}}");
	finish();
	ck_assert_int_eq(s.status, V_OK);
	ck_assert_ptr_null(s.backup);
}
END_TEST

START_TEST(of_the_backups_the_fetched_one_is_kept)
{
	take("{'record':'backup','name':'old'}");
	take("{'record':'backup','name':'first','newest':true}");
	take("{'record':'backup','name':'second','newest':true}");
	take("{'record':'backup','name':'later'}");
	ck_assert_str_eq(json_string_value(json_object_get(s.backup, "name")), "second");
}
END_TEST

START_TEST(memory_is_bounded_and_the_verdict_is_not)
{
	for (int i = 0; i < SUMMARY_KEPT + 500; i++)
		check("a", "x", "", "ok", "fine", i);
	for (int i = 0; i < SUMMARY_KEPT + 5; i++)
		check("a", "x", "", i < SUMMARY_KEPT ? "warning" : "critical", "bad", i);
	finish();
	ck_assert_uint_eq(json_array_size(s.checks), (size_t)2 * SUMMARY_KEPT);
	ck_assert_uint_eq(s.left_out[V_OK], 500);
	ck_assert_uint_eq(s.left_out[V_CRITICAL], 5);
	ck_assert_uint_eq(s.counts[V_CRITICAL], 5);
	ck_assert_int_eq(s.status, V_CRITICAL);
}
END_TEST

START_TEST(too_many_tools_are_said)
{
	char name[32];

	for (int i = 0; i < SUMMARY_TOOLS + 3; i++) {
		(void)snprintf(name, sizeof(name), "tool-%d", i);
		check(name, "x", "", "ok", "fine", 0);
	}
	finish();
	ck_assert_int_eq(s.status, V_UNKNOWN);
	expect_found("stage", "", "unknown", "more than 1000 tools wrote records");
}
END_TEST

START_TEST(metrics_come_from_the_last_check_of_the_name)
{
	double v = 0;

	check("a", "x", "", "ok", "", 4);
	check("a", "x", "", "ok", "", 5);
	take("{'record':'check','check':'y','metrics':[{'name':'n','value':'7'}]}");
	ck_assert(summary_metric(&s, "x", "rows", &v));
	ck_assert_double_eq_tol(v, 5, 1e-9);
	ck_assert(!summary_metric(&s, "x", "bytes", &v));
	ck_assert(!summary_metric(&s, "y", "n", &v));
	ck_assert(!summary_metric(&s, "z", "rows", &v));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("summary");
	TCase *c = tcase_create("summary");

	tcase_set_timeout(c, 30);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, a_whole_stream_is_its_worst_check);
	tcase_add_test(c, an_empty_stream_is_critical);
	tcase_add_test(c, a_stream_without_checks_is_unknown);
	tcase_add_test(c, begin_without_end_is_critical);
	tcase_add_test(c, one_end_does_not_do_for_two_beginnings);
	tcase_add_test(c, what_was_expected_must_begin);
	tcase_add_loop_test(c, what_is_expected_of_a_restored_server_waits_for_one, 0, 2);
	tcase_add_loop_test(c, a_worse_end_counts, 0, CASES(ends));
	tcase_add_test(c, a_check_of_another_tool_does_not_excuse_a_worse_end);
	tcase_add_test(c, lost_checks_are_noticed);
	tcase_add_test(c, ends_that_do_not_count_are_believed);
	tcase_add_test(c, a_check_without_a_status_is_unknown);
	tcase_add_test(c, odd_types_do_no_harm);
	tcase_add_test(c, of_the_backups_the_fetched_one_is_kept);
	tcase_add_test(c, memory_is_bounded_and_the_verdict_is_not);
	tcase_add_test(c, too_many_tools_are_said);
	tcase_add_test(c, metrics_come_from_the_last_check_of_the_name);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
