/* What mariadb-dump 10.11.19 wrote (tests/fixtures/mysql) of three tables with hostile names and
 * values, a view, a trigger and a procedure: rows are counted, and every cut is found. */
#include "lib/base/io.h"
#include "lib/dump/mysql.h"
#include "tests/unit/memory.h"
#include "tests/unit/suite.h"

#include <string.h>

#define FIXTURES "tests/fixtures/mysql/"

static const struct {
	const char *file;
	const char *database;
	bool mark;   /* it has the line that tells its end */
	bool counts; /* its rows are counted */
	const char *odd;
} dumps[] = {
	{ "single-transaction.sql", "", true, true, "odd `name; (" },
	{ "skip-extended-insert.sql", "", true, true, "odd `name; (" },
	{ "skip-dump-date.sql", "", true, true, "odd `name; (" },
	{ "databases.sql", "shop2", true, true, "odd `name; (" },
	{ "replace.sql", "", true, true, NULL },
	{ "skip-comments.sql", "", false, true, "odd `name; (" },
	{ "compact.sql", "", false, true, "odd `name; (" },
	{ "dump.xml", "", true, false, NULL },
};

static struct buf whole;

static void load(int i)
{
	struct err e = { 0 };
	char path[256];

	(void)snprintf(path, sizeof(path), FIXTURES "%s", dumps[i].file);
	whole = (struct buf)BUF_INIT(1 << 20);
	ck_assert_msg(io_slurp(path, &whole, &e) == 0, "%s", e.msg);
}

/* The first n bytes, so many at a time. */
static int count(size_t n, size_t step, struct census *rows, char *note, size_t size, struct err *e)
{
	struct memory m = { whole.s, n, step };
	const struct stream_source source = { read_memory, &m };
	STREAM_AUTO *s = stream_open(&source, NULL, e);

	ck_assert_ptr_nonnull(s);
	note[0] = '\0';
	return mysql_count(s, rows, note, size, e);
}

static void expect(const struct census *rows, int i, const char *table, uint64_t n)
{
	for (size_t k = 0; k < rows->n; k++)
		if (strcmp(rows->v[k]->name, table) == 0) {
			ck_assert_str_eq(rows->v[k]->database, dumps[i].database);
			ck_assert_uint_eq(rows->v[k]->tally.rows, n);
			return;
		}
	ck_abort_msg("%s: %s is missing", dumps[i].file, table);
}

START_TEST(counted)
{
	static const size_t steps[] = { 1, 2, 7, 100000 };
	struct err e = { 0 };
	char note[160];

	load(_i);
	for (int k = 0; k < CASES(steps); k++) {
		CENSUS_AUTO rows = { 0 };

		ck_assert_msg(count(whole.len, steps[k], &rows, note, sizeof(note), &e) == 0, "%s",
			      e.msg);
		ck_assert_int_eq(note[0] == '\0', dumps[_i].mark && dumps[_i].counts);
		ck_assert_uint_eq(rows.n, !dumps[_i].counts ? 0 : dumps[_i].odd ? 2 : 1);
		if (dumps[_i].counts)
			expect(&rows, _i, "users", 4);
		if (dumps[_i].odd)
			expect(&rows, _i, dumps[_i].odd, 2);
	}
	buf_free(&whole);
}
END_TEST

/* Behind its head, that says what it is, nothing but the last line's end may be missing, and that
 * is told. */
enum { HEAD = 200 };

START_TEST(cut)
{
	char note[160];

	load(_i);
	for (size_t n = HEAD; n < whole.len; n++) {
		CENSUS_AUTO rows = { 0 };
		struct err e = { 0 };
		int r = count(n, n, &rows, note, sizeof(note), &e);

		ck_assert_msg(r == 0 || e.kind == ERR_BACKUP, "%s", e.msg);
		ck_assert_msg(r < 0 || note[0], "%s, %zu of %zu bytes", dumps[_i].file, n,
			      whole.len);
		ck_assert_msg(r < 0 || !dumps[_i].mark ||
				      n + sizeof(" on 2026-11-21 11:18:28\n") > whole.len,
			      "%s, %zu of %zu bytes", dumps[_i].file, n, whole.len);
	}
	buf_free(&whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mysql");
	TCase *c = tcase_create("all");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, counted, 0, CASES(dumps));
	tcase_add_loop_test(c, cut, 0, CASES(dumps));
	suite_add_tcase(s, c);
	return suite_run(s);
}
