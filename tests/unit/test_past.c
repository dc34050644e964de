#include "lib/report/past.h"

#include "lib/base/history.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static const int64_t now_ms = 1771309986000; /* 2026-02-17T06:33:06Z */
static char file[64];
static struct past past;

static void set_up(void)
{
	int fd;

	(void)snprintf(file, sizeof(file), "/tmp/test-past.XXXXXX");
	fd = mkstemp(file);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	past = (struct past)PAST_NONE;
}

static void tear_down(void)
{
	past_free(&past);
	ck_assert_int_eq(unlink(file), 0);
}

static void append(const char *run)
{
	json_t *o = json_of(run);
	HISTORY_AUTO *h = history_file_open(file);
	struct err e;

	ck_assert_int_eq(history_append(h, "shop", o, NULL, &e), 0);
	json_decref(o);
}

static void load(bool restored)
{
	HISTORY_AUTO *h = history_file_open(file);
	struct err e = { 0 };

	ck_assert_msg(past_load(&past, h, "shop", restored, now_ms, &e) == 0, "%s", e.msg);
}

START_TEST(the_figures_of_a_run)
{
	json_t *run = json_of(
		"{'at':'2026-02-16T06:33:06Z','status':'critical','verified':false,"
		"'rto_seconds':1320.5,'rpo_seconds':15120,'backup':{'bytes':18200000000},'checks':["
		"{'check':'backup-download','metrics':[{'name':'bytes','value':1},"
		"{'name':'fetch_seconds','value':140}]},{'check':'restore'},"
		"{'check':'restore-time','metrics':[{'name':'data_seconds','value':980.5}]},"
		"{'check':'verified-rto','metrics':[{'name':'rto_seconds','crit':'1800'}]},"
		"{'check':'verified-rpo','metrics':[{'name':'rpo_seconds','crit':'odd'}]}]}");
	struct past_run r;

	ck_assert(past_run_of(run, &r));
	ck_assert_int_eq(r.at_ms, now_ms - 24 * 3600 * 1000LL);
	ck_assert_int_eq(r.status, V_CRITICAL);
	ck_assert(r.restored && !r.verified);
	ck_assert_double_eq_tol(r.bytes, 18200000000, 1e-6);
	ck_assert_double_eq_tol(r.rto_s, 1320.5, 1e-6);
	ck_assert_double_eq_tol(r.rto_target_s, 1800, 1e-6);
	ck_assert(isnan(r.rpo_target_s));
	ck_assert_double_eq_tol(r.phase_s[0], 140, 1e-6);
	ck_assert_double_eq_tol(r.phase_s[9], 980.5, 1e-6);
	ck_assert(isnan(r.phase_s[1]));
	json_decref(run);
}
END_TEST

static const char *const hostile[] = {
	"{}",
	"{'at':'2026-02-16T06:33:06Z','backup':{'bytes':1.7e308},'rto_seconds':-1e300}",
	"{'at':5,'backup':[],'checks':{},'status':7}",
	("{'at':'2026-02-16T06:33:06Z','backup':{'bytes':'many'},'rto_seconds':null,"
	 "'checks':[1,null,{'check':'restore-time','metrics':{'name':'data_seconds'}}]}"),
};

START_TEST(what_is_missing_is_no_figure)
{
	json_t *run = json_of(hostile[_i]);
	struct past_run r;

	(void)past_run_of(run, &r);
	ck_assert_int_eq(r.status, V_UNKNOWN);
	ck_assert(isnan(r.bytes) && isnan(r.rto_s) && isnan(r.phase_s[9]));
	ck_assert(!r.restored && !r.verified);
	json_decref(run);
}
END_TEST

START_TEST(the_run_to_compare_with_is_of_the_same_kind)
{
	append("{'record':'run','label':'shop','run':'A','at':'2026-02-15T06:00:00Z','status':'ok',"
	       "'verified':true,'checks':[{'check':'restore','status':'ok'}]}");
	append("{'record':'run','label':'shop','run':'B','at':'2026-02-15T07:00:00Z','status':'ok',"
	       "'checks':[{'check':'listing','status':'ok'}]}");
	append("{'record':'run','label':'crm','run':'C','at':'2026-02-15T08:00:00Z','status':'ok'"
	       "}");
	load(true);
	ck_assert_uint_eq(past.n, 2);
	ck_assert(past.known);
	ck_assert_str_eq(json_string_value(json_object_get(past.last, "run")), "A");
	ck_assert_int_eq(past.verified_ms, past.v[0].at_ms);
	past_free(&past);
	load(false);
	ck_assert_str_eq(json_string_value(json_object_get(past.last, "run")), "B");
}
END_TEST

START_TEST(a_year_back_and_not_the_future)
{
	append("{'record':'run','label':'shop','at':'2024-12-01T06:00:00Z','verified':true}");
	append("{'record':'run','label':'shop','at':'2026-02-16T06:00:00Z'}");
	append("{'record':'run','label':'shop'}");
	append("{'record':'run','label':'shop','at':'2026-02-14T06:00:00Z'}");
	append("{'record':'run','label':'shop','at':'2026-02-18T06:00:00Z','verified':true}");
	load(false);
	ck_assert_uint_eq(past.n, 2);
	ck_assert_int_lt(past.v[0].at_ms, past.v[1].at_ms);
	ck_assert_int_eq(past.verified_ms, INT64_MIN);
}
END_TEST

START_TEST(no_history_yet_is_known_and_empty)
{
	HISTORY_AUTO *h = history_file_open("/tmp/no-such-history.jsonl");
	HISTORY_AUTO *nowhere = history_file_open("");
	struct err e = { 0 };

	ck_assert_int_eq(past_load(&past, h, "x", true, now_ms, &e), 0);
	ck_assert(past.known && past.n == 0 && past.last == NULL);
	past_free(&past);
	ck_assert_int_eq(past_load(&past, nowhere, "x", true, now_ms, &e), -1);
	ck_assert(!past.known);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("past");
	TCase *c = tcase_create("past");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, the_figures_of_a_run);
	tcase_add_loop_test(c, what_is_missing_is_no_figure, 0, CASES(hostile));
	tcase_add_test(c, the_run_to_compare_with_is_of_the_same_kind);
	tcase_add_test(c, a_year_back_and_not_the_future);
	tcase_add_test(c, no_history_yet_is_known_and_empty);
	suite_add_tcase(s, c);
	return suite_run(s);
}
