#include "lib/alert/policy.h"

#include "tests/unit/suite.h"

#include <string.h>

enum { DAY_S = 24 * 3600, HOUR_S = 3600 };

/*
 * Fourteen days, one run a day. found: o ok, w warning, c critical, d critical in other checks,
 * u unknown. told: - nothing, T trigger, M reminder, R resolve, P report.
 */
static const struct {
	const char *name;
	enum policy_when when;
	uint64_t remind_s;
	enum verdict from;
	bool blindly;
	const char *found, *told;
} fortnights[] = {
	{ "paging", WHEN_FAILURE, 0, V_WARNING, false, "ooccccoowoouco", "--TMMMR-TR-TTR" },
	{ "paging, weekly", WHEN_FAILURE, 7 * DAY_S, V_WARNING, false, "cccccccccccccc",
	  "T------M------" },
	{ "paging, every other day", WHEN_FAILURE, 2 * DAY_S, V_WARNING, false, "occcccdddoccoo",
	  "-T-M-MT-MRT-R-" },
	{ "paging, only critical", WHEN_FAILURE, 0, V_CRITICAL, false, "wwcuwcoouuwcco",
	  "--TR-TR----TMR" },
	{ "paging, unknown too", WHEN_FAILURE, 0, V_UNKNOWN, false, "wwcuwcoouuwcco",
	  "--TTRTR-TMRTMR" },
	{ "paging, blindly", WHEN_FAILURE, 0, V_WARNING, true, "oocooooooooooo", "R-TR----------" },
	{ "change", WHEN_CHANGE, 0, V_WARNING, false, "occcddccwwooou", "-T--T-T-T-R--T" },
	{ "change, weekly", WHEN_CHANGE, 7 * DAY_S, V_WARNING, false, "occcccccccccco",
	  "-T------M----R" },
	{ "daily report", WHEN_ALWAYS, 0, V_WARNING, false, "oocccduowwoooo", "PPTMMTTRTMRPPP" },
	{ "daily report, weekly reminder", WHEN_ALWAYS, 7 * DAY_S, V_WARNING, false,
	  "cccccccccccccc", "TMMMMMMMMMMMMM" },
	{ "daily report, only critical", WHEN_ALWAYS, 0, V_CRITICAL, false, "owowcwccoooooo",
	  "PPPPTRTMRPPPPP" },
	{ "never failed", WHEN_CHANGE, DAY_S, V_WARNING, false, "oooooooooooooo",
	  "--------------" },
};

static struct policy_finding finding(char c, int64_t at_ms)
{
	static const char letters[] = "owcdu";
	static const struct policy_finding of[] = {
		{ V_OK, 0, 0 },       { V_WARNING, 1, 0 }, { V_CRITICAL, 1, 0 },
		{ V_CRITICAL, 2, 0 }, { V_UNKNOWN, 1, 0 },
	};
	struct policy_finding f = of[strchr(letters, c) - letters];

	f.at_ms = at_ms;
	return f;
}

static char letter_of(const struct policy_decision *d)
{
	return d->send ? "TMRPX"[d->kind] : '-';
}

START_TEST(fortnight)
{
	struct policy_rules rules = { fortnights[_i].when, fortnights[_i].remind_s,
				      fortnights[_i].from, fortnights[_i].blindly };
	struct policy_memory m = { 0 };
	char told[15] = "";

	for (int day = 0; day < 14; day++) {
		/* Runs are never on the dot: up to 50 minutes early or late. */
		int64_t at_ms = (day * (int64_t)DAY_S + day * 37 % 101 * 60 - 50 * 60) * 1000;
		struct policy_finding f = finding(fortnights[_i].found[day], at_ms);
		struct policy_decision d = policy_decide(&rules, &m, &f);

		told[day] = letter_of(&d);
		ck_assert_ptr_nonnull(d.why);
		ck_assert(d.after.known);
		m = d.after;
	}
	ck_assert_msg(strcmp(told, fortnights[_i].told) == 0, "%s: found %s, told %s, not %s",
		      fortnights[_i].name, fortnights[_i].found, told, fortnights[_i].told);
}
END_TEST

START_TEST(since_is_the_first_failure)
{
	struct policy_rules rules = { WHEN_CHANGE, 0, V_WARNING, false };
	struct policy_memory m = { 0 };
	static const char found[] = "occwco";
	static const int64_t since[] = { 0, 1, 1, 1, 1, 0 };

	for (int day = 0; found[day]; day++) {
		struct policy_finding f = finding(found[day], day);

		m = policy_decide(&rules, &m, &f).after;
		ck_assert_int_eq(m.since_ms, since[day]);
	}
}
END_TEST

/* A clock that was a year ahead when the last message went out must not silence reminders. */
START_TEST(clock_set_back)
{
	struct policy_rules rules = { WHEN_CHANGE, DAY_S, V_WARNING, false };
	struct policy_memory m = { true, true, V_CRITICAL, 1, 0, 365LL * DAY_S * 1000 };
	struct policy_finding f = finding('c', DAY_S);
	struct policy_decision d = policy_decide(&rules, &m, &f);

	ck_assert(d.send);
	ck_assert_int_eq(d.kind, ALERT_REMINDER);
	ck_assert_int_eq(d.after.told_ms, f.at_ms);
}
END_TEST

static const struct {
	int64_t hours;
	bool due;
} reminders[] = {
	{ 0, false }, { 12, false }, { 21, false }, { 22, true }, { 24, true }, { 48, true },
};

START_TEST(reminder_slack)
{
	struct policy_rules rules = { WHEN_FAILURE, DAY_S, V_WARNING, false };
	struct policy_memory m = { true, true, V_CRITICAL, 1, 0, 0 };
	struct policy_finding f = finding('c', reminders[_i].hours * HOUR_S * 1000);

	ck_assert_int_eq(policy_decide(&rules, &m, &f).send, reminders[_i].due);
}
END_TEST

/* What was not told does not count as told: the next change is measured against the last message.
 */
START_TEST(unsent_is_not_remembered_as_told)
{
	struct policy_rules rules = { WHEN_CHANGE, DAY_S, V_WARNING, false };
	struct policy_memory m = { true, true, V_CRITICAL, 1, 5, 10 };
	struct policy_finding f = finding('c', 1000);
	struct policy_decision d = policy_decide(&rules, &m, &f);

	ck_assert(!d.send);
	ck_assert_int_eq(d.after.told_ms, 10);
	ck_assert_int_eq(d.after.since_ms, 5);
}
END_TEST

START_TEST(words)
{
	enum policy_when when = WHEN_FAILURE;
	enum alert_kind kind;
	struct err e = { 0 };

	ck_assert_int_eq(policy_parse_when("change", &when, &e), 0);
	ck_assert_int_eq(when, WHEN_CHANGE);
	ck_assert_int_eq(policy_parse_when("sometimes", &when, &e), -1);
	ck_assert_str_eq(e.msg, "'sometimes' is none of failure, always, change");
	ck_assert_int_eq(when, WHEN_CHANGE);
	for (enum alert_kind k = ALERT_TRIGGER; k <= ALERT_TEST; k++) {
		ck_assert(alert_kind_parse(alert_kind_name(k), &kind));
		ck_assert_int_eq(kind, k);
	}
	ck_assert(!alert_kind_parse("alarm", &kind));
	ck_assert(!alert_kind_parse(NULL, &kind));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("policy");
	TCase *c = tcase_create("policy");

	tcase_add_loop_test(c, fortnight, 0, CASES(fortnights));
	tcase_add_test(c, since_is_the_first_failure);
	tcase_add_test(c, clock_set_back);
	tcase_add_loop_test(c, reminder_slack, 0, CASES(reminders));
	tcase_add_test(c, unsent_is_not_remembered_as_told);
	tcase_add_test(c, words);
	suite_add_tcase(s, c);
	return suite_run(s);
}
