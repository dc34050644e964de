#include "lib/base/nagios.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *metrics, *prefix, *want;
} perf[] = {
	{ "[{'name':'age','value':136800,'unit':'s','warn':'93600','crit':'129600'}]", NULL,
	  "'age'=136800s;93600;129600" },
	{ "[{'name':'size','value':5368709120,'unit':'B','min':'0'}]", NULL,
	  "'size'=5368709120B;;;0" },
	{ "[{'name':'missing','value':0,'unit':'rows','crit':'0','min':'0','max':'9'}]", NULL,
	  "'missing'=0;;0;0;9" },
	{ "[{'name':'ratio','value':0.25,'unit':'ratio','warn':'@~:0.5'}]", NULL,
	  "'ratio'=0.25;@~:0.5" },
	{ "[{'name':'a','value':1},{'name':'b','value':2}]", "public.users",
	  "'public.users_a'=1 'public.users_b'=2" },
	{ "[{'name':'n','value':9223372036854775807}]", NULL, "'n'=9223372036854775807" },
	{ "[{'name':'n','value':-9223372036854775808}]", NULL, "'n'=-9223372036854775808" },
	{ "[{'name':'n','value':1e-9}]", NULL, "'n'=0" },
	{ "[{'name':'n','value':-1e-9}]", NULL, "'n'=0" },
	{ "[{'name':'n','value':-0.5}]", NULL, "'n'=-0.5" },
	{ "[{'name':'n','value':0.000001}]", NULL, "'n'=0.000001" },
	{ "[{'name':'n','value':1.9999999}]", NULL, "'n'=2" },
	{ "[{'name':'n','value':1320.250}]", NULL, "'n'=1320.25" },
	{ "[{'name':'n','value':1e13}]", NULL, "'n'=10000000000000" },
	{ "[{'name':'n','value':1e300}]", NULL, "'n'=U" },
	{ "[{'name':'n','value':'many','unit':'s'}]", NULL, "'n'=U" },
	{ "[{'name':'n','unit':'s','crit':'10'}]", NULL, "'n'=U;;10" },
	{ "[{'name':'n','value':1,'warn':5,'crit':7.5}]", NULL, "'n'=1;5;7.5" },
	{ "[{'name':'n','value':1,'warn':'1e3','crit':'5;x'}]", NULL, "'n'=1" },
	{ "[{'name':'it=\\u0027s \\u0022a|b','value':1}]", NULL, "'it__s _a/b'=1" },
	{ "[{'name':'n','value':1}]", "we=ird\\nname", "'we_ird\\nname_n'=1" },
	{ "[{'name':'','value':1},{'value':2},7,{'name':'n','value':3}]", NULL, "'n'=3" },
	{ "[]", NULL, "" },
	{ "7", NULL, "" },
};

START_TEST(perfdata_table)
{
	BUF_AUTO b = BUF_INIT(4096);
	json_t *check = json_pack("{so}", "metrics", json_of(perf[_i].metrics));

	nagios_perfdata(&b, check, perf[_i].prefix);
	ck_assert_str_eq(b.s, perf[_i].want);
	json_decref(check);
}
END_TEST

static const struct {
	enum verdict status;
	const char *checks, *want;
} lines[] = {
	{ V_OK,
	  "[{'check':'backup-size','status':'ok','summary':'18.2 GB, +0.4 %',"
	  "'metrics':[{'name':'bytes','value':18200000000,'unit':'B'}]}]",
	  "SIZE-TREND OK - 18.2 GB, +0.4 % | 'bytes'=18200000000B" },
	{ V_CRITICAL,
	  "[{'check':'row-count','subject':'a','status':'ok','summary':'5 rows',"
	  "'metrics':[{'name':'rows','value':5}]},"
	  "{'check':'row-count','subject':'b','status':'critical','summary':'0 | rows',"
	  "'metrics':[{'name':'rows','value':0}]},"
	  "{'check':'backup-age','status':'unknown','summary':'no time',"
	  "'metrics':[{'name':'age','value':1,'unit':'s'}]},"
	  "{'check':'x','status':'warning','summary':'hm'}]",
	  "SIZE-TREND CRITICAL - b row count: 0 / rows; Backup age: no time; X: hm; "
	  "a row count: 5 rows | 'b_rows'=0 'age'=1s 'a_rows'=5" },
	{ V_UNKNOWN, "[]", "SIZE-TREND UNKNOWN - nothing was checked" },
	{ V_UNKNOWN, "null", "SIZE-TREND UNKNOWN - nothing was checked" },
	{ V_UNKNOWN, "[{'status':'ok','summary':'a\\nb\\u001b'}]", "SIZE-TREND UNKNOWN - a?b?" },
};

START_TEST(line_table)
{
	BUF_AUTO b = BUF_INIT(8192);
	json_t *checks = json_of(lines[_i].checks);

	nagios_line(&b, "size-trend", lines[_i].status, checks);
	ck_assert_str_eq(b.s, lines[_i].want);
	json_decref(checks);
}
END_TEST

static json_t *row_count(int n, const char *status, const char *summary)
{
	char subject[32];

	(void)snprintf(subject, sizeof(subject), "public.t%d", n);
	return json_pack("{ss ss ss ss s[{ss si}]}", "check", "row-count", "subject", subject,
			 "status", status, "summary", summary, "metrics", "name", "rows", "value",
			 n);
}

START_TEST(long_lines_stay_below_4_kib)
{
	BUF_AUTO b = BUF_INIT(65536);
	json_t *checks = json_array();

	for (int i = 0; i < 20000; i++)
		json_array_append_new(checks, row_count(i, i == 19999 ? "critical" : "ok", "fine"));
	nagios_line(&b, "emit-report", V_CRITICAL, checks);
	ck_assert(!b.full);
	ck_assert_uint_lt(b.len, 4096);
	ck_assert_ptr_eq(strstr(b.s, "EMIT-REPORT CRITICAL - public.t19999 row count: fine; "),
			 b.s);
	ck_assert_ptr_nonnull(strstr(b.s, " more checks | 'public.t19999_rows'=19999 "));
	json_decref(checks);
}
END_TEST

/* Two-byte characters at both parities: the cut must not fall into one. */
START_TEST(an_overlong_finding_is_cut_between_characters)
{
	BUF_AUTO b = BUF_INIT(65536);
	BUF_AUTO summary = BUF_INIT(65536);
	json_t *checks = json_array();
	char *end;

	buf_adds(&summary, _i ? "x" : "");
	for (int i = 0; i < 2000; i++)
		buf_adds(&summary, "\xc3\xa9");
	json_array_append_new(checks, row_count(1, "critical", summary.s));
	json_array_append_new(checks, row_count(2, "critical", "short"));
	nagios_line(&b, "x", V_CRITICAL, checks);
	end = strstr(b.s, "...; public.t2 row count: short | ");
	ck_assert_ptr_nonnull(end);
	ck_assert_mem_eq(end - 2, "\xc3\xa9", 2);
	json_decref(checks);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nagios");
	TCase *c = tcase_create("nagios");

	tcase_add_loop_test(c, perfdata_table, 0, CASES(perf));
	tcase_add_loop_test(c, line_table, 0, CASES(lines));
	tcase_add_test(c, long_lines_stay_below_4_kib);
	tcase_add_loop_test(c, an_overlong_finding_is_cut_between_characters, 0, 2);
	suite_add_tcase(s, c);
	return suite_run(s);
}
