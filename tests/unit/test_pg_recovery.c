#include "lib/pg/recovery.h"

#include "tests/unit/suite.h"

#include <stdint.h>

/* Moments of these stories are relative to T, in ms; now is a day later. */
enum { S = 1000, M = 60 * S, H = 60 * M, D = 24 * H, NONE = INT32_MIN };
#define T (1771293522LL * 1000)

enum { CERTAIN = 1, DAY = 2 };   /* what is special about the said time */
enum { SURE = 1, DISAGREE = 2 }; /* what is concluded */

/* clang-format off */
static const struct {
	const char *name;
	int64_t said, modified, data;
	size_t near, between;
	unsigned special;
	/* wanted */
	int64_t at;
	bool by_said;
	unsigned verdict;
} stories[] = {
	{ "the header's time, the newest row a minute before",
	  0, 5 * M, -M, 3, 0, 0, 0, true, SURE },
	{ "a header that is seconds older than the snapshot",
	  0, 5 * M, 3 * S, 1, 0, 0, 3 * S, false, SURE },
	{ "a quiet database: nothing written for hours",
	  0, M, -5 * H, 1, 0, 0, 0, true, SURE },
	{ "the only table in use lost its newest rows: no excuse",
	  0, M, -5 * H, 1, 1, 0, 0, true, SURE },
	{ "every table ends an hour before the time in the name: local time",
	  H, 2 * H, 0, 3, 2, 0, 0, false, SURE | DISAGREE },
	{ "two tables a few minutes short are no time zone",
	  0, M, -20 * M, 2, 2, 0, 0, true, SURE },
	{ "the name is later than the file: local time, the rows decide",
	  5 * H, M, -10 * S, 2, 0, 0, -10 * S, false, SURE },
	{ "the same with one table: not sure",
	  5 * H, M, -10 * S, 1, 0, 0, -10 * S, false, 0 },
	{ "local time behind UTC: the rows are later",
	  -5 * H, M, -10 * S, 2, 0, 0, -10 * S, false, SURE },
	{ "the same with one table: not sure",
	  -5 * H, M, -10 * S, 1, 0, 0, -10 * S, false, 0 },
	{ "no more than a date, several tables in use",
	  -2 * H, M, -S, 2, 0, DAY, -S, false, SURE },
	{ "no more than a date, one table",
	  -2 * H, M, -S, 1, 0, DAY, -S, false, 0 },
	{ "nothing but the rows",
	  NONE, NONE, 0, 4, 3, 0, 0, false, SURE },
	{ "nothing at all: as of now, and not sure",
	  NONE, NONE, NONE, 0, 0, 0, D + RECOVERY_SKEW_MS, false, 0 },
	{ "the user's word is not doubted",
	  0, NONE, 3 * H, 4, 5, CERTAIN, 0, true, SURE },
};
/* clang-format on */

static struct pg_evidence evidence_of(int i)
{
	return (struct pg_evidence){
		.said = stories[i].said != NONE,
		.said_ms = T + stories[i].said,
		.said_day = stories[i].special == DAY,
		.said_surely = stories[i].special == CERTAIN,
		.modified = stories[i].modified != NONE,
		.modified_ms = T + stories[i].modified,
		.now_ms = T + D,
		.data = stories[i].data != NONE,
		.data_ms = T + stories[i].data,
		.near = stories[i].near,
	};
}

START_TEST(story_table)
{
	const char *name = stories[_i].name;
	const struct pg_evidence v = evidence_of(_i);
	struct pg_recovery r;
	struct pg_bounds b;

	pg_recovery_bounds(&v, &b);
	ck_assert_msg(b.data_ms <= b.said_ms, "%s", name);
	pg_recovery_decide(&v, &b, stories[_i].between, &r);
	ck_assert_msg(r.at_ms == T + stories[_i].at, "%s: %lld", name, (long long)(r.at_ms - T));
	ck_assert_msg(r.by_said == stories[_i].by_said, "%s", name);
	ck_assert_msg(r.sure == ((stories[_i].verdict & SURE) != 0), "%s", name);
	ck_assert_msg(r.disagree == ((stories[_i].verdict & DISAGREE) != 0), "%s", name);
	ck_assert_msg(r.at_ms == (r.by_said ? b.said_ms : b.data_ms), "%s", name);
	ck_assert_msg((r.disagree || !r.sure) == (*r.why != '\0'), "%s: '%s'", name, r.why);
	ck_assert_msg(r.by && *r.by, "%s", name);
}
END_TEST

START_TEST(latest_moment)
{
	struct pg_evidence v = { .now_ms = T };

	ck_assert_int_eq(pg_evidence_latest(&v), T + RECOVERY_SKEW_MS);
	v.modified = true;
	v.modified_ms = T - H;
	ck_assert_int_eq(pg_evidence_latest(&v), T - H + RECOVERY_SKEW_MS);
	v.modified_ms = T + H; /* a clock that is ahead */
	ck_assert_int_eq(pg_evidence_latest(&v), T + RECOVERY_SKEW_MS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_recovery");
	TCase *c = tcase_create("pg_recovery");

	tcase_add_loop_test(c, story_table, 0, CASES(stories));
	tcase_add_test(c, latest_moment);
	suite_add_tcase(s, c);
	return suite_run(s);
}
