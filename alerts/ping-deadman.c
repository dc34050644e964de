/*
 * ping-deadman: tells a dead-man's switch that the verification began, succeeded or failed. What
 * never arrives there is an alarm too, so nothing is spooled: a ping that comes late is a lie.
 */
#include "lib/alert/alert.h"
#include "lib/alert/ping.h"
#include "lib/alert/story.h"
#include "lib/base/secret.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/net/courier.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024, LISTED = 50, URL_MAX = 64 * 1024 };

static struct {
	enum ping_style style;
	enum verdict from;
	const char *url_file, *proof, *ca_file;
	uint64_t total_s, try_s;
	struct strv expect, expect_restored;
	bool exit_status, no_start, test, dry_run;
} config = { .from = V_UNKNOWN, .proof = "restore", .total_s = 60, .try_s = 10 };

static struct secret url;
static char rid[PING_RID_SIZE], host[256];

/* Sends one ping; also run beside the main thread, for the start. */
static enum fate send_ping(const struct ping *p, struct err *e)
{
	static const char *const headers[] = { "Content-Type: text/plain; charset=utf-8", NULL };
	BUF_AUTO body = BUF_INIT(TEXT_MAX);
	BUF_AUTO dry = BUF_INIT(TEXT_MAX);
	struct buf where = BUF_INIT(URL_MAX);
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct courier_request q = { .headers = headers };
	struct courier_options o = { .ca_file = config.ca_file,
				     .try_ms = config.try_s * 1000,
				     .deadline_ms = mono_ms() + (int64_t)config.total_s * 1000,
				     .dry = config.dry_run ? &dry : NULL };
	enum fate fate = FATE_HELD;
	struct courier *c = NULL;

	if (ping_url(&where, config.style, url.value, p, e) == 0)
		c = courier_open(&o, e);
	if (c) {
		ping_body(&body, config.style, p);
		q.method = ping_method(config.style);
		q.url = where.s;
		q.body = body.s;
		q.len = body.len;
		fate = courier_send(c, &q, &a, e);
	}
	(void)fputs(dry.s, stderr);
	courier_close(c);
	courier_answer_free(&a);
	explicit_bzero(where.s, where.len);
	buf_free(&where);
	return fate;
}

static void *send_start(void *unused)
{
	struct ping p = { .event = PING_START,
			  .status = -1,
			  .rid = rid,
			  .host = host,
			  .text = "",
			  .elapsed_ms = -1 };
	struct err e = { 0 };

	(void)unused;
	/* A start that does not arrive costs nothing but the run's duration over there. */
	if (send_ping(&p, &e) != FATE_ACCEPTED) {
		secret_mask(e.msg);
		tool_warn("start: %s", e.msg);
	}
	return NULL;
}

/* Beside the records, which must not wait for it. */
static bool begin_start(pthread_t *thread)
{
	if (url.value == NULL || config.no_start || !ping_has(config.style, PING_START))
		return false;
	return pthread_create(thread, NULL, send_start, NULL) == 0;
}

/* The verdict, then what is not ok, worst first: a service keeps only the beginning. */
static void describe(struct buf *text, const struct story *s, const char *label, bool proven)
{
	const json_t *check;
	size_t i;

	buf_addf(text, "%s: %s", label, alert_shout(s->summary.status));
	if (!proven)
		buf_addf(text, "; no check \"%s\" passed, so no backup was verified", config.proof);
	buf_addc(text, '\n');
	json_array_foreach(s->checks, i, check) {
		const char *status = record_text(check, "status");

		if (i == LISTED || (status && strcmp(status, "ok") == 0))
			break;
		buf_addf(text, "%s: ", status ? status : "unknown");
		alert_line(text, check);
		buf_addc(text, '\n');
	}
}

static void report(struct stage *st, enum ping_event event, enum fate fate, struct err *e)
{
	static const char *const words[] = { "start", "success", "failure" };
	bool sent = fate == FATE_ACCEPTED;
	struct check c;

	secret_mask(e->msg);
	check_init(&c, "alert-delivery", tool_name());
	check_observed_text(&c, sent ? "delivered" : "failed");
	if (sent)
		check_say(&c, V_OK, "%s%s was sent to the dead-man's switch",
			  config.dry_run ? "dry run, nothing of it: " : "", words[event]);
	else
		check_say(&c, config.test ? V_UNKNOWN : V_WARNING, "%s was not sent: %s",
			  words[event], e->msg);
	stage_check(st, &c);
}

static void send_end(struct stage *st, const struct story *s, int64_t began_ms, struct err *e)
{
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	const struct policy_rules rules = { .from = config.from };
	bool proven = story_proves(s, config.proof),
	     good = proven && !policy_fails(&rules, s->summary.status);
	struct ping p = { .event = good ? PING_SUCCESS : PING_FAIL,
			  .status = -1,
			  .rid = rid,
			  .host = host,
			  .elapsed_ms = mono_ms() - began_ms,
			  .failing = story_failing(s) };
	enum fate fate = FATE_HELD;

	describe(&text, s, st->label[0] ? st->label : "unlabelled", proven);
	p.text = text.s;
	if (config.exit_status)
		p.status = good                        ? 0
			   : s->summary.status == V_OK ? V_UNKNOWN
						       : (int)s->summary.status;
	if (url.value)
		fate = send_ping(&p, e);
	report(st, p.event, fate, e);
}

static int run_test(const struct tool *t, struct err *e)
{
	struct ping p = { .event = PING_FAIL,
			  .status = -1,
			  .rid = rid,
			  .host = host,
			  .text = "TEST alert of backup-probes; nothing is wrong\n",
			  .elapsed_ms = -1 };
	struct stage st;

	stage_begin(&st, t);
	report(&st, p.event, url.value ? send_ping(&p, e) : FATE_HELD, e);
	return stage_end(&st);
}

static int run(const struct tool *t, struct err *e)
{
	int64_t began_ms = mono_ms();
	struct stage st;
	struct story s;
	struct record r;
	pthread_t start;
	bool started = begin_start(&start);

	story_begin(&s, t->name);
	stage_begin(&st, t);
	while (stage_next(&st, &r))
		summary_take(&s.summary, r.object);
	summary_take_own(&s.summary, &st);
	story_finish(&s, &config.expect, &config.expect_restored, utc_now_ms());
	if (started)
		(void)pthread_join(start, NULL);
	send_end(&st, &s, began_ms, e);
	story_free(&s);
	return stage_end(&st);
}

static int parse_from(const char *word, void *to, struct err *e)
{
	if (!verdict_parse(word, to) || *(enum verdict *)to == V_OK)
		return err_set(e, ERR_USAGE, "'%s' is none of warning, unknown, critical", word);
	return 0;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "url-file", "FILE", &config.url_file,
	  "file with the switch's address; else DEADMAN_URL in the environment or in "
	  "$CREDENTIALS_DIRECTORY", "DEADMAN_URL_FILE", false, NULL },
	{ OPT_CALL, 0, "style", "STYLE", &config.style,
	  "healthchecks, cronitor, kuma or betterstack; default: auto, by the address",
	  "DEADMAN_STYLE", false, ping_parse_style },
	{ OPT_FLAG, 0, "exit-status", NULL, &config.exit_status,
	  "send the verdict as an exit status instead of fail", "DEADMAN_EXIT_STATUS", false, NULL },
	{ OPT_TEXT, 0, "proof", "CHECK", &config.proof,
	  "the check that must have passed for a success; default: restore", "DEADMAN_PROOF", false, NULL },
	{ OPT_CALL, 0, "from", "VERDICT", &config.from,
	  "the least that is a failure: warning, unknown (the default) or critical", NULL, false, parse_from },
	{ OPT_LIST, 0, "expect", "TOOL", &config.expect,
	  "a failure when this tool never began; may be given several times", NULL, false, NULL },
	{ OPT_LIST, 0, "expect-restored", "TOOL", &config.expect_restored,
	  "the same, for runs in which a backup was restored", NULL, false, NULL },
	{ OPT_FLAG, 0, "no-start", NULL, &config.no_start,
	  "do not tell the switch that a run begins", NULL, false, NULL },
	{ OPT_DURATION, 0, "deliver-within", "DURATION", &config.total_s,
	  "time for all tries of a ping; default: 60s", "DELIVER_WITHIN", false, NULL },
	{ OPT_DURATION, 0, "try-timeout", "DURATION", &config.try_s,
	  "time for one try; default: 10s", NULL, false, NULL },
	{ OPT_TEXT, 0, "ca-file", "FILE", &config.ca_file,
	  "certificates (PEM) to verify the switch with; default: the system's", "CA_FILE", false, NULL },
	{ OPT_FLAG, 0, "test", NULL, &config.test,
	  "send a failure that is marked as a test, and say whether it was accepted; the switch is "
	  "well again with the next success", NULL, false, NULL },
	{ OPT_FLAG, 0, "dry-run", NULL, &config.dry_run,
	  "print the requests on standard error, secrets masked, instead of sending them",
	  NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static struct tool tool = {
	.name = "ping-deadman",
	.what = "tell a dead-man's switch that a verification began, succeeded or failed",
	.operands = "",
	.description =
		"Tells the switch at once that a run begins, passes all records on, and tells it "
		"the result when they end. Success is sent only when the run as a whole did not "
		"fail and a backup was really verified: the check that --proof names is there and "
		"passed. Everything else is a failure: an empty stream, a stage that did not "
		"end.\n\n"
		"When this tool is killed, or its ping does not arrive, the switch raises the "
		"alarm "
		"by itself. So nothing is sent later, and the check alert-delivery is a warning at "
		"most.",
	.examples = "verify-something | ping-deadman | emit-report\n"
		    "Ping the switch whose address is in DEADMAN_URL.\n\n"
		    "list-backups SRC | ping-deadman --proof listing | emit-report\n"
		    "Only the listing is watched.",
	.see_also = "alert-pagerduty(1), emit-report(1)",
	.options = options,
	.gathers = true,
};

int main(int argc, char **argv)
{
	struct err e = { 0 };
	int first = tool_begin(&tool, argc, argv), status;

	if (first < argc)
		tool_usage("operand '%s': this tool takes none", argv[first]);
	if (gethostname(host, sizeof(host) - 1) < 0)
		(void)snprintf(host, sizeof(host), "localhost");
	(void)ping_rid(rid);
	/* Without an address the records still pass; the check says what is missing. */
	if (secret_need(&url, "DEADMAN_URL", config.url_file, &e) == 0 && config.style == PING_AUTO)
		config.style = ping_guess(url.value);
	if (common.output == OUTPUT_NAGIOS)
		tool_usage("option --nagios: this tool is no monitoring plugin");
	if (!config.test && isatty(STDIN_FILENO))
		tool_usage("standard input is a terminal; pipe the records of probes into it");
	tool.source = config.test;
	status = config.test ? run_test(&tool, &e) : run(&tool, &e);
	secret_wipe(&url);
	return status;
}
