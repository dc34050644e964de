#include "lib/restore/wants.h"

#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *sql, *extension, *collation, *locale;
} statements[] = {
	{ "CREATE EXTENSION IF NOT EXISTS postgis WITH SCHEMA public", "postgis", NULL, NULL },
	{ "CREATE EXTENSION \"uuid-ossp\"", "uuid-ossp", NULL, NULL },
	{ "/* x */ create extension Hstore", "hstore", NULL, NULL },
	{ "CREATE EXTENSION", NULL, NULL, NULL },
	{ "CREATE EXTENSION IF NOT", NULL, NULL, NULL },
	{ "COMMENT ON EXTENSION x IS 'CREATE EXTENSION y'", NULL, NULL, NULL },
	{ "CREATE TABLE t (a text COLLATE pg_catalog.\"de_DE.utf8\" NOT NULL, b text)", NULL,
	  "de_DE.utf8", NULL },
	{ "CREATE TABLE t (a text COLLATE s.c DEFAULT 'COLLATE pg_catalog.\"x\"')", NULL, NULL,
	  NULL },
	{ "CREATE INDEX i ON t (a COLLATE pg_catalog.\"C\")", NULL, "C", NULL },
	{ "CREATE COLLATION s.c (provider = libc, locale = 'de_DE.utf8')", NULL, NULL,
	  "de_DE.utf8" },
	{ "CREATE COLLATION s.c (lc_collate = 'x', lc_ctype = 'x')", NULL, NULL, "x" },
	{ "CREATE COLLATION s.c (provider = icu, deterministic = false, locale = 'und')", NULL,
	  NULL, NULL },
	{ "CREATE COLLATION s.c (provider", NULL, NULL, NULL },
	{ "", NULL, NULL, NULL },
};

static void check_list(const struct strv *l, const char *only)
{
	ck_assert_int_eq((int)l->n, only != NULL);
	if (only)
		ck_assert_str_eq(l->v[0], only);
}

START_TEST(wanted_by_a_statement)
{
	struct wants w = { 0 };

	wants_of_statement(statements[_i].sql, strlen(statements[_i].sql), &w);
	wants_of_statement(statements[_i].sql, strlen(statements[_i].sql), &w);
	check_list(&w.extensions, statements[_i].extension);
	check_list(&w.collations, statements[_i].collation);
	check_list(&w.locales, statements[_i].locale);
	wants_free(&w);
}
END_TEST

static const struct {
	const char *extension, *package;
} packages[] = {
	{ "postgis", "postgresql-15-postgis-3" },
	{ "vector", "postgresql-15-pgvector" },
	{ "plpython3u", "postgresql-plpython3-15" },
	{ "pg_something_else", "postgresql-15-pg-something-else" },
};

START_TEST(package_of_an_extension)
{
	BUF_AUTO b = BUF_INIT(100);

	wants_package(packages[_i].extension, 15, &b);
	ck_assert_str_eq(b.s, packages[_i].package);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wants");
	TCase *t = tcase_create("wants");

	tcase_add_loop_test(t, wanted_by_a_statement, 0, CASES(statements));
	tcase_add_loop_test(t, package_of_an_extension, 0, CASES(packages));
	suite_add_tcase(s, t);
	return suite_run(s);
}
