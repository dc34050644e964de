#include "lib/alert/slack_blocks.h"

#include "lib/base/record.h"
#include "lib/base/utf8.h"
#include "tests/unit/suite.h"

#include <string.h>

/* Slack's own limits, to be kept whatever a run has found. */
enum { BLOCKS = 50, HEADER = 150, SECTION = 3000, FIELD = 2000, FIELDS = 10 };

static json_t *check_of(const char *name, const char *subject, const char *status,
			const char *summary)
{
	json_t *c = json_pack("{s:s, s:s, s:s, s:s, s:s}", "record", "check", "check", name,
			      "subject", subject, "status", status, "summary", summary);

	ck_assert_ptr_nonnull(c);
	return c;
}

static size_t texts_below(const json_t *node, size_t most)
{
	const char *text = record_text(node, "text");
	size_t n = text ? utf8_count(text) : 0, i;
	const char *key;
	json_t *child;

	if (text) {
		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, most);
	}
	json_object_foreach((json_t *)(uintptr_t)node, key, child)
		n += texts_below(child, most);
	json_array_foreach(node, i, child)
		n += texts_below(child, most);
	return n;
}

static void assert_limits(const json_t *message)
{
	const json_t *blocks = json_object_get(message, "blocks");
	size_t i, sum = 0;
	json_t *block;

	ck_assert_uint_ge(utf8_count(record_text(message, "text")), 1);
	ck_assert_uint_le(utf8_count(record_text(message, "text")), SLACK_TEXT_MOST);
	ck_assert_uint_ge(json_array_size(blocks), 1);
	ck_assert_uint_le(json_array_size(blocks), BLOCKS);
	json_array_foreach(blocks, i, block) {
		const char *type = record_text(block, "type");

		if (strcmp(type, "header") == 0)
			sum += texts_below(block, HEADER);
		else if (json_object_get(block, "fields") || strcmp(type, "context") == 0)
			sum += texts_below(block, FIELD);
		else
			sum += texts_below(block, SECTION);
		ck_assert_uint_le(json_array_size(json_object_get(block, "fields")), FIELDS);
	}
	ck_assert_uint_le(sum, SLACK_BLOCKS_SUM);
}

static struct alert alert_of(enum alert_kind kind, enum verdict v, const json_t *failing,
			     const json_t *checks)
{
	return (struct alert){ .kind = kind,
			       .id = "01JD",
			       .key = "backup-probes/shop",
			       .topic = "",
			       .verdict = v,
			       .headline = "shop: the headline",
			       .label = "shop",
			       .run = "01JDRUN",
			       .host = "verify1",
			       .at_ms = 1771308700113,
			       .failing = failing,
			       .checks = checks };
}

static const char *header_of(const json_t *message)
{
	const json_t *block = json_array_get(json_object_get(message, "blocks"), 0);

	ck_assert_str_eq(record_text(block, "type"), "header");
	return record_text(json_object_get(block, "text"), "text");
}

static char *dump(const json_t *message)
{
	return json_dumps(message, JSON_COMPACT);
}

#define RED "\xf0\x9f\x94\xb4 "
#define YELLOW "\xf0\x9f\x9f\xa1 "
#define GREEN "\xf0\x9f\x9f\xa2 "
#define WHITE "\xe2\x9a\xaa "

static const struct {
	enum alert_kind kind;
	enum verdict verdict;
	const char *want;
} headers[] = {
	{ ALERT_TRIGGER, V_CRITICAL, RED "CRITICAL: shop" },
	{ ALERT_TRIGGER, V_WARNING, YELLOW "WARNING: shop" },
	{ ALERT_TRIGGER, V_UNKNOWN, WHITE "UNKNOWN: shop" },
	{ ALERT_REMINDER, V_CRITICAL, RED "Still CRITICAL: shop" },
	{ ALERT_RESOLVE, V_OK, GREEN "Recovered: shop" },
	{ ALERT_REPORT, V_OK, GREEN "OK: shop" },
	{ ALERT_TEST, V_OK, GREEN "Test alert: shop" },
};

START_TEST(header_table)
{
	json_t *none = json_array();
	const struct alert a = alert_of(headers[_i].kind, headers[_i].verdict, none, none);
	json_t *message = slack_message(&a);

	ck_assert_str_eq(header_of(message), headers[_i].want);
	assert_limits(message);
	json_decref(message);
	json_decref(none);
}
END_TEST

START_TEST(the_daily_report_in_order)
{
	json_t *checks = json_array();
	char *text;
	const char *last = NULL;
	static const char *const order[] = {
		"CRITICAL: shop",
		"1 of 5 checks did not pass",
		"*Verified RPO*\\n4 h 12 min (target 24 h)",
		"*Verified RTO*\\n22 min (target 30 min)",
		"*Backup size*\\n18.2 GB, +0.4 %",
		RED "*Row count* `public.orders`: 12 rows are missing",
		GREEN "*Backup download*: 18.2 GB",
		"<https://r/|Report> <https://b/|Runbook>",
		"2026-02-17 06:11:40 UTC",
		"verify1",
		"run 01JDRUN",
	};

	json_array_append_new(
		checks, check_of("row-count", "public.orders", "critical", "12 rows are missing"));
	json_array_append_new(checks,
			      check_of("verified-rpo", "", "ok", "4 h 12 min (target 24 h)"));
	json_array_append_new(checks, check_of("verified-rto", "", "ok", "22 min (target 30 min)"));
	json_array_append_new(checks, check_of("backup-size", "", "ok", "18.2 GB, +0.4 %"));
	json_array_append_new(checks, check_of("backup-download", "", "ok", "18.2 GB"));
	json_t *failing = json_pack("[O]", json_array_get(checks, 0));
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, failing, checks);
	a.report_url = "https://r/";
	a.runbook_url = "https://b/";
	json_t *message = slack_message(&a);
	text = json_dumps(json_object_get(message, "blocks"), JSON_COMPACT);

	last = text;
	for (int i = 0; i < CASES(order); i++) {
		const char *at = strstr(last, order[i]);

		ck_assert_msg(at != NULL, "not there, or not in order: %s in %s", order[i], last);
		last = at;
	}
	assert_limits(message);
	free(text);
	text = strdup(record_text(message, "text"));
	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, "shop: the headline\n<https://r/|Report> <https://b/|Runbook>");
	free(text);
	json_decref(message);
	json_decref(failing);
	json_decref(checks);
}
END_TEST

/* What names and sentences of a hostile database look like. */
static const char *const names[] = {
	"public.t",
	"<!channel>",
	"&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&",
	"*a* _b_ ~c~ `d` ```e```",
	"\xc3\xa4\xf0\x9f\x90\x98\xe2\x82\xac\xc3\xa4\xf0\x9f\x90\x98\xe2\x82\xac",
	"rtl \xe2\x80\xae and \x01\x02\n\r\t control",
	"",
};

START_TEST(limits_hold_for_500_failing_tables)
{
	json_t *failing = json_array(), *checks;
	BUF_AUTO name = BUF_INIT(100000), summary = BUF_INIT(100000);
	char *text;

	for (int i = 0; i < 500; i++) {
		buf_reset(&name);
		buf_addf(&name, "%s.%d", names[_i], i);
		buf_reset(&summary);
		for (int k = 0; k < 60; k++)
			buf_adds(&summary, names[_i]);
		json_array_append_new(failing,
				      check_of("row-count", name.s, "critical", summary.s));
	}
	checks = json_copy(failing);
	for (int i = 0; i < 500; i++)
		json_array_append_new(checks, check_of("verified-rpo", name.s, "ok", summary.s));
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, failing, checks);
	a.label = summary.s;
	a.host = summary.s;
	a.run = summary.s;
	a.headline = summary.s;
	a.since_ms = 1;
	json_t *message = slack_message(&a);

	assert_limits(message);
	text = dump(message);
	ck_assert_ptr_nonnull(text); /* valid UTF-8 throughout */
	ck_assert_ptr_nonnull(strstr(text, "more that did not pass"));
	ck_assert_ptr_nonnull(strstr(text, "500 of 1000 checks did not pass"));
	ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
	free(text);
	/* The header is plain_text, in which nothing is looked for. */
	json_array_remove(json_object_get(message, "blocks"), 0);
	text = dump(message);
	ck_assert_ptr_null(strstr(text, "<!channel>"));
	free(text);
	json_decref(message);
	json_decref(failing);
	json_decref(checks);
}
END_TEST

START_TEST(a_bad_address_is_not_linked)
{
	json_t *none = json_array();
	struct alert a = alert_of(ALERT_TRIGGER, V_CRITICAL, none, none);
	json_t *message;
	char *text;

	a.report_url = "javascript:x";
	a.runbook_url = "https://x/><!channel>";
	message = slack_message(&a);
	text = dump(message);
	ck_assert_ptr_null(strstr(text, "javascript"));
	ck_assert_ptr_null(strstr(text, "channel"));
	free(text);
	json_decref(message);
	json_decref(none);
}
END_TEST

START_TEST(a_recovery_says_since_when)
{
	json_t *none = json_array();
	struct alert a = alert_of(ALERT_RESOLVE, V_OK, none, none);
	json_t *message;
	char *text;

	a.since_ms = a.at_ms - 93600 * 1000;
	message = slack_message(&a);
	text = dump(message);
	ck_assert_msg(strstr(text, "it had failed since 2026-02-16 04:11:40 UTC (26 h)") != NULL,
		      "%s", text);
	free(text);
	json_decref(message);
	json_decref(none);
}
END_TEST

/* Fields may be missing: the stream may come from anybody's tool. */
START_TEST(checks_may_say_nothing)
{
	json_t *failing =
		json_pack("[{}, {s:i, s:n, s:s}]", "check", 3, "summary", "status", "weird");
	const struct alert a = alert_of(ALERT_TRIGGER, V_UNKNOWN, failing, failing);
	json_t *message = slack_message(&a);

	assert_limits(message);
	json_decref(message);
	json_decref(failing);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slack_blocks");
	TCase *c = tcase_create("slack_blocks");

	tcase_add_loop_test(c, header_table, 0, CASES(headers));
	tcase_add_test(c, the_daily_report_in_order);
	tcase_add_loop_test(c, limits_hold_for_500_failing_tables, 0, CASES(names));
	tcase_add_test(c, a_bad_address_is_not_linked);
	tcase_add_test(c, a_recovery_says_since_when);
	tcase_add_test(c, checks_may_say_nothing);
	suite_add_tcase(s, c);
	return suite_run(s);
}
