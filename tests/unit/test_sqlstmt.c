#include "lib/base/buf.h"
#include "lib/dump/sqlstmt.h"
#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *text, *roles;
} role_cases[] = {
	{ "", "" },
	{ "ALTER TABLE public.t OWNER TO alice;", "alice" },
	{ "ALTER TABLE public.owner OWNER TO \"Bob \"\"x\"\" to\";\n", "Bob \"x\" to" },
	{ "GRANT SELECT ON TABLE public.t TO alice;\nREVOKE ALL ON t FROM PUBLIC;\nREVOKE ALL ON "
	  "t FROM bob, carol;",
	  "alice bob carol" },
	{ "GRANT SELECT(a, b) ON t TO GROUP g WITH GRANT OPTION", "g" },
	{ "CREATE POLICY p ON t FOR SELECT TO a, \"B\" USING ((x = 'y to z'::text));", "a B" },
	{ "CREATE POLICY p ON t USING (extract(day from d) > 1);", "" },
	{ "ALTER DEFAULT PRIVILEGES FOR ROLE own IN SCHEMA s GRANT SELECT ON TABLES TO r;",
	  "own r" },
	{ "CREATE SCHEMA AUTHORIZATION x; CREATE SCHEMA y AUTHORIZATION z", "x z" },
	{ "SET SESSION AUTHORIZATION 'al''ice';SET SESSION AUTHORIZATION DEFAULT;", "al'ice" },
	{ "CREATE USER MAPPING FOR u SERVER s; CREATE USER MAPPING FOR PUBLIC SERVER s", "u" },
	{ "ALTER ROLE r IN DATABASE d SET x TO 'y';", "r" },
	{ "ALTER TABLE t OWNER TO CURRENT_USER; COMMENT ON TABLE t IS 'OWNER TO nobody';", "" },
	{ "CREATE FUNCTION f() AS $$ALTER TABLE t OWNER TO no$$; ALTER TYPE x OWNER TO yes;",
	  "yes" },
	{ "GRANT", "" },
	{ "GRANT x TO", "" },
	{ "ALTER TABLE t OWNER TO 'unclosed", "" },
};

START_TEST(roles)
{
	STRV_AUTO list = { 0 };
	BUF_AUTO b = BUF_INIT(1000);

	sqlstmt_roles(role_cases[_i].text, strlen(role_cases[_i].text), &list);
	for (size_t i = 0; i < list.n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", list.v[i]);
	ck_assert_str_eq(b.s, role_cases[_i].roles);
}
END_TEST

static const struct {
	const char *text, *name; /* NULL: it is none */
	int64_t last;
	bool called;
} setval_cases[] = {
	{ "SELECT pg_catalog.setval('public.orders_id_seq', 47, true);", "public.orders_id_seq", 47,
	  true },
	{ "select setval('s', 1, false)", "s", 1, false },
	{ "SELECT pg_catalog.setval('public.\"Odd \"\"''s\"', -9223372036854775808, true);",
	  "public.\"Odd \"\"'s\"", INT64_MIN, true },
	{ "SELECT pg_catalog.setval('s', 9223372036854775807, true);", "s", INT64_MAX, true },
	{ "SELECT pg_catalog.setval('s', 9223372036854775808, true);", NULL, 0, false },
	{ "SELECT pg_catalog.setval('s', 00000000000000000000000000000000000001, true);", NULL, 0,
	  false },
	{ "SELECT pg_catalog.setval('s', 1.5, true);", NULL, 0, false },
	{ "SELECT pg_catalog.setval('s', - , true);", NULL, 0, false },
	{ "SELECT pg_catalog.setval('s', 1);", NULL, 0, false },
	{ "SELECT pg_catalog.setval('s', 1, maybe);", NULL, 0, false },
	{ "SELECT pg_catalog.setval(s, 1, true);", NULL, 0, false },
	{ "SELECT pg_catalog.setval('s", NULL, 0, false },
	{ "SELECT pg_catalog.nextval('s', 1, true);", NULL, 0, false },
	{ "SELECT pg_catalog", NULL, 0, false },
	{ "SELECT other.setval('s', 1, true);", NULL, 0, false },
	{ "INSERT INTO t VALUES ('setval')", NULL, 0, false },
	{ "", NULL, 0, false },
};

START_TEST(setval)
{
	const char *text = setval_cases[_i].text;
	char name[64];
	int64_t last;
	bool called;
	bool is = sqlstmt_setval(text, strlen(text), name, sizeof(name), &last, &called);

	ck_assert_int_eq(is, setval_cases[_i].name != NULL);
	if (!is)
		return;
	ck_assert_str_eq(name, setval_cases[_i].name);
	ck_assert_int_eq(last, setval_cases[_i].last);
	ck_assert_int_eq(called, setval_cases[_i].called);
	ck_assert(!sqlstmt_setval(text, strlen(text), name, strlen(name), &last, &called));
}
END_TEST

static const struct {
	const char *text, *words;
} word_cases[] = {
	{ "", "" },
	{ "CREATE /* x */ TABLE t (a)", "create table t" },
	{ "create UNIQUE index on only t", "create unique index on only t" },
	{ "COPY \"t\" from", "copy" },
	{ "(select", "" },
	{ "alter system set abcdefghijklmnopqrstuvwxyz", "alter system set" },
};

START_TEST(words)
{
	char out[32];

	ck_assert_str_eq(
		sqlstmt_words(word_cases[_i].text, strlen(word_cases[_i].text), out, sizeof(out)),
		word_cases[_i].words);
}
END_TEST

static const struct {
	const char *text;
	const char *value; /* NULL: not that */
} setting_cases[] = {
	{ "SET a = on", "on" },
	{ "set A to 'On'", "On" },
	{ "set a='it''s'", "it's" },
	{ "set b = on", NULL },
	{ "set a", NULL },
	{ "select a = on", NULL },
	{ "set a = 12", NULL },
	{ "set session a = x", NULL },
	{ "", NULL },
	{ "set a = aaaaaaaaaaaaaaaa", NULL },
};

START_TEST(setting)
{
	const char *text = setting_cases[_i].text;
	char value[10];
	bool is = sqlstmt_setting(text, strlen(text), "a", value, sizeof(value));

	ck_assert_int_eq(is, setting_cases[_i].value != NULL);
	if (is)
		ck_assert_str_eq(value, setting_cases[_i].value);
}
END_TEST

static const struct {
	const char *text;
	const char *target; /* NULL: none */
} copy_cases[] = {
	{ "COPY t FROM stdin", "t" },
	{ "COPY public.t (a, b) FROM stdin", "public.t" },
	{ "copy \"a.b\".\"c \"\"d\" (x) from stdin", "\"a.b\".\"c \"\"d\"" },
	{ "COPY (SELECT 1) TO stdout", NULL },
	{ "COPY", NULL },
	{ "COPY public.", NULL },
	{ "SELECT t", NULL },
	{ "COPY averylongnameoftable FROM stdin", NULL },
};

START_TEST(copy_target)
{
	const char *text = copy_cases[_i].text;
	char out[20];
	bool is = sqlstmt_copy_target(text, strlen(text), out, sizeof(out));

	ck_assert_int_eq(is, copy_cases[_i].target != NULL);
	if (is)
		ck_assert_str_eq(out, copy_cases[_i].target);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sqlstmt");
	TCase *c = tcase_create("sqlstmt");

	tcase_add_loop_test(c, roles, 0, CASES(role_cases));
	tcase_add_loop_test(c, words, 0, CASES(word_cases));
	tcase_add_loop_test(c, setval, 0, CASES(setval_cases));
	tcase_add_loop_test(c, setting, 0, CASES(setting_cases));
	tcase_add_loop_test(c, copy_target, 0, CASES(copy_cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
