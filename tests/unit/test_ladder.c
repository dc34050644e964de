#include "lib/base/ladder.h"

#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { AT_MAX = 8 };

static const struct {
	enum ladder_rung rung;
	const char *at[AT_MAX]; /* ascending */
	uint64_t wanted, kept, missing, unreached;
	const char *first_missing;
} cases[] = {
	{ LADDER_DAILY, { "2026-02-17T01:00:00Z" }, 1, 1, 0, 0, "" },
	{ LADDER_DAILY, { "2026-02-17T01:00:00Z" }, 7, 1, 0, 6, "" },
	{ LADDER_DAILY,
	  { "2026-02-14T23:59:59Z", "2026-02-15T00:00:00Z", "2026-02-17T01:00:00Z" },
	  3,
	  2,
	  1,
	  0,
	  "2026-02-16" },
	{ LADDER_DAILY,
	  { "2026-02-10T01:00:00Z", "2026-02-17T01:00:00Z" },
	  3,
	  1,
	  2,
	  0,
	  "2026-02-16" },
	{ LADDER_DAILY, { "2026-02-17T01:00:00Z", "2026-02-17T02:00:00Z" }, 1, 1, 0, 0, "" },
	/* Sunday and Monday are of two weeks */
	{ LADDER_WEEKLY, { "2026-02-15T23:00:00Z", "2026-02-16T01:00:00Z" }, 2, 2, 0, 0, "" },
	{ LADDER_WEEKLY, { "2026-02-16T01:00:00Z", "2026-02-22T23:00:00Z" }, 2, 1, 0, 1, "" },
	{ LADDER_WEEKLY,
	  { "2026-02-01T01:00:00Z", "2026-02-17T01:00:00Z" },
	  4,
	  2,
	  2,
	  0,
	  "2026-02-09" },
	{ LADDER_MONTHLY,
	  { "2025-11-30T01:00:00Z", "2026-01-31T01:00:00Z", "2026-02-01T01:00:00Z" },
	  4,
	  3,
	  1,
	  0,
	  "2025-12-01" },
	{ LADDER_YEARLY,
	  { "2023-06-01T00:00:00Z", "2026-01-01T00:00:00Z" },
	  4,
	  2,
	  2,
	  0,
	  "2025-01-01" },
	{ LADDER_DAILY,
	  { "1969-12-30T12:00:00Z", "1970-01-01T12:00:00Z" },
	  3,
	  2,
	  1,
	  0,
	  "1969-12-31" },
};

START_TEST(case_table)
{
	int64_t at_ms[AT_MAX];
	struct ladder_kept kept;
	char text[UTC_SIZE];
	size_t n = 0;

	while (n < AT_MAX && cases[_i].at[n]) {
		ck_assert(utc_parse(cases[_i].at[n], &at_ms[n]));
		n++;
	}
	ladder_judge(cases[_i].rung, at_ms, n, cases[_i].wanted, &kept);
	ck_assert_uint_eq(kept.kept, cases[_i].kept);
	ck_assert_uint_eq(kept.missing, cases[_i].missing);
	ck_assert_uint_eq(kept.unreached, cases[_i].unreached);
	if (kept.missing > 0)
		ck_assert_int_eq(strncmp(utc_format(kept.first_missing_ms, text),
					 cases[_i].first_missing, strlen("2026-01-01")),
				 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ladder");
	TCase *c = tcase_create("ladder");

	tcase_add_loop_test(c, case_table, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
