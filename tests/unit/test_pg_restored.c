#include "lib/pg/restored.h"

#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static void see(struct restored *r, const char *line)
{
	struct err e = { 0 };
	JSON_AUTO *o = record_parse(line, strlen(line), &e);
	struct record record = { .line = line, .len = strlen(line), .object = o };

	ck_assert_msg(o != NULL, "%s", e.msg);
	record.kind = record_text(o, "record");
	restored_see(r, &record);
}

static int64_t at(const char *s)
{
	int64_t ms = 0;

	ck_assert(utc_parse(s, &ms));
	return ms;
}

#define BACKUP(name, fields) "{\"record\":\"backup\",\"name\":\"" name "\"" fields "}"
#define TAKEN(t) ",\"taken_at\":\"" t "\""
#define MODIFIED(t) ",\"modified_at\":\"" t "\""
#define FETCHED ",\"newest\":true"

static const struct {
	const char *lines[4];
	const char *name;
} choices[] = {
	{ { BACKUP("a", MODIFIED("2026-02-01T00:00:01Z")),
	    BACKUP("b", MODIFIED("2026-02-02T00:00:01Z")) },
	  "b" },
	{ { BACKUP("b", MODIFIED("2026-02-02T00:00:01Z")),
	    BACKUP("a", MODIFIED("2026-02-01T00:00:01Z")) },
	  "b" },
	/* the time in the name before the modification */
	{ { BACKUP("a", TAKEN("2026-02-03T00:00:00Z") MODIFIED("2026-02-03T01:00:00Z")),
	    BACKUP("copied", TAKEN("2026-01-03T00:00:00Z") MODIFIED("2026-02-09T00:00:00Z")) },
	  "a" },
	/* the one that was fetched, whatever else is listed before or after */
	{ { BACKUP("a", TAKEN("2026-02-01T00:00:00Z")),
	    BACKUP("f", TAKEN("2026-01-01T00:00:00Z") FETCHED),
	    BACKUP("z", TAKEN("2026-03-01T00:00:00Z")) },
	  "f" },
	{ { BACKUP("timeless", ""), BACKUP("a", TAKEN("2026-02-01T00:00:00Z")) }, "a" },
	{ { BACKUP("a", TAKEN("2026-02-01T00:00:00Z")), BACKUP("timeless", "") }, "a" },
	{ { BACKUP("timeless", "") }, "timeless" },
	{ { "{\"record\":\"check\",\"name\":\"x\"}" }, NULL },
};

START_TEST(choice_table)
{
	RESTORED_AUTO r = { 0 };

	for (size_t i = 0; i < 4 && choices[_i].lines[i]; i++)
		see(&r, choices[_i].lines[i]);
	ck_assert_int_eq(r.backup, choices[_i].name != NULL);
	if (choices[_i].name)
		ck_assert_str_eq(r.name, choices[_i].name);
	else
		ck_assert_ptr_null(r.name);
}
END_TEST

START_TEST(where_it_is)
{
	RESTORED_AUTO r = { 0 };
	struct pg_target t;
	struct err e = { 0 };

	(void)unsetenv("PGSERVICE");
	(void)unsetenv("PGDATABASE");
	(void)unsetenv("PGHOSTADDR");
	(void)unsetenv("PGHOST");
	ck_assert_int_eq(restored_target(&r, NULL, &t, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	(void)setenv("PGHOST", "/tmp/somewhere", 1);
	ck_assert_int_eq(restored_target(&r, NULL, &t, &e), 0);
	ck_assert_ptr_null(t.conninfo);
	ck_assert_int_eq(t.env, PG_ENV_ALL);

	/* A restore that failed: PGHOST may be production. */
	see(&r, BACKUP("a", ""));
	ck_assert_int_eq(restored_target(&r, NULL, &t, &e), -1);
	ck_assert_int_eq(restored_target(&r, "host=/x", &t, &e), 0);
	ck_assert_str_eq(t.conninfo, "host=/x");

	see(&r,
	    "{\"record\":\"instance\",\"conninfo\":\"host=/run/x port=1\",\"database\":\"shop\","
	    "\"databases\":[\"postgres\",\"shop\",7]}");
	ck_assert_int_eq(restored_target(&r, NULL, &t, &e), 0);
	ck_assert_str_eq(t.conninfo, "host=/run/x port=1");
	ck_assert_str_eq(t.dbname, "shop");
	ck_assert_int_eq(t.env, PG_ENV_NONE);
	ck_assert_uint_eq(r.databases.n, 2);
	(void)unsetenv("PGHOST");
}
END_TEST

#define INSTANCE(t) "{\"record\":\"instance\",\"conninfo\":\"x\",\"recovery_point\":\"" t "\"}"

static const struct {
	const char *backup, *instance;
	const char *said; /* NULL: nothing */
	bool day;
} evidence[] = {
	{ BACKUP("a", TAKEN("2026-02-17T01:58:42Z") MODIFIED("2026-02-17T02:05:00Z")), NULL,
	  "2026-02-17T01:58:42Z", false },
	{ BACKUP("a", TAKEN("2026-02-17T00:00:00Z")), NULL, "2026-02-17T00:00:00Z", true },
	{ BACKUP("a", TAKEN("2026-02-17T00:00:00Z")), INSTANCE("2026-02-17T01:58:42Z"),
	  "2026-02-17T01:58:42Z", false },
	{ BACKUP("a", TAKEN("2026-02-17T00:00:00Z")), INSTANCE("2026-02-17T00:00:00Z"),
	  "2026-02-17T00:00:00Z", true },
	/* the modification is when the dump was finished, not what it holds */
	{ BACKUP("a", MODIFIED("2026-02-17T02:05:00Z")), INSTANCE("2026-02-17T02:05:00Z"), NULL,
	  false },
	{ BACKUP("a", MODIFIED("2026-02-17T02:05:00Z")), INSTANCE("2026-02-17T01:58:42Z"),
	  "2026-02-17T01:58:42Z", false },
	{ BACKUP("a", MODIFIED("2026-02-17T02:05:00Z")), NULL, NULL, false },
};

START_TEST(evidence_table)
{
	RESTORED_AUTO r = { 0 };
	struct pg_evidence v;

	see(&r, evidence[_i].backup);
	if (evidence[_i].instance)
		see(&r, evidence[_i].instance);
	restored_evidence(&r, NULL, &v);
	ck_assert_int_eq(v.said, evidence[_i].said != NULL);
	if (v.said)
		ck_assert_int_eq(v.said_ms, at(evidence[_i].said));
	ck_assert_int_eq(v.said_day, evidence[_i].day);
	ck_assert(!v.said_surely);
}
END_TEST

START_TEST(a_given_point_wins)
{
	RESTORED_AUTO r = { 0 };
	int64_t given = at("2026-02-16T00:00:00Z");
	struct pg_evidence v;

	see(&r, evidence[0].backup);
	restored_evidence(&r, &given, &v);
	ck_assert(v.said && v.said_surely && !v.said_day);
	ck_assert_int_eq(v.said_ms, given);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_restored");
	TCase *c = tcase_create("pg_restored");

	tcase_add_loop_test(c, choice_table, 0, CASES(choices));
	tcase_add_test(c, where_it_is);
	tcase_add_loop_test(c, evidence_table, 0, CASES(evidence));
	tcase_add_test(c, a_given_point_wins);
	suite_add_tcase(s, c);
	return suite_run(s);
}
