#include "lib/base/record.h"
#include "lib/report/paper.h"
#include "lib/report/runbook_parts.h"

#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name, *want;
} tables[] = {
	{ "public.users", "public.users" },
	{ "public.Order Items", "public.\"Order Items\"" },
	{ "a.b.c", "a.\"b.c\"" },
	{ "s.say \"hi\"", "s.\"say \"\"hi\"\"\"" },
	{ "s.9lives", "s.\"9lives\"" },
	{ "s.a\nb", "s.\"a?b\"" },
	{ "s.", "s.\"\"" },
	{ "alone", "alone" },
};

START_TEST(table_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	runbook_table(&b, tables[_i].name);
	ck_assert_str_eq(b.s, tables[_i].want);
}
END_TEST

static const struct {
	const char *format;
	enum drill_kind kind;
} kinds[] = {
	{ "custom", DRILL_ARCHIVE },     { "directory", DRILL_ARCHIVE },  { "tar", DRILL_ARCHIVE },
	{ "plain", DRILL_SQL },          { "pg_dumpall", DRILL_CLUSTER }, { "", DRILL_ARCHIVE },
	{ "something", DRILL_PHYSICAL },
};

START_TEST(kind_table)
{
	JSON_AUTO *run = json_pack("{s:s, s:{s:s}}", "at", "2026-02-17T06:33:06Z", "backup",
				   "format", kinds[_i].format);
	struct drill d;

	drill_of(run, &d);
	ck_assert(d.known);
	ck_assert_int_eq(d.kind, kinds[_i].kind);
	ck_assert_int_eq(d.serial, strcmp(kinds[_i].format, "tar") == 0);
}
END_TEST

START_TEST(a_drill_that_never_was)
{
	JSON_AUTO *odd = json_of("{'at': 5, 'backup': 'x', 'checks': {}, 'instance': []}");
	struct drill d;

	drill_of(NULL, &d);
	ck_assert(!d.known && isnan(d.rto_s) && d.n_tables == 0);
	drill_of(odd, &d);
	ck_assert(!d.known && isnan(d.fetch_s));
	ck_assert_str_eq(d.name, "");
}
END_TEST

START_TEST(the_largest_tables_and_the_sums)
{
	JSON_AUTO *checks = json_array();
	JSON_AUTO *run = json_pack("{s:s, s:O}", "at", "2026-02-17T06:33:06Z", "checks", checks);
	struct drill d;

	json_array_append_new(checks, json_of("{'check': 'restore-time', 'metrics': ["
					      "{'name': 'data_seconds', 'value': 10},"
					      "{'name': 'post_data_seconds', 'value': 2.5}]}"));
	for (int i = 0; i < 8; i++)
		json_array_append_new(checks,
				      json_pack("{s:s, s:s, s:[{s:s, s:i}]}", "check", "row-count",
						"subject", i == 5 ? "nowhere" : "public.t",
						"metrics", "name", "rows", "value", i * 7 % 8));
	drill_of(run, &d);
	ck_assert_double_eq_tol(d.restore_s, 12.5, 1e-9);
	ck_assert(isnan(d.unpack_s));
	ck_assert_uint_eq(d.n_tables, TABLES_MOST);
	for (size_t i = 1; i < d.n_tables; i++)
		ck_assert_int_ge(d.tables[i - 1].rows, d.tables[i].rows);
	ck_assert_int_eq(d.tables[0].rows, 7);
}
END_TEST

START_TEST(a_fence_is_longer_than_any_in_it)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct paper p = { .out = &b };

	paper_code(&p, "sh", "a\n````\n\033[31m");
	ck_assert_str_eq(b.s, "`````sh\na\n````\n?[31m\n`````\n\n");
}
END_TEST

START_TEST(text_stays_text_in_both)
{
	static const char *const cells[] = { "a|b", "<i>", NULL };
	BUF_AUTO markdown = BUF_INIT(4096), page = BUF_INIT(4096);
	struct paper m = { .out = &markdown }, h = { .out = &page, .html = true };

	paper_row(&m, cells);
	ck_assert_str_eq(markdown.s, "| a\\|b | \\<i\\> |\n");
	paper_row(&h, cells);
	ck_assert_str_eq(page.s, "<tr><th scope=\"row\">a|b</th><td>&lt;i&gt;</td></tr>\n");
	buf_reset(&markdown);
	paper_fact(&m, "Empty", "");
	paper_fact(&m, "Absent", NULL);
	ck_assert_str_eq(markdown.s, "");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runbook");
	TCase *c = tcase_create("runbook");

	tcase_add_loop_test(c, table_table, 0, CASES(tables));
	tcase_add_loop_test(c, kind_table, 0, CASES(kinds));
	tcase_add_test(c, a_drill_that_never_was);
	tcase_add_test(c, the_largest_tables_and_the_sums);
	tcase_add_test(c, a_fence_is_longer_than_any_in_it);
	tcase_add_test(c, text_stays_text_in_both);
	suite_add_tcase(suite, c);
	return suite_run(suite);
}
