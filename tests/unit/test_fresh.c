#include "lib/base/fresh.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { H = 3600 };
#define NOW (1771293522LL * 1000)

static const struct {
	int64_t age_s;
	uint64_t limit_s;
	enum verdict backup, latest, rpo, verified;
	const char *says;
} ages[] = {
	{ 4 * H, 26 * H, V_OK, V_OK, V_OK, V_OK, "4 h" },
	{ 26 * H, 26 * H, V_OK, V_OK, V_OK, V_OK, "" },
	{ 26 * H + 1, 26 * H, V_CRITICAL, V_WARNING, V_CRITICAL, V_CRITICAL, "" },
	{ 0, 1, V_OK, V_OK, V_OK, V_OK, "" },
	{ 1000 * H, 0, V_OK, V_WARNING, V_OK, V_OK, "" }, /* the newest row always has a limit */
	{ -FRESH_SKEW_MS / 1000, 26 * H, V_OK, V_OK, V_OK, V_OK, "" },
	{ -FRESH_SKEW_MS / 1000 - 1, 26 * H, V_UNKNOWN, V_UNKNOWN, V_UNKNOWN, V_UNKNOWN,
	  "in the future" },
};

static void expect(struct check *c, enum verdict want, const char *metric, double value,
		   const char *says)
{
	json_t *m = c->metrics ? json_array_get(c->metrics, 0) : NULL;
	double got = -1;

	ck_assert_msg(c->status == want, "%s", record_text(c->object, "summary"));
	ck_assert_msg(strstr(record_text(c->object, "summary"), says), "%s",
		      record_text(c->object, "summary"));
	if (want == V_UNKNOWN) {
		ck_assert_ptr_null(m);
	} else {
		ck_assert_str_eq(record_text(m, "name"), metric);
		ck_assert(record_real(m, "value", &got));
		ck_assert_double_eq_tol(got, value, 0.001);
	}
	check_drop(c);
}

START_TEST(age_table)
{
	const struct range unset = { 0 };
	int64_t at = NOW - ages[_i].age_s * 1000;
	double age_s = ages[_i].age_s > 0 ? (double)ages[_i].age_s : 0;
	uint64_t limit_s = ages[_i].limit_s;
	struct check c;

	check_init(&c, "x", "");
	fresh_say_backup(&c, at, NOW, limit_s, &unset, &unset);
	expect(&c, ages[_i].backup, "backup_age_seconds", age_s, ages[_i].says);
	check_init(&c, "x", "");
	fresh_say_latest(&c, at, NOW, limit_s, false);
	expect(&c, ages[_i].latest, "data_age_seconds", age_s, "");
	check_init(&c, "x", "");
	fresh_say_rpo(&c, at, NOW, limit_s, NULL, 0);
	expect(&c, ages[_i].rpo, "rpo_seconds", age_s, ages[_i].says);
	check_init(&c, "x", "");
	fresh_say_verified(&c, at, NOW, limit_s);
	expect(&c, ages[_i].verified, "verified_age_seconds", age_s, ages[_i].says);
}
END_TEST

START_TEST(the_report_s_words)
{
	struct check c;

	check_init(&c, "latest-transaction", "");
	fresh_say_latest(&c, NOW, NOW + 4 * H * 1000, 24 * H, true);
	ck_assert_str_eq(record_text(c.object, "summary"), "2026-02-17 01:58:42 UTC - within 24 h");
	check_drop(&c);
	check_init(&c, "verified-rpo", "");
	fresh_say_rpo(&c, NOW, NOW + (4 * H + 12 * 60) * 1000LL, 24 * H, NULL, 0);
	ck_assert_str_eq(record_text(c.object, "summary"), "4 h 12 min (target 24 h)");
	check_drop(&c);
	check_init(&c, "verified-rpo", "");
	fresh_say_rpo(&c, NOW, NOW + 4 * H * 1000LL, 24 * H, "its baseline's snapshot",
		      24 * H * 1000LL);
	ck_assert_int_eq(c.status, V_OK);
	ck_assert_str_eq(
		record_text(c.object, "summary"),
		"4 h (target 24 h), by its baseline's snapshot; up to 28 h before the next "
		"one, with a backup every 24 h");
	check_drop(&c);
	check_init(&c, "latest-transaction", "");
	fresh_say_latest(&c, NOW, NOW + 21 * 24 * H * 1000LL, 24 * H, true);
	ck_assert_ptr_nonnull(strstr(record_text(c.object, "summary"), "stale copy"));
	ck_assert_int_eq(c.status, V_CRITICAL);
	check_drop(&c);
	check_init(&c, "latest-transaction", "");
	fresh_say_latest(&c, NOW, NOW + 6 * 24 * H * 1000LL, 24 * H, true);
	ck_assert_int_eq(c.status, V_WARNING);
	check_drop(&c);
}
END_TEST

START_TEST(ranges_judge_the_backup)
{
	struct range warn, crit;
	struct err e = { 0 };
	struct check c;

	ck_assert_int_eq(range_parse("3600", &warn, &e), 0);
	ck_assert_int_eq(range_parse("7200", &crit, &e), 0);
	check_init(&c, "backup-age", "");
	fresh_say_backup(&c, NOW - 5000 * 1000, NOW, 0, &warn, &crit);
	ck_assert_int_eq(c.status, V_WARNING);
	check_drop(&c);
	check_init(&c, "backup-age", "");
	fresh_say_backup(&c, NOW - 7201 * 1000, NOW, 0, &warn, &crit);
	ck_assert_int_eq(c.status, V_CRITICAL);
	check_drop(&c);
	/* --max-age beside -w: the worse of both */
	check_init(&c, "backup-age", "");
	fresh_say_backup(&c, NOW - 5000 * 1000, NOW, 4000, &warn, &crit);
	ck_assert_int_eq(c.status, V_CRITICAL);
	check_drop(&c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fresh");
	TCase *c = tcase_create("fresh");

	tcase_add_loop_test(c, age_table, 0, CASES(ages));
	tcase_add_test(c, the_report_s_words);
	tcase_add_test(c, ranges_judge_the_backup);
	suite_add_tcase(s, c);
	return suite_run(s);
}
