#include "lib/pg/timecol.h"

#include "tests/unit/suite.h"

static const struct {
	const char *name;
	enum pg_time_role role;
} names[] = {
	{ "created_at", PG_ROLE_CREATED },
	{ "createdAt", PG_ROLE_CREATED },
	{ "CREATED_ON", PG_ROLE_CREATED },
	{ "Date Added", PG_ROLE_CREATED },
	{ "inserted_at", PG_ROLE_CREATED },
	{ "creation-time", PG_ROLE_CREATED },
	{ "logged_at", PG_ROLE_CREATED },
	{ "ts", PG_ROLE_CREATED },
	{ "timestamp", PG_ROLE_CREATED },
	{ "event_time", PG_ROLE_CREATED },
	{ "occurred_at", PG_ROLE_CREATED },
	{ "order_date", PG_ROLE_CREATED },
	{ "shipment_date", PG_ROLE_CREATED },
	{ "date", PG_ROLE_CREATED },
	{ "datum_erstellt_ts", PG_ROLE_CREATED },
	{ "updated_at", PG_ROLE_CHANGED },
	{ "lastModified", PG_ROLE_CHANGED },
	{ "last_login", PG_ROLE_CHANGED },
	{ "logged_in_at", PG_ROLE_CHANGED },
	{ "paid_at", PG_ROLE_CHANGED },
	{ "deleted_at", PG_ROLE_CHANGED },
	{ "created_or_updated_at", PG_ROLE_CHANGED },
	{ "expires_at", PG_ROLE_NONE },
	{ "expiryDate", PG_ROLE_NONE },
	{ "valid_until", PG_ROLE_NONE },
	{ "valid_from", PG_ROLE_NONE },
	{ "due_date", PG_ROLE_NONE },
	{ "scheduled_for_ts", PG_ROLE_NONE },
	{ "next_run_at", PG_ROLE_NONE },
	{ "start_time", PG_ROLE_NONE },
	{ "end_time", PG_ROLE_NONE },
	{ "birthday", PG_ROLE_NONE },
	{ "date_of_birth", PG_ROLE_NONE },
	{ "created_valid_until", PG_ROLE_NONE },
	{ "whatever", PG_ROLE_NONE },
	{ "geburtstag", PG_ROLE_NONE },
	{ "", PG_ROLE_NONE },
	{ "___", PG_ROLE_NONE },
	{ "\xc3\xa9t\xc3\xa9", PG_ROLE_NONE },
	{ "andandandandandandandandandandandandandandandandandandandandandandandandand_ts",
	  PG_ROLE_CREATED },
};

START_TEST(name_table)
{
	const struct pg_timecol_facts f = { .name = names[_i].name, .type = PG_TIME_ZONED };
	int score = -1;

	ck_assert_msg(pg_timecol_judge(&f, &score) == names[_i].role, "%s", names[_i].name);
	ck_assert_int_eq(score > 0, names[_i].role != PG_ROLE_NONE);
}
END_TEST

static const struct {
	const char *deflt;
	bool now;
} defaults[] = {
	{ "now()", true },
	{ "CURRENT_TIMESTAMP", true },
	{ "CURRENT_TIMESTAMP(3)", true },
	{ "LOCALTIMESTAMP", true },
	{ "CURRENT_DATE", true },
	{ "clock_timestamp()", true },
	{ "statement_timestamp()", true },
	{ "transaction_timestamp()", true },
	{ "timezone('utc'::text, now())", true },
	{ "(now() AT TIME ZONE 'utc'::text)", true },
	{ "('now'::text)::date", true },
	{ "(now() + '30 days'::interval)", false },
	{ "(CURRENT_DATE - 1)", false },
	{ "'2020-01-01 00:00:00'::timestamp without time zone", false },
	{ "'infinity'::timestamp with time zone", false },
	{ "f()", false },
	{ "", false },
	{ NULL, false },
};

START_TEST(default_table)
{
	ck_assert_msg(pg_timecol_is_now(defaults[_i].deflt) == defaults[_i].now, "%s",
		      defaults[_i].deflt);
}
END_TEST

static int score_of(const struct pg_timecol_facts f)
{
	int score;

	(void)pg_timecol_judge(&f, &score);
	return score;
}

/* Each wins over the next. */
static const struct pg_timecol_facts ranking[] = {
	{ "created_at", PG_TIME_ZONED, "now()", true, true },
	{ "created_at", PG_TIME_ZONED, "now()", true, false },
	{ "created_at", PG_TIME_PLAIN, "now()", true, false },
	{ "created_at", PG_TIME_PLAIN, "now()", false, false },
	{ "created_at", PG_TIME_ZONED, NULL, true, true },
	{ "created_at", PG_TIME_ZONED, NULL, false, false },
	{ "created_at", PG_TIME_PLAIN, NULL, false, false },
	{ "ts", PG_TIME_ZONED, "now()", false, false },
	{ "stamp", PG_TIME_ZONED, "now()", false, false },
	{ "ts", PG_TIME_ZONED, NULL, false, false },
	{ "ts", PG_TIME_PLAIN, NULL, false, false },
	{ "shipment_date", PG_TIME_ZONED, NULL, false, false },
	{ "shipment_date", PG_TIME_DATE, NULL, false, false },
	{ "updated_at", PG_TIME_ZONED, "now()", true, false },
	{ "expires_at", PG_TIME_ZONED, "now()", true, true },
};

START_TEST(ranking_table)
{
	ck_assert_int_gt(score_of(ranking[_i]), score_of(ranking[_i + 1]));
}
END_TEST

START_TEST(a_default_makes_a_column)
{
	struct pg_timecol_facts f = { .name = "stempel", .type = PG_TIME_PLAIN, .deflt = "now()" };
	int score;

	ck_assert_int_eq(pg_timecol_judge(&f, &score), PG_ROLE_CREATED);
	f.deflt = "now() + '1 day'::interval";
	ck_assert_int_eq(pg_timecol_judge(&f, &score), PG_ROLE_NONE);
	f = (struct pg_timecol_facts){ .name = "created_at", .type = PG_TIME_NONE };
	ck_assert_int_eq(pg_timecol_judge(&f, &score), PG_ROLE_NONE);
	ck_assert_int_eq(score, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_timecol");
	TCase *c = tcase_create("pg_timecol");

	tcase_add_loop_test(c, name_table, 0, CASES(names));
	tcase_add_loop_test(c, default_table, 0, CASES(defaults));
	tcase_add_loop_test(c, ranking_table, 0, CASES(ranking) - 1);
	tcase_add_test(c, a_default_makes_a_column);
	suite_add_tcase(s, c);
	return suite_run(s);
}
