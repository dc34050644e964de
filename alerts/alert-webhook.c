/*
 * alert-webhook: the verdict of a run as JSON to any HTTP endpoint, signed; or to Alertmanager.
 */
#include "lib/alert/alertmanager.h"
#include "lib/alert/sender.h"
#include "lib/alert/sign.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/base/utc.h"

#include <stdlib.h>
#include <string.h>

enum {
	BODY_MAX = 2 << 20,
	CHECKS_MOST = 512 * 1024, /* of the list of failing checks, and of that of all */
	HEADERS_MAX = 16 * 1024,
	HEADERS_MOST = 32,
	TTL_S = 7 * 24 * 3600
};

static struct {
	bool alertmanager;
	const char *url_file, *secret_file, *headers_file;
	uint64_t ttl_s;
} config = { .ttl_s = TTL_S };
static struct secret url, secret;
static struct buf own_headers = BUF_INIT(HEADERS_MAX); /* lines, each ended by a NUL */

static struct sender webhook;

/* "Name: value" lines; empty lines and those with '#' are skipped. Values may be secrets: no
 * message repeats one. */
static int read_headers(struct err *e)
{
	unsigned n = 0;

	if (config.headers_file == NULL)
		return 0;
	if (io_slurp(config.headers_file, &own_headers, e) < 0)
		return -1;
	for (char *line = own_headers.s, *end; *line; line = end) {
		size_t name = strcspn(line, ":\r\n");

		end = line + strcspn(line, "\r\n");
		while (*end == '\r' || *end == '\n')
			*end++ = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (name == 0 || line[name] != ':' || ++n > HEADERS_MOST)
			return err_set(e, ERR_USAGE,
				       "read %s: it is not a list of at most %d lines \"Name: "
				       "value\"",
				       config.headers_file, HEADERS_MOST);
	}
	return 0;
}

static int prepare(struct err *e)
{
	const char *name = config.alertmanager ? "ALERTMANAGER_URL" : "WEBHOOK_URL";
	const char *file = config.url_file       ? config.url_file
			   : config.alertmanager ? getenv("ALERTMANAGER_URL_FILE")
						 : getenv("WEBHOOK_URL_FILE");

	webhook.per_check = webhook.resolve_blindly = config.alertmanager;
	if (config.alertmanager && sender_options.name == NULL)
		sender_options.name = "alertmanager";
	if (secret_need(&url, name, file && file[0] ? file : NULL, e) < 0 ||
	    secret_load(&secret, "WEBHOOK_SECRET", config.secret_file, e) < 0)
		return -1;
	return read_headers(e);
}

static void finish(void)
{
	secret_wipe(&url);
	secret_wipe(&secret);
	if (own_headers.cap > 0)
		explicit_bzero(own_headers.s, own_headers.cap);
	buf_free(&own_headers);
}

static void set_text(json_t *o, const char *name, const char *value)
{
	json_object_set_new(o, name, value ? json_string(value) : json_null());
}

static json_t *compose(const struct alert *a)
{
	char at[UTC_SIZE], since[UTC_SIZE];
	json_t *o;

	if (config.alertmanager)
		return alertmanager_compose(a, config.ttl_s);
	o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "version", 1, "id",
		      a->id, "kind", alert_kind_name(a->kind), "key", a->key, "label", a->label,
		      "run", a->run, "host", a->host, "at", utc_format(a->at_ms, at), "verdict",
		      verdict_name(a->verdict), "headline", a->headline);
	set_text(o, "since", a->since_ms ? utc_format(a->since_ms, since) : NULL);
	set_text(o, "report_url", a->report_url);
	set_text(o, "runbook_url", a->runbook_url);
	json_object_set_new(o, "failing_count",
			    json_integer((json_int_t)json_array_size(a->failing)));
	json_object_set_new(o, "failing", alert_checks(a->failing, CHECKS_MOST));
	json_object_set_new(o, "checks_count",
			    json_integer((json_int_t)json_array_size(a->checks)));
	json_object_set_new(o, "checks", alert_checks(a->checks, CHECKS_MOST));
	return o;
}

static size_t add_own_headers(const char **list, size_t n, size_t most)
{
	for (size_t at = 0; at < own_headers.len && n < most; at++) {
		const char *line = own_headers.s + at;

		if (line[0] != '\0' && line[0] != '#')
			list[n++] = line;
		at += strlen(line);
	}
	return n;
}

static enum fate post(struct sending *w, const char *where, const char *id, const char *body,
		      struct err *e)
{
	const char *headers[HEADERS_MOST + 4] = { "Content-Type: application/json" };
	BUF_AUTO signature = BUF_INIT(256);
	BUF_AUTO key = BUF_INIT(256);
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct courier_request q = { .method = "POST",
				     .url = where,
				     .headers = headers,
				     .body = body,
				     .len = strlen(body) };
	size_t n = 1;
	enum fate fate;

	buf_addf(&key, "Idempotency-Key: %s", id);
	headers[n++] = key.s;
	if (secret.value && !config.alertmanager) {
		buf_adds(&signature, "X-Backup-Probes-Signature: ");
		sign_body(&signature, secret.value, utc_now_ms(), body, q.len);
		headers[n++] = signature.s;
	}
	(void)add_own_headers(headers, n, HEADERS_MOST + 3);
	fate = courier_send(w->courier, &q, &a, e);
	if (w->said)
		buf_addf(w->said, "answered %ld", a.status);
	courier_answer_free(&a);
	return fate;
}

static enum fate deliver(struct sending *w, const json_t *message, struct err *e)
{
	const json_t *body = json_object_get(message, "body");
	const json_t *alerts = json_object_get(body, "alerts");
	const char *id = record_text(message, "id");
	struct buf where = BUF_INIT(8192);
	char *text = record_print(alerts ? alerts : body, BODY_MAX);
	size_t n = strlen(url.value);
	enum fate fate;

	while (alerts && n > 0 && url.value[n - 1] == '/')
		n--;
	buf_add(&where, url.value, n);
	if (alerts)
		buf_adds(&where, "/api/v2/alerts");
	if (text && id) {
		fate = post(w, where.s, id, text, e);
	} else {
		(void)err_set(e, ERR_SYSTEM, "send a message: it is larger than %d bytes",
			      BODY_MAX);
		fate = FATE_REFUSED;
	}
	free(text);
	explicit_bzero(where.s, where.len);
	buf_free(&where);
	return fate;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "url-file", "FILE", &config.url_file,
	  "file with the address; else WEBHOOK_URL (with --alertmanager: ALERTMANAGER_URL) in the "
	  "environment, in the file that WEBHOOK_URL_FILE (ALERTMANAGER_URL_FILE) names, or in "
	  "$CREDENTIALS_DIRECTORY",
	  NULL, false, NULL },
	{ OPT_TEXT, 0, "secret-file", "FILE", &config.secret_file,
	  "file with the secret to sign the body with; else WEBHOOK_SECRET; default: not signed",
	  "WEBHOOK_SECRET_FILE", false, NULL },
	{ OPT_TEXT, 0, "headers-file", "FILE", &config.headers_file,
	  "file with headers to add, a line \"Name: value\" each", "WEBHOOK_HEADERS_FILE", false, NULL },
	{ OPT_FLAG, 0, "alertmanager", NULL, &config.alertmanager,
	  "speak to Prometheus Alertmanager, API v2: one alert for each failing check",
	  NULL, false, NULL },
	{ OPT_DURATION, 0, "ends-after", "DURATION", &config.ttl_s,
	  "with --alertmanager: when an alert that nobody renewed ends; default: 7d",
	  NULL, false, NULL },
	SENDER_OPTIONS("failure"),
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "alert-webhook",
	.what = "post the verdict of a run as JSON, signed, or to Alertmanager",
	.operands = "",
	.description =
		"Passes all records on. When they end it posts one JSON object: kind (trigger, "
		"reminder, resolve, report, test), key (the same for all runs of a label), id (the "
		"same when it is sent again), verdict, headline, the failing checks and all "
		"checks, "
		"worst first.\n\n"
		"With a secret the body is signed: X-Backup-Probes-Signature holds t=UNIX,v1=HEX, "
		"HEX being the HMAC-SHA256 of \"UNIX.BODY\". A receiver should refuse what is "
		"older "
		"than five minutes.",
	.examples = "verify-something | alert-webhook --when always | emit-report\n"
		    "Post each run to WEBHOOK_URL.\n\n"
		    "verify-something | alert-webhook --alertmanager | emit-report\n"
		    "Fire and resolve alerts in the Alertmanager at ALERTMANAGER_URL.",
	.see_also = "alert-pagerduty(1), alert-slack(1), emit-report(1)",
	.options = options,
	.gathers = true,
};

static struct sender webhook = {
	.tool = &tool,
	.when = WHEN_FAILURE,
	.prepare = prepare,
	.compose = compose,
	.deliver = deliver,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return sender_main(&webhook, argc, argv);
}
