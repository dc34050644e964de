#include "lib/report/rows.h"
#include "lib/report/run.h"
#include "lib/report/summary.h"

#include "lib/base/utc.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

static struct summary s;
static struct strv expected, expected_if_restored;

static void set_up(void)
{
	summary_init(&s);
}

static void tear_down(void)
{
	summary_free(&s);
	strv_free(&expected);
	strv_free(&expected_if_restored);
}

static void take(const char *record)
{
	json_t *object = json_of(record);

	summary_take(&s, object);
	json_decref(object);
}

static void begin(const char *tool)
{
	json_t *o = json_pack("{ss ss ss ss ss}", "record", "stage", "tool", tool, "event", "begin",
			      "run", "R1", "at", "2026-02-17T06:11:40.113Z");

	summary_take(&s, o);
	json_decref(o);
}

static void end(const char *tool, const char *status, int checks)
{
	json_t *o = json_pack("{ss ss ss ss sf si}", "record", "stage", "tool", tool, "event",
			      "end", "status", status, "seconds", 1.5, "checks", checks);

	summary_take(&s, o);
	json_decref(o);
}

static void check(const char *tool, const char *name, const char *subject, const char *status,
		  const char *summary, int rows)
{
	json_t *o = json_pack("{ss ss ss ss ss ss s[{ss si}]}", "record", "check", "tool", tool,
			      "check", name, "subject", subject, "status", status, "summary",
			      summary, "metrics", "name", "rows", "value", rows);

	summary_take(&s, o);
	json_decref(o);
}

static void finish(void)
{
	int64_t now = 0;

	ck_assert(utc_parse("2026-02-17T06:12:00Z", &now));
	summary_finish(&s, &expected, &expected_if_restored, now);
}

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

/* --- rows ---------------------------------------------------------------------------------- */

static void expect_table(const char *names)
{
	BUF_AUTO b = BUF_INIT(65536);
	struct rows rows;

	rows_table(&s, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		buf_adds(&b, i ? ", " : "");
		rows_name(&rows.v[i], &b);
		if (rows.v[i].more)
			buf_addf(&b, " +%zu", rows.v[i].more);
	}
	ck_assert_str_eq(b.s, names);
	rows_free(&rows);
}

START_TEST(the_table_has_the_order_that_people_know)
{
	static const char *const names[] = {
		"verified-rto", "verified-rpo",    "odd-one",
		"backup-size",  "restore-time",    "temporary-server",
		"another",      "backup-download", "latest-transaction"
	};

	for (int i = 0; i < CASES(names); i++)
		check("a", names[i], "", "ok", "", 0);
	check("a", "row-count", "public.users", "ok", "", 3);
	check("a", "row-count", "public.a", "critical", "", 3);
	expect_table("Backup download, Restore time, public.users row count, public.a row count, "
		     "Odd one, Another, Latest transaction, Backup size, Temporary server, "
		     "Verified RPO, Verified RTO");
}
END_TEST

START_TEST(an_empty_table)
{
	struct rows rows;

	expect_table("");
	rows_findings(&s, &rows);
	ck_assert_uint_eq(rows.n, 0);
	rows_free(&rows);
}
END_TEST

START_TEST(of_many_that_are_ok_the_largest_are_shown)
{
	struct rows rows;
	char subject[32];
	size_t failing = 0, shown = 0;

	for (int i = 0; i < 500; i++) {
		(void)snprintf(subject, sizeof(subject), "t%d", i);
		check("a", "row-count", subject, i % 10 == 9 ? "critical" : "ok", "", i);
	}
	check("a", "verified-rpo", "", "ok", "", 0);
	rows_table(&s, &rows);
	ck_assert_uint_eq(rows.n, 50 + ROWS_OK_SHOWN + 1 + 1);
	for (size_t i = 0; i < rows.n; i++) {
		double size = 0;

		if (rows.v[i].status == V_CRITICAL)
			failing++;
		if (rows.v[i].status != V_OK || !rows.v[i].check || rows.v[i].name[0] == 'v')
			continue;
		shown++;
		size = json_number_value(json_object_get(
			json_array_get(json_object_get(rows.v[i].check, "metrics"), 0), "value"));
		ck_assert_double_ge(size, 477);
	}
	ck_assert_uint_eq(failing, 50);
	ck_assert_uint_eq(shown, ROWS_OK_SHOWN);
	ck_assert_uint_eq(rows.v[rows.n - 2].more, 450 - ROWS_OK_SHOWN);
	ck_assert_str_eq(rows.v[rows.n - 2].name, "row-count");
	ck_assert_str_eq(rows.v[rows.n - 1].name, "verified-rpo");
	rows_free(&rows);
}
END_TEST

START_TEST(findings_come_worst_first)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct rows rows;

	check("a", "w", "", "warning", "", 0);
	check("a", "u", "", "unknown", "", 0);
	check("a", "o", "", "ok", "", 0);
	check("a", "c", "", "critical", "", 0);
	check("a", "d", "", "critical", "", 0);
	rows_findings(&s, &rows);
	for (size_t i = 0; i < rows.n; i++)
		rows_name(&rows.v[i], &b);
	ck_assert_str_eq(b.s, "CDUW");
	rows_free(&rows);
}
END_TEST

static void expect_headline(const char *title, const char *want)
{
	BUF_AUTO b = BUF_INIT(65536);

	rows_headline(&s, title, &b);
	ck_assert_str_eq(b.s, want);
}

START_TEST(headlines)
{
	take("{'record':'check','check':'x','status':'ok','label':'shop'}");
	expect_headline(NULL, "OK: backup of shop checked, not restored - its check passed");
	take("{'record':'backup','newest':true,'name':'shop.dump','taken_at':"
	     "'2026-02-17T01:58:42Z'}");
	check("a", "restore", "", "ok", "", 0);
	expect_headline(NULL, "OK: backup of shop verified - shop.dump of 2026-02-17 01:58:42 UTC "
			      "restores, all 2 checks passed");
	take("{'record':'backup','newest':true,'name':'shop-20260217.dump','taken_at':"
	     "'2026-02-17T01:58:42Z'}");
	expect_headline("Drill\n7", "OK: Drill?7 verified - shop-20260217.dump restores, all 2 "
				    "checks passed");
	check("a", "backup-age", "", "warning", "38 h", 0);
	expect_headline(NULL, "WARNING: backup of shop - Backup age: 38 h");
	check("a", "row-count", "public.o", "critical", "3 rows are missing", 0);
	expect_headline(NULL, "CRITICAL: backup of shop - public.o row count: 3 rows are missing "
			      "(and 1 more finding)");
}
END_TEST

START_TEST(a_failed_restore_is_not_called_restored)
{
	check("a", "restore", "", "critical", "2 statements failed", 0);
	expect_headline(NULL, "CRITICAL: backup - Restore: 2 statements failed");
}
END_TEST

static const struct {
	const char *download, *want;
} downloads[] = {
	{ "18.2 GB compressed, SHA-256 ab", "18.2 GB compressed (180 GB restored), SHA-256 ab" },
	{ "18.2 GB", "18.2 GB (180 GB restored)" },
};

START_TEST(the_download_gets_the_restored_size)
{
	BUF_AUTO b = BUF_INIT(4096);
	json_t *restore = json_of("{'record':'check','check':'restore','status':'ok','metrics':"
				  "[{'name':'restored_bytes','value':180000000000,'unit':'B'}]}");

	check("a", "backup-download", "", "ok", downloads[_i].download, 0);
	rows_sentence(&s, json_array_get(s.checks, 0), &b);
	ck_assert_str_eq(b.s, downloads[_i].download);
	summary_take(&s, restore);
	json_decref(restore);
	buf_reset(&b);
	rows_sentence(&s, json_array_get(s.checks, 0), &b);
	ck_assert_str_eq(b.s, downloads[_i].want);
}
END_TEST

static const struct {
	const char *check, *want;
} values[] = {
	{ "{'observed':8412056}", "8,412,056" },
	{ "{'observed':-1}", "-1" },
	{ "{'observed':0.25}", "0.25" },
	{ "{'observed':'a\\nb'}", "a?b" },
	{ "{'observed':''}", NULL },
	{ "{'observed':null}", NULL },
	{ "{'observed':[1]}", NULL },
	{ "{}", NULL },
};

START_TEST(value_table)
{
	json_t *c = json_of(values[_i].check);
	BUF_AUTO b = BUF_INIT(4096);

	ck_assert_int_eq(rows_value(c, "observed", &b), values[_i].want != NULL);
	ck_assert_str_eq(b.s, values[_i].want ? values[_i].want : "");
	json_decref(c);
}
END_TEST

/* --- run ----------------------------------------------------------------------------------- */

START_TEST(the_run_holds_it_all)
{
	json_t *run;
	double rto = 0;

	begin("a");
	take("{'record':'backup','newest':true,'name':'x','path':'/w/x','bytes':7,'label':'shop'}");
	take("{'record':'instance','conninfo':'host=/secret','server_version':'15.20'}");
	take("{'record':'check','tool':'a','check':'verified-rto','status':'ok','summary':'22 min',"
	     "'odd':1,'metrics':[{'name':'rto_seconds','value':1320}]}");
	end("a", "ok", 1);
	finish();
	run = run_object(&s, SIZE_MAX);
	ck_assert_int_eq(json_unpack(run, "{s:{s:s s:I !} s:{s:s !} s:[{s:s s:s s:f !}] s:F}",
				     "backup", "name", &(const char *){ NULL }, "bytes",
				     &(json_int_t){ 0 }, "instance", "server_version",
				     &(const char *){ NULL }, "stages", "tool",
				     &(const char *){ NULL }, "status", &(const char *){ NULL },
				     "seconds", &(double){ 0 }, "rto_seconds", &rto),
			 0);
	ck_assert_double_eq_tol(rto, 1320, 1e-9);
	ck_assert_str_eq(json_string_value(json_object_get(run, "started_at")),
			 "2026-02-17T06:11:40.113Z");
	ck_assert_str_eq(json_string_value(json_object_get(run, "label")), "shop");
	ck_assert_uint_eq(json_array_size(json_object_get(run, "checks")), 1);
	ck_assert_ptr_null(json_object_get(run, "checks_left_out"));
	json_decref(run);
}
END_TEST

START_TEST(a_run_that_is_too_long_keeps_what_is_not_ok)
{
	json_t *run, *checks, *c;
	char *text;
	size_t i;

	for (int n = 0; n < 1000; n++)
		check("a", "row-count", "public.t", n < 990 ? "ok" : "critical", "so", n);
	finish();
	run = run_object(&s, 10000);
	checks = json_object_get(run, "checks");
	ck_assert_uint_gt(json_array_size(checks), 20);
	ck_assert_int_eq(json_integer_value(json_object_get(run, "checks_left_out")),
			 1000 - (json_int_t)json_array_size(checks));
	json_array_foreach(checks, i, c)
		ck_assert_str_eq(json_string_value(json_object_get(c, "status")),
				 i < 10 ? "critical" : "ok");
	text = json_dumps(checks, JSON_COMPACT);
	ck_assert_uint_le(strlen(text), 10000 + 2);
	free(text);
	json_decref(run);
}
END_TEST

static const struct {
	const char *check, *status;
	bool want;
} verified[] = {
	{ "restore", "ok", true },        { "restore", "warning", true },
	{ "restore", "critical", false }, { "restore", "unknown", false },
	{ "restore-time", "ok", false },
};

START_TEST(only_a_restore_verifies)
{
	json_t *run;

	check("a", "row-count", "public.a", "ok", "", 0);
	check("a", verified[_i].check, "", verified[_i].status, "", 0);
	finish();
	run = run_object(&s, SIZE_MAX);
	ck_assert_int_eq(summary_verified(&s), verified[_i].want);
	ck_assert_int_eq(json_is_true(json_object_get(run, "verified")), verified[_i].want);
	json_decref(run);
}
END_TEST

START_TEST(a_tool_that_did_not_end_has_no_status_in_the_run)
{
	json_t *run;
	const json_t *stage;

	begin("a");
	check("b", "x", "", "ok", "", 0);
	finish();
	run = run_object(&s, SIZE_MAX);
	ck_assert_uint_eq(json_array_size(json_object_get(run, "stages")), 1);
	stage = json_array_get(json_object_get(run, "stages"), 0);
	ck_assert_uint_eq(json_object_size(stage), 1);
	json_decref(run);
}
END_TEST

static void add_rows(TCase *c)
{
	tcase_add_test(c, the_table_has_the_order_that_people_know);
	tcase_add_test(c, an_empty_table);
	tcase_add_test(c, of_many_that_are_ok_the_largest_are_shown);
	tcase_add_test(c, findings_come_worst_first);
	tcase_add_test(c, headlines);
	tcase_add_test(c, a_failed_restore_is_not_called_restored);
	tcase_add_loop_test(c, the_download_gets_the_restored_size, 0, CASES(downloads));
	tcase_add_loop_test(c, value_table, 0, CASES(values));
	tcase_add_test(c, the_run_holds_it_all);
	tcase_add_test(c, a_run_that_is_too_long_keeps_what_is_not_ok);
	tcase_add_loop_test(c, only_a_restore_verifies, 0, CASES(verified));
	tcase_add_test(c, a_tool_that_did_not_end_has_no_status_in_the_run);
}

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
	add_rows(c);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
