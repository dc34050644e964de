#include "lib/restore/assertions.h"

#include "lib/base/io.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const struct {
	const char *text;
	size_t n; /* 0: refused */
	const char *name, *sql; /* of the last */
	const char *why;
} cases[] = {
	{ "SELECT true;", 1, "line 1", "SELECT true", NULL },
	{ "SELECT true", 1, "line 1", "SELECT true\n", NULL },
	{ "-- name: all is well\nSELECT true;", 1, "all is well", "SELECT true", NULL },
	{ "--name:all is well \t\r\nSELECT true;", 1, "all is well", "SELECT true", NULL },
	{ "-- name: a\n-- name: b\n-- and why\n\nSELECT 1 = 1;", 1, "b", "SELECT 1 = 1", NULL },
	{ "-- name: a\nSELECT 1;\nSELECT 2;", 2, "line 3", "SELECT 2", NULL },
	{ "-- name:\nSELECT 1;", 1, "line 2", "SELECT 1", NULL },
	{ "SELECT ';' = ';';SELECT $$;$$ = ';' ;", 2, "line 1", "SELECT $$;$$ = ';' ", NULL },
	{ ";;\n;SELECT 1;;", 1, "line 2", "SELECT 1", NULL },
	{ "", 0, NULL, NULL, "no query in it" },
	{ "-- name: nothing\n", 0, NULL, NULL, "no query in it" },
	{ "SELECT 'open", 0, NULL, NULL, "" },
	{ "\\! rm -r /\nSELECT 1;", 0, NULL, NULL, "line 1 is no query" },
	{ "SELECT 1;\nCOPY t FROM stdin;\n1\n\\.\n", 0, NULL, NULL, "line 2 is no query" },
};
/* clang-format on */

START_TEST(files)
{
	char path[] = "/tmp/test-assertions.XXXXXX";
	int fd = mkstemp(path);
	ASSERTIONS_AUTO a = { 0 };
	struct err e = { 0 };
	int rc;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, cases[_i].text, strlen(cases[_i].text)), 0);
	(void)close(fd);
	rc = assertions_load(path, &a, &e);
	(void)unlink(path);
	ck_assert_msg((rc == 0) == (cases[_i].n > 0), "%s: %s", cases[_i].text, e.msg);
	if (rc < 0) {
		ck_assert_int_eq(e.kind, ERR_USAGE);
		ck_assert_msg(strstr(e.msg, cases[_i].why), "%s", e.msg);
		return;
	}
	ck_assert_uint_eq(a.n, cases[_i].n);
	ck_assert_str_eq(a.v[a.n - 1].name, cases[_i].name);
	ck_assert_str_eq(a.v[a.n - 1].sql, cases[_i].sql);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("assertions");
	TCase *c = tcase_create("assertions");

	tcase_add_loop_test(c, files, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
