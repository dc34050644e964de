#include "lib/pg/readings.h"

#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOMENT_MS = 5000 };

/* One table, number 7, in each reading. */
static const struct {
	const char *name;
	const char *epoch, *then_epoch; /* then NULL: there is no earlier reading */
	int64_t reset_ms;
	struct pg_reading then, now;
	struct pg_activity want;
} cases[] = {
	{ "only totals",
	  "a",
	  NULL,
	  4000,
	  { 0 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .known = true, .rows = -1, .inserted = 10, .updated = 20, .deleted = 30 } },
	{ "totals that began too late",
	  "a",
	  NULL,
	  5001,
	  { 0 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .rows = -1, .inserted = 10, .updated = 20, .deleted = 30 } },
	{ "a standby", "", NULL, 0, { 0 }, { 7, 70, 1, 2, 3, -1 }, { .rows = -1 } },
	{ "between two",
	  "a",
	  "a",
	  0,
	  { 7, 70, 9, 18, 27, 123 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .known = true,
	    .since = true,
	    .rows = 123,
	    .inserted = 1,
	    .updated = 2,
	    .deleted = 3 } },
	{ "another epoch",
	  "b",
	  "a",
	  0,
	  { 7, 70, 9, 18, 27, 123 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .known = true, .rows = -1, .inserted = 10, .updated = 20, .deleted = 30 } },
	{ "another table then",
	  "a",
	  "a",
	  0,
	  { 8, 70, 9, 18, 27, 123 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .known = true, .rows = -1, .inserted = 10, .updated = 20, .deleted = 30 } },
	{ "truncated",
	  "a",
	  "a",
	  0,
	  { 7, 70, 9, 18, 27, 123 },
	  { 7, 71, 10, 20, 30, -1 },
	  { .since = true,
	    .rewritten = true,
	    .rows = 123,
	    .inserted = 1,
	    .updated = 2,
	    .deleted = 3 } },
	{ "backwards",
	  "a",
	  "a",
	  0,
	  { 7, 70, 9, 18, 31, 123 },
	  { 7, 70, 10, 20, 30, -1 },
	  { .since = true, .rows = 123, .inserted = 1, .updated = 2, .deleted = -1 } },
};

START_TEST(between_table)
{
	struct pg_reading then = cases[_i].then, now = cases[_i].now;
	struct pg_readings t = { .v = &then, .n = 1 };
	struct pg_readings n = { .v = &now, .n = 1, .reset_ms = cases[_i].reset_ms };
	const struct pg_activity *want = &cases[_i].want;
	struct pg_activity got;

	(void)snprintf(n.epoch, sizeof(n.epoch), "%s", cases[_i].epoch);
	if (cases[_i].then_epoch)
		(void)snprintf(t.epoch, sizeof(t.epoch), "%s", cases[_i].then_epoch);
	pg_readings_between(cases[_i].then_epoch ? &t : NULL, &n, 7, MOMENT_MS, &got);
	ck_assert_msg(got.known == want->known && got.since == want->since &&
			      got.rewritten == want->rewritten,
		      "%s", cases[_i].name);
	ck_assert_int_eq(got.rows, want->rows);
	ck_assert_int_eq(got.inserted, want->inserted);
	ck_assert_int_eq(got.updated, want->updated);
	ck_assert_int_eq(got.deleted, want->deleted);
}
END_TEST

static void save(const char *path, const char *epoch, int64_t at_ms, int64_t rows)
{
	struct pg_reading v[] = { { 7, 70, 1, 2, 3, rows }, { 9, 90, 1, 2, 3, -1 } };
	struct pg_readings r = { .at_ms = at_ms, .v = v, .n = 2 };
	struct err e = { 0 };

	(void)snprintf(r.epoch, sizeof(r.epoch), "%s", epoch);
	ck_assert_msg(pg_readings_save(path, "shop", &r, &e) == 0, "%s", e.msg);
}

/* The newest of the epoch that is not later than the moment; uncounted tables are not kept. */
START_TEST(memory)
{
	char path[] = "/tmp/test-readings.XXXXXX";
	int fd = mkstemp(path);
	struct pg_readings r;
	struct err e = { 0 };

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	save(path, "a", 1000, 11);
	save(path, "a", 2000, 12);
	save(path, "b", 2500, 99);
	save(path, "a", 3000, 13);
	ck_assert_int_eq(pg_readings_load(path, "shop", "a", 2999, &r, &e), 0);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_int_eq(r.at_ms, 2000);
	ck_assert_int_eq(pg_readings_find(&r, 7)->rows, 12);
	ck_assert_ptr_null(pg_readings_find(&r, 9));
	pg_readings_free(&r);
	ck_assert_int_eq(pg_readings_load(path, "shop", "a", 999, &r, &e), 0);
	ck_assert_uint_eq(r.n, 0);
	ck_assert_int_eq(pg_readings_load(path, "other", "a", 9999, &r, &e), 0);
	ck_assert_uint_eq(r.n, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(pg_readings_load(path, "shop", "a", 9999, &r, &e), 0);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_readings");
	TCase *c = tcase_create("pg_readings");

	tcase_add_loop_test(c, between_table, 0, CASES(cases));
	tcase_add_test(c, memory);
	suite_add_tcase(s, c);
	return suite_run(s);
}
