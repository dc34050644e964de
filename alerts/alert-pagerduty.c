/*
 * alert-pagerduty: PagerDuty Events API v2. One incident for each label and failing check, resolved
 * when that check passes again.
 */
#include "lib/alert/sender.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/base/utc.h"

#include <stdlib.h>
#include <string.h>

/* developer.pagerduty.com/docs/events-api-v2: Overview, Trigger Events, Change Events. */
enum {
	KEY_LENGTH = 32,           /* routing_key */
	SUMMARY_MOST = 1024,       /* payload.summary, characters */
	DETAILS_MOST = 300 * 1024, /* of 512 KB for the whole event; escapes are counted */
	EVENT_MAX = 512 * 1000,
	LIMITED_WAIT_MS = 30 * 1000 /* Rate Limits: after a 429 try again 30 s later */
};

static const char us_endpoint[] = "https://events.pagerduty.com";
static const char eu_endpoint[] = "https://events.eu.pagerduty.com";
static const char key_letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static struct {
	const char *key_file, *endpoint;
	bool change_events;
} config;
static struct secret key;

static int prepare(struct err *e)
{
	if (config.endpoint == NULL || strcmp(config.endpoint, "us") == 0)
		config.endpoint = us_endpoint;
	else if (strcmp(config.endpoint, "eu") == 0)
		config.endpoint = eu_endpoint;
	if (secret_need(&key, "PAGERDUTY_ROUTING_KEY", config.key_file, e) < 0)
		return -1;
	if (strlen(key.value) != KEY_LENGTH || strspn(key.value, key_letters) != KEY_LENGTH)
		return err_set(
			e, ERR_USAGE,
			"use PAGERDUTY_ROUTING_KEY: it is not %d letters and digits; take the "
			"integration key of an Events API v2 integration",
			KEY_LENGTH);
	return 0;
}

static void finish(void)
{
	secret_wipe(&key);
}

static const char *severity(const struct alert *a)
{
	static const char *const of[] = { "info", "warning", "critical", "error" };

	return of[a->verdict];
}

static json_t *one_line(const char *s, size_t most)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);

	alert_text(&b, s, most);
	return json_string(b.s);
}

static json_t *details(const struct alert *a)
{
	json_t *shown = alert_checks(a->failing, DETAILS_MOST);
	size_t all = json_array_size(a->failing), left = all - json_array_size(shown);
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:o}", "label", a->label, "run", a->run,
			      "failing_checks", (json_int_t)all, "not_shown", (json_int_t)left,
			      "failing", shown);
	char since[UTC_SIZE];

	if (a->since_ms)
		json_object_set_new(o, "failing_since",
				    json_string(utc_format(a->since_ms, since)));
	return o;
}

static void add_link(json_t *links, const char *href, const char *text)
{
	if (href)
		json_array_append_new(links, json_pack("{s:s, s:s}", "href", href, "text", text));
}

static json_t *base_of(const struct alert *a)
{
	json_t *links = json_array();
	char at[UTC_SIZE];

	add_link(links, a->report_url, "Report");
	add_link(links, a->runbook_url, "Runbook");
	return json_pack("{s:{s:o, s:s, s:s, s:o}, s:o}", "payload", "summary",
			 one_line(a->headline, SUMMARY_MOST), "source", a->host, "timestamp",
			 utc_format(a->at_ms, at), "custom_details", details(a), "links", links);
}

static json_t *compose(const struct alert *a)
{
	json_t *event, *payload;

	if (a->kind == ALERT_RESOLVE)
		return json_pack("{s:s, s:s}", "event_action", "resolve", "dedup_key", a->key);
	event = base_of(a);
	if (a->kind == ALERT_REPORT) /* a change event: no severity, no key */
		return event;
	payload = json_object_get(event, "payload");
	json_object_set_new(payload, "severity", json_string(severity(a)));
	json_object_set_new(payload, "component", json_string("postgresql"));
	json_object_set_new(payload, "group", one_line(a->label, SUMMARY_MOST));
	json_object_set_new(payload, "class", one_line(a->topic, SUMMARY_MOST));
	json_object_set_new(event, "event_action", json_string("trigger"));
	json_object_set_new(event, "dedup_key", json_string(a->key));
	json_object_set_new(event, "client", json_string("backup-probes"));
	if (a->report_url)
		json_object_set_new(event, "client_url", json_string(a->report_url));
	return event;
}

/* The service's reasons: {"status":"invalid event","message":"…","errors":["…"]}. */
static enum fate judge(struct courier_answer *a, struct buf *why)
{
	struct err ignored = { 0 };
	JSON_AUTO *o = record_parse(a->body.s, a->body.len, &ignored);
	const char *message = record_text(o, "message");
	const char *error = json_string_value(json_array_get(json_object_get(o, "errors"), 0));

	if (a->status == 429 && a->retry_after_ms < 0)
		a->retry_after_ms = LIMITED_WAIT_MS;
	if (a->status >= 400 && message)
		buf_addf(why, "%.200s%s%.200s ", message, error ? ": " : "", error ? error : "");
	return courier_judge(a, why);
}

/* The key is put in as the last thing, in memory that is wiped. */
static void add_key(struct buf *out, const json_t *event)
{
	char *text = record_print(event, EVENT_MAX);

	if (text)
		buf_addf(out, "{\"routing_key\":\"%s\",%s", key.value, text + 1);
	free(text);
}

static enum fate deliver(struct sending *w, const json_t *message, struct err *e)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	const json_t *event = json_object_get(message, "body");
	bool change = record_text(event, "event_action") == NULL;
	struct buf body = BUF_INIT(EVENT_MAX), url = BUF_INIT(2048);
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct courier_request q = { .method = "POST", .headers = headers, .judge = judge };
	enum fate fate;

	buf_addf(&url, "%s/v2/%s", config.endpoint, change ? "change/enqueue" : "enqueue");
	add_key(&body, event);
	q.url = url.s;
	q.body = body.s;
	q.len = body.len;
	fate = courier_send(w->courier, &q, &a, e);
	if (w->said)
		buf_addf(w->said, "PagerDuty answered %ld; resolve the incident there", a.status);
	if (body.cap)
		explicit_bzero(body.s, body.cap);
	buf_free(&body);
	buf_free(&url);
	courier_answer_free(&a);
	return fate;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "routing-key-file", "FILE", &config.key_file,
	  "file with the integration key; else PAGERDUTY_ROUTING_KEY in the environment or in "
	  "$CREDENTIALS_DIRECTORY", "PAGERDUTY_ROUTING_KEY_FILE", false, NULL },
	{ OPT_TEXT, 0, "endpoint", "WHERE", &config.endpoint,
	  "us (the default), eu, or the URL of another service that speaks Events API v2",
	  "PAGERDUTY_ENDPOINT", false, NULL },
	{ OPT_FLAG, 0, "change-events", NULL, &config.change_events,
	  "also record each run that passed, as a change event", "PAGERDUTY_CHANGE_EVENTS", false, NULL },
	SENDER_OPTIONS("failure"),
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "alert-pagerduty",
	.what = "page somebody about a backup that fails its checks, and resolve it",
	.operands = "",
	.description =
		"Passes all records on. When they end it opens an incident in PagerDuty for each "
		"check that failed, under a key made of the label and the check's name, and "
		"resolves what was open and passes now. A stage that did not end, an empty stream "
		"and a run that was cut off are failures too.\n\n"
		"Critical is sent as critical, unknown as error, warning as warning.",
	.examples = "verify-something | alert-pagerduty --label shop | emit-report\n"
		    "Page on failure; the key is in PAGERDUTY_ROUTING_KEY.\n\n"
		    "alert-pagerduty --test --label shop\n"
		    "Prove that a page arrives.",
	.see_also = "alert-slack(1), alert-webhook(1), emit-report(1)",
	.options = options,
	.gathers = true,
};

static const struct sender pagerduty = {
	.tool = &tool,
	.when = WHEN_FAILURE,
	.per_check = true,
	.resolve_blindly = true,
	.tell_passed = &config.change_events,
	.prepare = prepare,
	.compose = compose,
	.deliver = deliver,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return sender_main(&pagerduty, argc, argv);
}
