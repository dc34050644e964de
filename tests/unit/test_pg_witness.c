#include "lib/pg/witness.h"

#include "lib/base/record.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { S = 1000, DAY_S = 24 * 60 * 60 };
#define AT(ms) \
	{ \
		true, (ms) \
	}

/* clang-format off */
static const struct {
	struct witnesses w;
	enum verdict want;
	const char *says;
} cases[] = {
	{ { .v = { { 0 } } }, V_UNKNOWN, "nothing tells when the backup was taken" },
	{ { .v = { [WITNESS_MODIFIED] = AT(5 * S) } }, V_OK,
	  "1970-01-01 00:00:05 UTC, by its last change, for nothing better tells" },
	{ { .v = { [WITNESS_NAMED] = AT(4 * S), [WITNESS_MODIFIED] = AT(5 * S) } }, V_OK,
	  "1970-01-01 00:00:04 UTC, by the time in its name or header" },
	{ { .v = { [WITNESS_NAMED] = AT(3 * S), [WITNESS_ROW] = AT(4 * S), [WITNESS_MODIFIED] = AT(5 * S) } },
	  V_OK, "1970-01-01 00:00:04 UTC, by the newest row" },
	{ { .v = { [WITNESS_REPLAYED] = AT(4 * S), [WITNESS_ROW] = AT(3 * S), [WITNESS_NAMED] = AT(2 * S) } },
	  V_OK, "by the last transaction replayed" },
	{ { .v = { [WITNESS_COMMITTED] = AT(4 * S), [WITNESS_ROW] = AT(4 * S) } }, V_OK, "by the last commit" },
	{ { .v = { [WITNESS_NAMED] = AT(200 * S), [WITNESS_ROW] = AT(20 * S) } }, V_OK,
	  "by the time in its name or header; the newest row is 3 min older" },
	{ { .v = { [WITNESS_NAMED] = AT(8LL * DAY_S * S), [WITNESS_ROW] = AT(0) } }, V_CRITICAL,
	  "the backup is of 1970-01-09 00:00:00 UTC, but the newest row is 8 d older" },
	{ { .v = { [WITNESS_MODIFIED] = AT(8LL * DAY_S * S), [WITNESS_ROW] = AT(0) } }, V_CRITICAL,
	  "but the newest row is 8 d older" },
	{ { .v = { [WITNESS_NAMED] = AT(8LL * DAY_S * S), [WITNESS_ROW] = AT(0), [WITNESS_REPLAYED] = AT(8LL * DAY_S * S) } },
	  V_OK, "by the last transaction replayed" },
	{ { .v = { [WITNESS_ROW] = AT(S), [WITNESS_MODIFIED] = AT(S) }, .ahead_ms = 300 * S }, V_WARNING,
	  "there are rows 5 min later than its last change: clocks that differ by 5 min" },
	{ { .v = { [WITNESS_ROW] = AT(S), [WITNESS_MODIFIED] = AT(S) }, .named_ahead_ms = 7200 * S }, V_OK,
	  "it names a time 2 h after its last change: a wrong clock, or local time taken for UTC (UTC+02:00)" },
};
/* clang-format on */

START_TEST(case_table)
{
	struct check c;
	const char *summary;

	check_init(&c, "recovery-point", "");
	witness_say(&c, &cases[_i].w, 7LL * DAY_S);
	summary = record_text(c.object, "summary");
	ck_assert_msg(c.status == cases[_i].want, "%s", summary);
	ck_assert_msg(strstr(summary, cases[_i].says), "%s", summary);
	check_drop(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_witness");
	TCase *c = tcase_create("pg_witness");

	tcase_add_loop_test(c, case_table, 0, CASES(cases));
	suite_add_tcase(s, c);
	return suite_run(s);
}
