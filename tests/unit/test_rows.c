#include "lib/report/rows.h"
#include "lib/report/run.h"

#include "tests/unit/suite.h"
#include "tests/unit/summary.h"

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

int main(void)
{
	Suite *suite = suite_create("rows");
	TCase *c = tcase_create("rows");

	tcase_set_timeout(c, 30);
	tcase_add_checked_fixture(c, set_up, tear_down);
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
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
