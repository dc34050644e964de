#ifndef TESTS_UNIT_SUMMARY_H
#define TESTS_UNIT_SUMMARY_H
/*
 * summary: a stream of records, gathered, for tests of what is made of it. Each test has its own.
 */
#include "lib/report/summary.h"

#include "lib/base/utc.h"
#include "tests/unit/json.h"

static struct summary s;
static struct strv expected, expected_if_restored;

static inline void set_up(void)
{
	summary_init(&s);
}

static inline void tear_down(void)
{
	summary_free(&s);
	strv_free(&expected);
	strv_free(&expected_if_restored);
}

static inline void take(const char *record)
{
	json_t *object = json_of(record);

	summary_take(&s, object);
	json_decref(object);
}

static inline void begin(const char *tool)
{
	json_t *o = json_pack("{ss ss ss ss ss}", "record", "stage", "tool", tool, "event", "begin",
			      "run", "R1", "at", "2026-02-17T06:11:40.113Z");

	summary_take(&s, o);
	json_decref(o);
}

static inline void end(const char *tool, const char *status, int checks)
{
	json_t *o = json_pack("{ss ss ss ss sf si}", "record", "stage", "tool", tool, "event",
			      "end", "status", status, "seconds", 1.5, "checks", checks);

	summary_take(&s, o);
	json_decref(o);
}

static inline void check(const char *tool, const char *name, const char *subject,
			 const char *status, const char *summary, int rows)
{
	json_t *o = json_pack("{ss ss ss ss ss ss s[{ss si}]}", "record", "check", "tool", tool,
			      "check", name, "subject", subject, "status", status, "summary",
			      summary, "metrics", "name", "rows", "value", rows);

	summary_take(&s, o);
	json_decref(o);
}

static inline void finish(void)
{
	int64_t now = 0;

	ck_assert(utc_parse("2026-02-17T06:12:00Z", &now));
	summary_finish(&s, &expected, &expected_if_restored, now);
}
#endif
