#include "lib/report/losses.h"

#include "lib/base/buf.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <stdio.h>

enum { DAYS = 20 };

/* A run's checks: NAME=HELD pairs by blanks, in kB or thousand rows. */
static json_t *checks_of(const char *check, const char *metric, const char *tables)
{
	json_t *checks = json_array();
	char name[64];
	int held, taken;

	for (; sscanf(tables, " %63[^=]=%d%n", name, &held, &taken) == 2; tables += taken)
		json_array_append_new(checks, json_pack("{s:s, s:s, s:[{s:s, s:i}]}", "check",
							check, "subject", name, "metrics", "name",
							metric, "value", held * 1000));
	return checks;
}

static json_t *history_of(const char *check, const char *metric, const char *tables)
{
	json_t *runs = json_array();

	for (int day = 1; day <= DAYS; day++) {
		char at[32];

		(void)snprintf(at, sizeof(at), "2026-02-%02dT06:00:00Z", day);
		json_array_append_new(runs, json_pack("{s:s, s:o}", "at", at, "checks",
						      checks_of(check, metric, tables)));
	}
	return runs;
}

static const struct {
	const char *is, *check, *metric, *before, *now, *first;
	size_t found, tables;
} cases[] = {
	{ "as ever", "dump-rows", "bytes", "a=900 b=500", "a=900 b=510", "none", 0, 2 },
	{ "one is gone", "dump-rows", "bytes", "a=900 log=310 b=690", "a=900",
	  "b is gone (690 kB): 69 % of what all tables lost", 2, 1 },
	{ "less", "dump-rows", "bytes", "a=900 b=1000", "a=900 b=250",
	  "b has 250 kB after 1.0 MB: 100 % of what all tables lost", 1, 2 },
	{ "no rows left", "dump-rows", "rows", "a=90 b=5", "a=90 b=0",
	  "b has 0 rows after 5,000: 100 % of what all tables lost", 1, 2 },
	{ "what was never much", "dump-rows", "bytes", "a=900 q=20", "a=900 q=1", "none", 0, 2 },
	{ "a small one is gone", "dump-rows", "bytes", "a=900 q=20", "a=900",
	  "q is gone (20.0 kB): 100 % of what all tables lost", 1, 1 },
	{ "an old partition", "dump-rows", "bytes", "log_202601=900 log_202602=800",
	  "log_202602=810 log_202603=10", "none", 0, 1 },
	{ "the only one with a number", "dump-rows", "bytes", "a=900 b2=800", "a=900",
	  "b2 is gone (800 kB): 100 % of what all tables lost", 1, 1 },
	{ "one that is not compared today", "row-count", "rows", "a=90 b=50", "a=90", "none", 0,
	  1 },
	{ "counted rows", "row-count", "rows", "a=90 b=50", "a=90 b=10",
	  "b has 10,000 rows after 50,000: 100 % of what all tables lost", 1, 2 },
	{ "nothing before", "dump-rows", "bytes", "", "a=900", "none", 0, 0 },
	{ "nothing now", "dump-rows", "bytes", "a=900", "", "none", 0, 0 },
};

START_TEST(what_the_tables_lost)
{
	json_t *runs = history_of(cases[_i].check, cases[_i].metric, cases[_i].before);
	json_t *checks = checks_of(cases[_i].check, cases[_i].metric, cases[_i].now);
	struct losses l;
	struct check c;

	losses_find(runs, checks, 0.2, &l);
	ck_assert_msg(l.found == cases[_i].found && l.n == cases[_i].found, "%s: %zu", cases[_i].is,
		      l.found);
	ck_assert_uint_eq(l.tables, cases[_i].tables);
	check_init(&c, "table-size", "");
	if (l.n)
		losses_say(&c, V_WARNING, &l.v[0]);
	else
		check_say(&c, V_OK, "none");
	ck_assert_str_eq(json_string_value(json_object_get(c.object, "summary")), cases[_i].first);
	check_drop(&c);
	losses_free(&l);
	json_decref(runs);
	json_decref(checks);
}
END_TEST

START_TEST(only_the_largest_losses_are_kept)
{
	BUF_AUTO before = BUF_INIT(4000);
	json_t *runs, *checks = checks_of("dump-rows", "bytes", "rest=1");
	struct losses l;

	for (int i = 0; i < 30; i++)
		buf_addf(&before, "%c%c=%d ", 'a' + i % 26, 'a' + i / 26, 100 + i * 7 % 30);
	buf_adds(&before, "rest=1");
	runs = history_of("dump-rows", "bytes", before.s);
	losses_find(runs, checks, 0.2, &l);
	ck_assert_uint_eq(l.found, 30);
	ck_assert_uint_eq(l.n, LOSSES_MOST);
	ck_assert_double_eq_tol(l.v[0].was, 129000, 0.5);
	for (size_t i = 1; i < l.n; i++)
		ck_assert_double_le(l.v[i].was, l.v[i - 1].was);
	ck_assert_double_eq_tol(l.v[LOSSES_MOST - 1].was, 110000, 0.5);
	losses_free(&l);
	json_decref(runs);
	json_decref(checks);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("losses");
	TCase *t = tcase_create("losses");

	tcase_add_loop_test(t, what_the_tables_lost, 0, CASES(cases));
	tcase_add_test(t, only_the_largest_losses_are_kept);
	suite_add_tcase(s, t);
	return suite_run(s);
}
