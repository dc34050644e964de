#include "lib/base/utc.h"
#include "lib/pg/setup.h"
#include "tests/unit/suite.h"

#include <check.h>

static const struct {
	const char *command;
	bool nothing;
} commands[] = {
	{ "/bin/true", true },
	{ " true ; ", true },
	{ ":", true },
	{ "exit 0", true },
	{ "true && cp %p /wal/%f", false },
	{ "cp %p /srv/true", false },
	{ "pgbackrest --stanza=main archive-push %p", false },
	{ "", false },
};

START_TEST(commands_that_archive_nothing_are_told)
{
	ck_assert_msg(setup_archives_nothing(commands[_i].command) == commands[_i].nothing, "'%s'",
		      commands[_i].command);
}
END_TEST

/* The last releases of 10, 13 and 14 were in November 2022, 2025 and 2026. */
static const struct {
	int major;
	const char *until;
} versions[] = {
	{ 10, "2022-12-01T00:00:00Z" },
	{ 13, "2025-12-01T00:00:00Z" },
	{ 14, "2026-12-01T00:00:00Z" },
	{ 18, "2030-12-01T00:00:00Z" },
};

START_TEST(the_last_month_of_a_version)
{
	int64_t ms;

	ck_assert(utc_parse(versions[_i].until, &ms));
	ck_assert_int_eq(setup_last_mended_ms(versions[_i].major), ms);
	ck_assert_int_eq(setup_last_mended_ms(9), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("setup");
	TCase *c = tcase_create("setup");

	tcase_add_loop_test(c, commands_that_archive_nothing_are_told, 0, CASES(commands));
	tcase_add_loop_test(c, the_last_month_of_a_version, 0, CASES(versions));
	suite_add_tcase(s, c);
	return suite_run(s);
}
