#include "lib/pg/drift.h"

#include "tests/unit/suite.h"

#include <string.h>

/* rows, later than the recovery point, later than it less the slack */
#define SIDE(rows_, newer_, slack_) \
	{ \
		.there = true, .rows = (rows_), .newer = (newer_), .slack = (slack_) \
	}
#define MISSING \
	{ \
		.there = false \
	}
#define ROWS(n) SIDE(n, 0, 0)
/* Since an earlier reading, which found so many rows; at most so many were inserted, ... */
#define SINCE(rows_, inserted_, deleted_) \
	.activity = { .known = true, \
		      .since = true, \
		      .rows = (rows_), \
		      .inserted = (inserted_), \
		      .deleted = (deleted_) }
#define EVER(inserted_, updated_, deleted_) \
	.activity = { .known = true, \
		      .rows = -1, \
		      .inserted = (inserted_), \
		      .updated = (updated_), \
		      .deleted = (deleted_) }
#define NUMBER .column = "id", .number = true, .sure = true
#define COLUMN .column = "created_at", .sure = true

/* clang-format off */
static const struct {
	const char *name;
	struct pg_drift d;
	enum verdict verdict;
	int64_t explained, in_flight, unexplained, lost;
	const char *says;
} cases[] = {
	{ "equal, no column", { .here = ROWS(100), .there = ROWS(100) }, V_OK, 0, 0, 0, 0,
	  "100 (production: 100) - match" },
	{ "equal, with a column", { .here = SIDE(100, 0, 2), .there = SIDE(100, 0, 2), COLUMN },
	  V_OK, 0, 0, 0, 0, "100 (production: 100) - match" },
	{ "empty on both sides", { .here = ROWS(0), .there = ROWS(0) }, V_OK, 0, 0, 0, 0,
	  "0 (production: 0) - match" },
	{ "47 newer", { .here = SIDE(8412056, 0, 3), .there = SIDE(8412103, 47, 50), COLUMN },
	  V_OK, 47, 0, 0, 0,
	  "8,412,056 (production: 8,412,103) - 47 newer than the recovery point" },
	{ "newer and in flight", { .here = SIDE(100, 0, 0), .there = SIDE(112, 10, 12), COLUMN },
	  V_OK, 10, 2, 0, 0, "10 newer than the recovery point, 2 not yet committed at it" },
	{ "too many in flight to be so",
	  { .here = SIDE(100, 0, 0), .there = SIDE(120, 9, 20), COLUMN }, V_WARNING, 9, 11, 0, 0,
	  "11 of its last seconds, not yet committed or lost" },
	{ "many in flight among very many",
	  { .here = SIDE(1000, 0, 900), .there = SIDE(1011, 0, 911), COLUMN }, V_OK, 0, 11, 0, 0,
	  "11 not yet committed at it" },
	{ "one row lost", { .here = ROWS(99), .there = SIDE(100, 0, 0), COLUMN }, V_CRITICAL, 0,
	  0, 1, 1, "99 (production: 100) - 1 from before the recovery point missing" },
	{ "one row lost among new ones", { .here = ROWS(99), .there = SIDE(147, 47, 47), COLUMN },
	  V_CRITICAL, 47, 0, 1, 1,
	  "47 newer than the recovery point, 1 from before the recovery point missing" },
	{ "fewer, no column", { .here = ROWS(100), .there = ROWS(112) }, V_CRITICAL, 0, 0, 12, 12,
	  "12 missing; no time column tells whether they are new" },
	{ "more than production", { .here = ROWS(112), .there = ROWS(100) }, V_CRITICAL, 0, 0, 12,
	  0, "12 not in production: deleted there since, or never there" },
	{ "deleted there since", { .here = ROWS(100), .there = SIDE(95, 0, 0), COLUMN },
	  V_CRITICAL, 0, 0, 5, 0, "5 not in production" },
	{ "as many new as deleted", { .here = ROWS(100), .there = SIDE(100, 5, 5), COLUMN },
	  V_WARNING, 5, 0, 5, 0, "5 newer than the recovery point, 5 not in production" },
	{ "a loss cannot hide behind deletions of young rows", { .here = SIDE(100, 0, 10), .there
	  = SIDE(100, 0, 5), COLUMN }, V_CRITICAL, 0, 0, 10, 5,
	  "5 from before the recovery point missing" },
	{ "tolerated rows", { .here = ROWS(88), .there = ROWS(100), .tolerance = { .set = true,
	  .rows = 12 } }, V_OK, 0, 0, 12, 12, "within the tolerance" },
	{ "one too many", { .here = ROWS(87), .there = ROWS(100), .tolerance = { .set = true,
	  .rows = 12 } }, V_CRITICAL, 0, 0, 13, 13, "13 missing" },
	{ "tolerated share", { .here = ROWS(990), .there = ROWS(1000), .tolerance = { .set = true,
	  .share = true, .part = 0.01 } }, V_OK, 0, 0, 10, 10, "within the tolerance" },
	{ "beyond the share", { .here = ROWS(989), .there = ROWS(1000), .tolerance = { .set =
	  true, .share = true, .part = 0.01 } }, V_CRITICAL, 0, 0, 11, 11, "11 missing" },
	{ "a tolerance of none", { .here = ROWS(99), .there = ROWS(100), .tolerance = { .set =
	  true } }, V_CRITICAL, 0, 0, 1, 1, "1 missing" },
	{ "new ones do not eat the tolerance", { .here = ROWS(100), .there = SIDE(1100, 1000,
	  1000), COLUMN, .tolerance = { .set = true, .rows = 1 } }, V_OK, 1000, 0, 0, 0,
	  "1,000 newer" },
	{ "empty here", { .here = ROWS(0), .there = ROWS(8412) }, V_CRITICAL, 0, 0, 8412, 8412,
	  "empty (production: 8,412) - 8,412 missing" },
	{ "empty here, tolerance or not", { .here = ROWS(0), .there = ROWS(3), .tolerance = { .set
	  = true, .rows = 12 } }, V_CRITICAL, 0, 0, 3, 3, "empty (production: 3)" },
	{ "empty here, all of it new", { .here = ROWS(0), .there = SIDE(3, 3, 3), COLUMN }, V_OK,
	  3, 0, 0, 0, "empty (production: 3) - 3 newer than the recovery point" },
	{ "empty there", { .here = ROWS(3), .there = ROWS(0) }, V_CRITICAL, 0, 0, 3, 0,
	  "3 (production: 0) - 3 not in production" },
	{ "missing here", { .here = MISSING, .there = ROWS(47) }, V_CRITICAL, 0, 0, 47, 47,
	  "the restored database has no such table (production: 47) - 47 missing" },
	{ "missing here, tolerance or not", { .here = MISSING, .there = ROWS(1), .tolerance = {
	  .set = true, .rows = 9 } }, V_CRITICAL, 0, 0, 1, 1, "no such table" },
	{ "missing here, empty there", { .here = MISSING, .there = ROWS(0) }, V_WARNING, 0, 0, 0,
	  0, "the restored database has no such table (production: 0)" },
	{ "missing here, made since", { .here = MISSING, .there = SIDE(5, 5, 5), COLUMN },
	  V_WARNING, 5, 0, 0, 0, "5 newer than the recovery point" },
	{ "a partition made since", { .here = MISSING, .there = SIDE(5, 5, 5), COLUMN, .partition
	  = true }, V_OK, 5, 0, 0, 0, "5 newer" },
	{ "a partition made ahead", { .here = MISSING, .there = ROWS(0), .partition = true },
	  V_OK, 0, 0, 0, 0, "no such table (production: 0)" },
	{ "a partition with old rows", { .here = MISSING, .there = SIDE(5, 4, 4), COLUMN,
	  .partition = true }, V_CRITICAL, 4, 0, 1, 1, "1 from before the recovery point missing"
	  },
	{ "missing there", { .here = ROWS(47), .there = MISSING }, V_WARNING, 0, 0, 0, 0,
	  "47, but production has no such table" },
	{ "a partition dropped there", { .here = ROWS(47), .there = MISSING, .partition = true },
	  V_OK, 0, 0, 0, 0, "a partition dropped since" },
	{ "not sure of the point", { .here = ROWS(100), .there = SIDE(147, 47, 47), .column = "ts"
	  }, V_WARNING, 47, 0, 0, 0, "new or lost: the recovery point is not sure" },
	{ "not sure, and no difference", { .here = ROWS(100), .there = ROWS(100), .column = "ts"
	  }, V_OK, 0, 0, 0, 0, "match" },
	{ "ahead of the backup", { .here = SIDE(100, 7, 7), .there = SIDE(110, 17, 17), COLUMN,
	  .ahead = true }, V_WARNING, 10, 0, 0, 0,
	  "created_at runs ahead of the recovery point: local time?" },
	{ "later rows than production has", { .here = SIDE(100, 7, 7), .there = SIDE(98, 5, 5),
	  COLUMN, .ahead = true }, V_CRITICAL, 0, 0, 2, 0, "2 not in production" },
	{ "the day of the recovery point", { .here = SIDE(100, 0, 8), .there = SIDE(105, 0, 13),
	  COLUMN, .day = true }, V_WARNING, 0, 5, 0, 0,
	  "5 of the day of the recovery point, newer or lost" },
	{ "before that day", { .here = SIDE(99, 0, 8), .there = SIDE(105, 0, 13), COLUMN, .day =
	  true }, V_CRITICAL, 0, 5, 1, 1, "1 from before the recovery point missing" },
	{ "no zone", { .here = ROWS(99), .there = SIDE(100, 0, 0), COLUMN, .zoneless = true },
	  V_CRITICAL, 0, 0, 1, 1, "created_at has no time zone and was read as UTC" },
	{ "a materialized view", { .here = ROWS(99), .there = ROWS(100), .view = true },
	  V_WARNING, 0, 0, 1, 1, "a materialized view, filled anew by the restore" },
	{ "unlogged and empty", { .here = ROWS(0), .there = ROWS(9), .unlogged = true },
	  V_WARNING, 0, 0, 9, 9, "unlogged: no physical backup holds its rows" },
	{ "unlogged and short", { .here = ROWS(8), .there = ROWS(9), .unlogged = true },
	  V_CRITICAL, 0, 0, 1, 1, "1 missing" },
	{ "deletions explain", { .here = ROWS(100), .there = SIDE(95, 0, 0), COLUMN, EVER(900, 0,
	  5) }, V_OK, 0, 0, 0, 0, "100 (production: 95) - 5 deleted in production since" },
	{ "one deletion too few", { .here = ROWS(100), .there = SIDE(95, 0, 0), COLUMN, EVER(900,
	  0, 4) }, V_CRITICAL, 0, 0, 5, 0, "never there; its counters know of 4 deletions at all" },
	{ "a changed time takes a row away from before", { .here = ROWS(100), .there = SIDE(100, 1,
	  1), COLUMN, EVER(900, 1, 0) }, V_OK, 1, 0, 0, 0, "1 deleted or changed in production" },
	{ "deletions explain no loss", { .here = ROWS(99), .there = SIDE(100, 0, 0), COLUMN,
	  EVER(900, 50, 50) }, V_CRITICAL, 0, 0, 1, 1, "1 from before" },
	{ "all that was ever inserted explains no loss", { .here = ROWS(99), .there = ROWS(100),
	  EVER(100, 0, 0) }, V_CRITICAL, 0, 0, 1, 1, "1 missing; no time column" },
	{ "inserted since the reading", { .here = ROWS(99), .there = ROWS(100), SINCE(99, 1, 0) },
	  V_OK, 0, 0, 0, 0, "99 (production: 100) - 1 inserted since; at 1970-01-01 00:00:00 UTC "
	  "production had 99, and inserted 1 and deleted 0 at most since" },
	{ "more missing than inserted since", { .here = ROWS(98), .there = ROWS(100), SINCE(98, 1,
	  0) }, V_CRITICAL, 0, 0, 2, 2, "2 missing; at 1970" },
	{ "fewer than there were", { .here = ROWS(97), .there = ROWS(99), SINCE(98, 9, 0) },
	  V_CRITICAL, 0, 0, 2, 2, "2 missing" },
	{ "fewer than there were, less the deleted", { .here = ROWS(97), .there = ROWS(99), SINCE(98,
	  9, 1) }, V_OK, 0, 0, 0, 0, "2 inserted since" },
	{ "times do not excuse what was there before", { .here = ROWS(90), .there = SIDE(100, 10,
	  10), COLUMN, SINCE(95, 10, 0) }, V_CRITICAL, 10, 0, 5, 5, "5 from before" },
	{ "empty here, and empty then", { .here = ROWS(0), .there = ROWS(3), SINCE(0, 3, 0) }, V_OK,
	  0, 0, 0, 0, "empty (production: 3) - 3 inserted since" },
	{ "rewritten", { .here = ROWS(5), .there = ROWS(3), .activity = { .rewritten = true } },
	  V_WARNING, 0, 0, 2, 0, "production truncated or rewrote the table since" },
	{ "rewritten, with times", { .here = ROWS(5), .there = ROWS(6), COLUMN, .activity = {
	  .rewritten = true } }, V_CRITICAL, 0, 0, 1, 1, "1 from before" },
	{ "later numbers", { .here = ROWS(5), .there = SIDE(8, 3, 3), NUMBER }, V_OK, 3, 0, 0, 0,
	  "3 newer than the recovery point" },
	{ "the last numbers", { .here = ROWS(5), .there = SIDE(8, 2, 3), NUMBER, .idle = true },
	  V_WARNING, 2, 1, 0, 0, "1 with the last numbers drawn at it, not yet committed or lost" },
	{ "the last numbers of a busy time", { .here = ROWS(5), .there = SIDE(8, 2, 3), NUMBER },
	  V_OK, 2, 1, 0, 0, "1 not yet committed at it" },
	{ "estimated", { .here = ROWS(100), .there = ROWS(110), .margin = 10 }, V_OK, 0, 0, 10, 10,
	  "100 (production: about 110) - 10 missing; within the error of the estimate" },
	{ "beyond the estimate's error", { .here = ROWS(100), .there = ROWS(111), .margin = 10 },
	  V_CRITICAL, 0, 0, 11, 11, "11 missing" },
	{ "empty, whatever the estimate's error", { .here = ROWS(0), .there = ROWS(9), .margin = 10
	  }, V_CRITICAL, 0, 0, 9, 9, "9 missing" },
	{ "beyond 2^31", { .here = ROWS(3000000000000), .there = ROWS(3000000000001) },
	  V_CRITICAL, 0, 0, 1, 1, "3,000,000,000,000 (production: 3,000,000,000,001) - 1 missing"
	  },
};
/* clang-format on */

START_TEST(case_table)
{
	BUF_AUTO text = BUF_INIT(2048);
	struct pg_drift d = cases[_i].d;
	const char *name = cases[_i].name;

	pg_drift_judge(&d);
	pg_drift_say(&d, &text);
	ck_assert_msg(d.verdict == cases[_i].verdict, "%s: %s: %s", name, verdict_name(d.verdict),
		      text.s);
	ck_assert_msg(d.explained == cases[_i].explained, "%s: %s", name, text.s);
	ck_assert_msg(d.in_flight == cases[_i].in_flight, "%s: %s", name, text.s);
	ck_assert_msg(d.unexplained == cases[_i].unexplained, "%s: %s", name, text.s);
	ck_assert_msg(d.lost == cases[_i].lost, "%s: %s", name, text.s);
	ck_assert_int_eq(d.difference, d.there.rows - d.here.rows);
	ck_assert_msg(strstr(text.s, cases[_i].says), "%s: %s", name, text.s);
}
END_TEST

static const struct {
	const char *text;
	int want;
	struct pg_tolerance t;
} tolerances[] = {
	{ "0", 0, { .set = true } },
	{ "12", 0, { .set = true, .rows = 12 } },
	{ "0.5%", 0, { .set = true, .share = true, .part = 0.005 } },
	{ "100%", 0, { .set = true, .share = true, .part = 1 } },
	{ "", -1, { 0 } },
	{ "-1", -1, { 0 } },
	{ "1.5", -1, { 0 } },
	{ "12 rows", -1, { 0 } },
	{ "%", -1, { 0 } },
	{ "1%%", -1, { 0 } },
	{ "99999999999999999999", -1, { 0 } },
};

START_TEST(tolerance_table)
{
	struct pg_tolerance t = { 0 };
	struct err e = { 0 };

	ck_assert_int_eq(pg_tolerance_option(tolerances[_i].text, &t, &e), tolerances[_i].want);
	ck_assert_int_eq(t.set, tolerances[_i].t.set);
	ck_assert_int_eq(t.share, tolerances[_i].t.share);
	ck_assert_uint_eq(t.rows, tolerances[_i].t.rows);
	ck_assert_double_eq_tol(t.part, tolerances[_i].t.part, 1e-12);
	if (tolerances[_i].want < 0)
		ck_assert_int_eq(e.kind, ERR_USAGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_drift");
	TCase *c = tcase_create("pg_drift");

	tcase_add_loop_test(c, case_table, 0, CASES(cases));
	tcase_add_loop_test(c, tolerance_table, 0, CASES(tolerances));
	suite_add_tcase(s, c);
	return suite_run(s);
}
