#include "lib/base/history.h"
#include "lib/base/record.h"
#include "lib/report/fleet.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t now_ms = 1771309986000; /* 2026-02-17T06:33:06Z */
static char dir[64], file[128];
static struct fleet fleet;

static void set_up(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test-fleet.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/shop.jsonl", dir);
}

static void tear_down(void)
{
	fleet_free(&fleet);
	(void)unlink(file);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* A line as it is, with single quotes. */
static void add(const char *line)
{
	FILE *f = fopen(file, "ae");

	ck_assert_ptr_nonnull(f);
	for (; *line; line++)
		ck_assert_int_ne(fputc(*line == '\'' ? '"' : *line, f), EOF);
	ck_assert_int_ne(fputc('\n', f), EOF);
	ck_assert_int_eq(fclose(f), 0);
}

static void load(void)
{
	HISTORY_AUTO *h = history_file_open(dir);
	struct err e = { 0 };

	ck_assert_msg(fleet_load(&fleet, h, 2 * 86400, now_ms, &e) == 0, "%s", e.msg);
}

static bool keep(json_t *run, void *to)
{
	json_array_append(to, run);
	return true;
}

START_TEST(heads_are_what_stands_before_the_lists)
{
	HISTORY_AUTO *h = history_file_open(file);
	JSON_AUTO *runs = json_array();
	struct err e = { 0 };
	unsigned skipped;

	add("{'record':'run','label':'a','note':'x,\\'stages\\':[','stages':[{'tool':'t'}],'checks'"
	    ":[],'z':1}");
	add("{'record':'run','label':'b','backup':{'n':1,'stages':[1]},'checks':[{'check':'c'}]}");
	add("{'record':'run','label':'c','checks':[1]}");
	add("{'record':'run','label':'d'}");
	add("{'record':'run','label':'cut','stages':[");
	add("{'record':'other','stages':[]}");
	ck_assert_int_eq(history_walk_heads(h, NULL, keep, runs, &skipped, &e), 0);
	ck_assert_uint_eq(json_array_size(runs), 5);
	ck_assert_uint_eq(skipped, 0);
	ck_assert_str_eq(record_text(json_array_get(runs, 0), "label"), "cut");
	ck_assert_ptr_null(json_object_get(json_array_get(runs, 2), "checks"));
	/* one brace does not close it, so that it was read whole */
	ck_assert_ptr_nonnull(json_object_get(json_array_get(runs, 3), "checks"));
	ck_assert_str_eq(record_text(json_array_get(runs, 4), "note"), "x,\"stages\":[");
	ck_assert_ptr_null(json_object_get(json_array_get(runs, 4), "z"));
}
END_TEST

START_TEST(the_last_run_counts_and_the_year_is_counted)
{
	add("{'record':'run','label':'shop','at':'2024-01-01T00:00:00Z','status':'ok','verified':"
	    "true}");
	add("{'record':'run','label':'shop','at':'2026-02-15T06:00:00Z','status':'ok','verified':"
	    "true,"
	    "'backup':{'bytes':100}}");
	add("{'record':'run','label':'shop','at':'2026-02-16T06:00:00Z','status':'critical','"
	    "verified':false}");
	add("{'record':'run','label':'shop','at':'2026-02-16T09:00:00Z','status':'ok','verified':"
	    "true}");
	add("{'record':'run','label':'shop','at':'2026-02-17T06:00:00Z','status':'critical','"
	    "verified':"
	    "false,'rto_seconds':5,'backup':{'bytes':50},'checks':[{'check':'verified-rto','"
	    "metrics':"
	    "[{'name':'rto_seconds','crit':'10'}]}]}");
	add("{'record':'run','label':'shop','at':'2027-02-17T06:00:00Z','status':'ok'}");
	load();
	ck_assert_uint_eq(fleet.n, 1);
	ck_assert_int_eq(fleet.status, V_CRITICAL);
	ck_assert(!fleet.v[0].stale);
	ck_assert_uint_eq(fleet.v[0].verified_days, 2);
	ck_assert_uint_eq(fleet.v[0].run_days, 3);
	ck_assert_int_eq(fleet.v[0].days[FLEET_DAYS - 1], DAY_FAILED);
	ck_assert_int_eq(fleet.v[0].days[FLEET_DAYS - 2], DAY_VERIFIED);
	ck_assert_double_eq_tol(fleet.v[0].last.rto_target_s, 10, 1e-9);
	ck_assert_double_eq_tol(fleet.v[0].bytes_before, 100, 1e-9);
}
END_TEST

static const struct {
	const char *line;
	enum verdict want;
	bool stale;
} lasts[] = {
	{ "{'record':'run','label':'x','at':'2026-02-17T06:00:00Z','status':'ok'}", V_OK, false },
	{ "{'record':'run','label':'x','at':'2026-02-17T06:00:00Z','status':'odd'}", V_UNKNOWN,
	  false },
	{ "{'record':'run','label':'x','at':'2026-02-10T06:00:00Z','status':'ok'}", V_UNKNOWN,
	  true },
	{ "{'record':'run','label':'x','at':'2026-02-10T06:00:00Z','status':'critical'}",
	  V_CRITICAL, true },
	{ "{'record':'run','label':'x','at':'2026-02-17T06:00:00Z','status':'ok'}\nrubbish",
	  V_UNKNOWN, false },
};

START_TEST(no_evidence_is_bad_news)
{
	add(lasts[_i].line);
	load();
	ck_assert_uint_eq(fleet.n, 1);
	ck_assert_int_eq(fleet.v[0].status, lasts[_i].want);
	ck_assert_int_eq(fleet.v[0].stale, lasts[_i].stale);
}
END_TEST

START_TEST(none_is_unknown)
{
	load();
	ck_assert_uint_eq(fleet.n, 0);
	ck_assert_int_eq(fleet.status, V_UNKNOWN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet");
	TCase *c = tcase_create("fleet");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, heads_are_what_stands_before_the_lists);
	tcase_add_test(c, the_last_run_counts_and_the_year_is_counted);
	tcase_add_loop_test(c, no_evidence_is_bad_news, 0, CASES(lasts));
	tcase_add_test(c, none_is_unknown);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
