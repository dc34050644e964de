#include "lib/pg/witness.h"

#include "lib/base/record.h"
#include "tests/unit/suite.h"

#include <limits.h>
#include <string.h>

/* Moments of these stories are relative to T, in seconds; now is a day later. */
enum { M = 60, H = 60 * M, D = 24 * H, NONE = INT_MIN };
#define T (1771293522LL * 1000)

static const struct {
	const char *name;
	int snapshot, point, row, backup;
	const char *point_by;
	bool said;
	/* wanted */
	int at;
	const char *by;
	enum verdict status;
	const char *says;
	bool proof;
} stories[] = {
	{ "all agree", 0, 5, -3, 0, "name", true, 0, "its baseline's snapshot", V_OK, "", true },
	{ "a baseline alone", 0, NONE, NONE, NONE, NULL, false, 0, "its baseline's snapshot", V_OK,
	  "", true },
	{ "a quiet database: the snapshot counts, not its rows", 0, 0, -20 * D, 0, "header", true,
	  0, "its baseline's snapshot", V_OK, "", true },
	{ "rows newer than the snapshot", 0, NONE, 5 * M, 0, NULL, true, 0,
	  "its baseline's snapshot", V_WARNING, "is 5 min newer", true },
	{ "... within what two clocks differ", 0, NONE, M, 0, NULL, true, 0,
	  "its baseline's snapshot", V_OK, "", true },
	{ "an old backup under a new name", -21 * D, NONE, -21 * D, 0, NULL, true, -21 * D,
	  "its baseline's snapshot", V_CRITICAL, "its baseline is 21 d older", true },
	{ "a copy: only its file is new", -21 * D, NONE, -21 * D, 0, NULL, false, -21 * D,
	  "its baseline's snapshot", V_WARNING, "copied since", true },
	{ "its name in local time", 0, NONE, NONE, 10 * H, NULL, true, 0, "its baseline's snapshot",
	  V_OK, "", true },
	{ "a baseline of a later backup", 0, NONE, NONE, -2 * D, NULL, true, 0,
	  "its baseline's snapshot", V_WARNING, "another one's baseline", true },
	{ "replayed days beyond the base backup", NONE, 0, -5, -3 * D, "last-commit", true, 0,
	  "the last commit that was replayed", V_OK, "", true },
	{ "replayed, but not up to the backup", NONE, -3 * D, NONE, 0, "last-commit", true, -3 * D,
	  "the last commit that was replayed", V_WARNING, "WAL after it is missing", true },
	{ "no baseline: the rows before the header", NONE, 0, -H, 0, "header", true, -H,
	  "its newest row", V_OK, "", true },
	{ "no rows that tell: the header", NONE, 0, NONE, 0, "header", true, 0,
	  "the header of the dump", V_OK, "", true },
	{ "a base backup without a commit", NONE, 0, NONE, 0, "base-backup", true, 0,
	  "the beginning of its base backup", V_OK, "", true },
	{ "a name proves nothing", NONE, 0, NONE, 0, "name", true, 0, "the time in its name", V_OK,
	  "", false },
	{ "an instance that does not say", NONE, 0, NONE, 0, NULL, true, 0,
	  "what the backup says of itself", V_OK, "", false },
	{ "nothing but the file", NONE, NONE, NONE, 0, NULL, false, 0, "the time of its file", V_OK,
	  "", false },
	{ "nothing but its name", NONE, NONE, NONE, 0, NULL, true, 0, "the time that it names",
	  V_OK, "", false },
	{ "a snapshot of the future", 2 * D, NONE, NONE, 2 * D, NULL, true, 2 * D,
	  "its baseline's snapshot", V_UNKNOWN, "in the future", true },
};

static bool take(int s, int64_t *ms)
{
	*ms = T + s * 1000LL;
	return s != NONE;
}

START_TEST(story)
{
	struct witnesses w = { .point_by = stories[_i].point_by, .backup_said = stories[_i].said };
	int64_t at_ms = 0;
	const char *by;
	struct check c;

	w.snapshot = take(stories[_i].snapshot, &w.snapshot_ms);
	w.point = take(stories[_i].point, &w.point_ms);
	w.row = take(stories[_i].row, &w.row_ms);
	w.backup = take(stories[_i].backup, &w.backup_ms);
	by = witness_best(&w, &at_ms);
	ck_assert_ptr_nonnull(by);
	ck_assert_str_eq(by, stories[_i].by);
	ck_assert_int_eq(at_ms, T + stories[_i].at * 1000LL);
	ck_assert_int_eq(witness_proves(&w), stories[_i].proof);
	check_init(&c, "recovery-point", "");
	witness_say(&c, &w, T + D * 1000LL);
	ck_assert_msg(c.status == stories[_i].status, "%s: %s", stories[_i].name,
		      record_text(c.object, "summary"));
	ck_assert_ptr_nonnull(strstr(record_text(c.object, "summary"), stories[_i].says));
	ck_assert_str_eq(record_text(c.object, "by"), by);
	check_drop(&c);
}
END_TEST

START_TEST(nobody)
{
	const struct witnesses w = { .snapshot = false };
	int64_t at_ms;

	ck_assert_ptr_null(witness_best(&w, &at_ms));
	ck_assert(!witness_proves(&w));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_witness");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, story, 0, CASES(stories));
	tcase_add_test(c, nobody);
	suite_add_tcase(s, c);
	return suite_run(s);
}
