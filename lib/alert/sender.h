#ifndef LIB_ALERT_SENDER_H
#define LIB_ALERT_SENDER_H
/*
 * sender: what all alert tools have in common; a tool adds how its service wants to be spoken to.
 *
 * As a filter it passes every record through at once. When the stream has ended it decides
 *(policy.h) what is to be told, lets the tool word it, delivers (delivery.h), and appends the check
 * "alert-delivery" with the sender's name as subject and as `observed` one of "delivered", "not
 * needed", "spooled", "failed". The last two are warnings, never more: an alert that did not go out
 * says nothing about the backup.
 *
 * A tool is this table and main():
 *
 *	static const struct opt options[] = { ..., SENDER_OPTIONS("failure"), OPT_TABLE_END };
 *	static const struct sender pagerduty = { .tool = &tool, .compose = ..., .deliver = ... };
 *	int main(int argc, char **argv)
 *	{
 *		return sender_main(&pagerduty, argc, argv);
 *	}
 *
 * A second sender of the same kind in one pipeline is told apart by --name; without it, by its
 * place: it sees the other's alert-delivery check and calls itself NAME-2.
 */
#include "lib/alert/alert.h"
#include "lib/base/tool.h"
#include "lib/net/courier.h"

#include <jansson.h>

/* What a tool sends with. */
struct sending {
	struct courier *courier; /* NULL for a tool with own_transport */
	const char *ca_file;
	uint64_t try_ms;
	int64_t deadline_ms; /* monotonic */
	struct buf *dry;     /* not NULL: print the request here, masked, send nothing */
	struct buf *said;    /* the service's words of acceptance, for --test: "answered 202" */
	struct err flaw;     /* out: it was accepted, and yet not all of it arrived */
};

struct sender {
	const struct tool *tool;
	enum policy_when when;   /* default of --when */
	bool per_check;          /* one incident for each failing check */
	bool resolve_blindly;    /* policy.h */
	const bool *tell_passed; /* also send a REPORT of each run that passed; NULL: no */
	bool own_transport;      /* no HTTP client is wanted */

	/* Reads secrets and checks what was configured, before anything is read. May change this
	 * table, where it is not const. */
	int (*prepare)(struct err *e);

	/* The message, without any secret in it: a JSON object, the sender's own, which deliver()
	 * gets back as the field "body", perhaps in another process and days later. */
	json_t *(*compose)(const struct alert *a);

	/* message: "id" "kind" "key" "topic" "label" "run" "at" "verdict" "body". Anything but
	 * FATE_ACCEPTED needs *e. */
	enum fate (*deliver)(struct sending *w, const json_t *message, struct err *e);

	/* Wipes secrets; may be NULL. */
	void (*finish)(void);
};

/* The options that every sender has. */
struct sender_options {
	enum policy_when when;
	uint64_t remind_s;
	enum verdict from;
	struct strv expect, expect_restored;
	const char *name, *state_dir, *ca_file, *report_url, *runbook_url;
	uint64_t total_s, try_s;
	bool test, dry_run, flush;
};
extern struct sender_options sender_options;
int sender_parse_from(const char *word, void *to, struct err *e);

/* clang-format off */
#define SENDER_OPTIONS(default_when) \
	{ OPT_CALL, 0, "when", "WHEN", &sender_options.when, \
	  "send on failure (and on the recovery after it), on change, or always; default: " \
	  default_when, \
	  "ALERT_WHEN", false, policy_parse_when }, \
	{ OPT_DURATION, 0, "remind-every", "DURATION", &sender_options.remind_s, \
	  "tell again what stays broken, this often; default: at every run with --when failure, " \
	  "never with --when change", "REMIND_EVERY", false, NULL }, \
	{ OPT_CALL, 0, "from", "VERDICT", &sender_options.from, \
	  "the least that is a failure: warning (the default), unknown or critical", \
	  "ALERT_FROM", false, sender_parse_from }, \
	{ OPT_LIST, 0, "expect", "TOOL", &sender_options.expect, \
	  "a failure when this tool never began; may be given several times", NULL, false, NULL }, \
	{ OPT_LIST, 0, "expect-restored", "TOOL", &sender_options.expect_restored, \
	  "the same, for runs in which a backup was restored", NULL, false, NULL }, \
	{ OPT_TEXT, 0, "name", "NAME", &sender_options.name, \
	  "what to call this sender, where there are two of a kind", NULL, false, NULL }, \
	{ OPT_TEXT, 0, "state-dir", "DIR", &sender_options.state_dir, \
	  "where it remembers what was told and keeps what could not be sent; default: alerts " \
	  "beside the history, else /var/lib/backup-probes/alerts, for users " \
	  "~/.local/state/backup-probes/alerts", "ALERT_STATE_DIR", false, NULL }, \
	{ OPT_DURATION, 0, "deliver-within", "DURATION", &sender_options.total_s, \
	  "time for all tries of all messages; what is left is spooled; default: 60s", \
	  "DELIVER_WITHIN", false, NULL }, \
	{ OPT_DURATION, 0, "try-timeout", "DURATION", &sender_options.try_s, \
	  "time for one try; default: 10s", NULL, false, NULL }, \
	{ OPT_TEXT, 0, "ca-file", "FILE", &sender_options.ca_file, \
	  "certificates (PEM) to verify the service with; default: the system's", "CA_FILE", \
	  false, NULL }, \
	{ OPT_TEXT, 0, "report-url", "URL", &sender_options.report_url, \
	  "where the report can be read, to be linked", "REPORT_URL", false, NULL }, \
	{ OPT_TEXT, 0, "runbook-url", "URL", &sender_options.runbook_url, \
	  "what to do then, to be linked", "RUNBOOK_URL", false, NULL }, \
	{ OPT_FLAG, 0, "test", NULL, &sender_options.test, \
	  "send a test alert, marked as one, and say whether it was accepted", NULL, false, NULL }, \
	{ OPT_FLAG, 0, "dry-run", NULL, &sender_options.dry_run, \
	  "print the request on standard error, secrets masked, instead of sending it", NULL, \
	  false, NULL }, \
	{ OPT_FLAG, 0, "flush", NULL, &sender_options.flush, \
	  "send what waits in the spool for --label, and nothing else", NULL, false, NULL }
/* clang-format on */

int sender_main(const struct sender *s, int argc, char **argv);
#endif
