/* emit-report: the sink. Gathers the whole stream, reports it, remembers it, and is its verdict. */
#include "lib/base/stage.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/pg/history.h"
#include "lib/report/evidence.h"
#include "lib/report/fleet.h"
#include "lib/report/order.h"
#include "lib/report/remember.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WITHIN_S = 60, STALE_S = 2 * 24 * 3600 };

static struct {
	struct orders orders;
	struct strv more, expect, expect_restored;
	const char *history, *title, *evidence, *reference;
	const char *host, *service, *ca_file, *fleet, *link;
	const char *sign_key, *anchor;
	struct summary_drill drill;
	uint64_t ttl_s, within_s;
} config = { .within_s = WITHIN_S };

static int set_format(const char *value, void *to, struct err *e)
{
	return orders_add(to, value, e);
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_CALL, 'f', "format", "FORMAT[=TARGET]", &config.orders,
	  "write this report: " FORMAT_NAMES ", to a file, to standard output, or to a server's "
	  "address; may be given several times; default: text", NULL, false, set_format },
	{ OPT_LIST, 0, "also", "FORMAT[=TARGET]", &config.more,
	  "the same, further ones; secrets for servers: PUSHGATEWAY_URL, PUSHGATEWAY_USER, "
	  "PUSHGATEWAY_PASSWORD, NRDP_URL, NRDP_TOKEN, ICINGA2_URL, ICINGA2_USER, ICINGA2_PASSWORD, "
	  "each also as a file: PUSHGATEWAY_PASSWORD_FILE, NRDP_TOKEN_FILE, ICINGA2_PASSWORD_FILE",
	  "REPORTS", false, NULL },
	{ OPT_LIST, 0, "expect", "TOOL", &config.expect,
	  "critical when this tool never began; may be given several times", NULL, false, NULL },
	{ OPT_LIST, 0, "expect-restored", "TOOL", &config.expect_restored,
	  "the same for a tool that runs on a restored server, if there was one", NULL, false, NULL },
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "append the run to this file, to PATH/LABEL.jsonl in a directory, or to the table "
	  "backup_probes.history of a PostgreSQL database, made on first use", "HISTORY", false, NULL },
	{ OPT_TEXT, 0, "sign-key", "FILE", &config.sign_key,
	  "sign the run in the history with this private key (PEM, Ed25519); verify-history checks it",
	  "SIGN_KEY_FILE", false, NULL },
	{ OPT_TEXT, 0, "anchor", "FILE|URL", &config.anchor,
	  "tell the head of the history to somebody else: append it to this file, or POST it there; "
	  "an address belongs into the environment", "HISTORY_ANCHOR", false, NULL },
	{ OPT_FLAG, 0, "drill", NULL, &config.drill.is,
	  "note in the history that this run is a drill, that is, people were at it", "DRILL", false,
	  NULL },
	{ OPT_TEXT, 0, "performed-by", "NAME", &config.drill.performed_by,
	  "with --drill: who", "PERFORMED_BY", false, NULL },
	{ OPT_TEXT, 0, "note", "TEXT", &config.drill.note,
	  "with --drill: why, what went wrong, what was changed in the runbook", "DRILL_NOTE", false,
	  NULL },
	{ OPT_TEXT, 0, "title", "TEXT", &config.title,
	  "what the report is about; default: \"backup of LABEL\"", NULL, false, NULL },
	{ OPT_TEXT, 0, "fleet", "DIR|CONNINFO", &config.fleet,
	  "read no records: write a page over all histories in this directory, or all labels in this "
	  "PostgreSQL database", NULL, false, NULL },
	{ OPT_TEXT, 0, "link", "URL", &config.link,
	  "with --fleet: where each report is; LABEL in it is replaced", NULL, false, NULL },
	{ OPT_TEXT, 0, "evidence", "FILE", &config.evidence,
	  "write what an auditor asks for, to FILE.md and FILE.json", NULL, false, NULL },
	{ OPT_TEXT, 0, "reference", "TEXT", &config.reference,
	  "a ticket or a policy, to be named in it", NULL, false, NULL },
	{ OPT_TEXT, 0, "monitored-host", "NAME", &config.host,
	  "for nsca, nrdp and icinga2: the host as the server knows it; default: this one",
	  "MONITORED_HOST", false, NULL },
	{ OPT_TEXT, 0, "monitored-service", "NAME", &config.service,
	  "the same for the service; default: \"backup LABEL\"", "MONITORED_SERVICE", false, NULL },
	{ OPT_DURATION, 0, "stale-after", "DURATION", &config.ttl_s,
	  "for icinga2, when a result that was not renewed is stale; with --fleet, when a newest run is "
	  "(default: 2d)", "MONITORED_STALE_AFTER", false, NULL },
	{ OPT_DURATION, 0, "deliver-within", "DURATION", &config.within_s,
	  "time for all tries to hand a report to a server; default: 60s", "DELIVER_WITHIN", false, NULL },
	{ OPT_TEXT, 0, "ca-file", "FILE", &config.ca_file,
	  "certificates (PEM) to verify servers with; default: the system's", "CA_FILE", false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "emit-report",
	.what = "report what a pipeline of probes found, and be its verdict",
	.operands = "",
	.description =
		"emit-report ends a pipeline: it reads all records and passes none on. Its exit status "
		"is the verdict of the whole stream: 0 ok, 1 warning, 2 critical, 3 unknown, the "
		"worst that any check says.\n"
		"\n"
		"What is missing counts too. An empty stream, a tool that began and did not end, and "
		"one that was expected and never began are critical; a line that is no record, checks "
		"that a tool wrote and that did not arrive, and a stream without any check are unknown. "
		"A tool that ended worse than its checks show counts as it ended.\n"
		"\n"
		"html is one page that needs nothing else; with --history it shows what changed since the "
		"last run, and sizes, recovery times and verified days of the last year. junit has a "
		"test case for each check: critical is a failure, unknown an error. prometheus is for "
		"the textfile collector of node_exporter, into whose directory it is written as "
		"NAME.prom; it needs --history to know after a failed run when a backup was last "
		"verified. github writes annotations for GitHub Actions, without a FILE to standard "
		"error; markdown is for its job summary. gitlab is a Code Quality report, beside junit and "
		"prometheus for its unit test and metrics reports. csv has a line for each figure.\n"
		"\n"
		"Servers are told over http or https: pushgateway by POST, so that what a failed run did "
		"not measure stays; nrdp and nrdp-json, icinga2 (its API) the verdict as a passive "
		"result. nsca is a line for send_nsca. Without a target the address comes from "
		"PUSHGATEWAY_URL, NRDP_URL or ICINGA2_URL. Secrets are never arguments: NRDP_TOKEN, "
		"ICINGA2_USER and ICINGA2_PASSWORD, PUSHGATEWAY_USER and PUSHGATEWAY_PASSWORD stand in "
		"the environment, in files that NRDP_TOKEN_FILE and so on name, or in "
		"$CREDENTIALS_DIRECTORY.\n"
		"\n"
		"With --fleet no records are read: the page (--format html=FILE) has a line for each "
		"database with a history there, what needs a look first: the newest run, when a backup "
		"was last verified, RPO and RTO against their targets, the size, and the days of the last "
		"month and year on which a backup was verified. The exit status is the worst of the newest "
		"runs; one that is stale is unknown.\n"
		"\n"
		"The evidence holds scope, method, times, results, exceptions, who and with what, and "
		"which controls of SOC 2, ISO 27001, DORA, NIST SP 800-53 and HIPAA such a run supports.\n"
		"\n"
		"Without --format, standard output gets the text report. With --nagios it gets one line "
		"with performance data, with --records the run as one record, whatever else is written. "
		"Files are replaced in one step. A report or a history that cannot be written is a "
		"finding of its own.",
	.examples = "list-backups /srv/backups | size-trend | emit-report\n"
		    "show it at the terminal\n"
		    "emit-report --format text --format markdown=report.md --format json=report.json "
		    "--history /var/lib/backup-probes/ --expect restore-to-temp\n"
		    "as the last stage of the daily job\n"
		    "emit-report --format html=report.html <records.jsonl\n"
		    "a page of records that were kept\n"
		    "emit-report --format nsca | send_nsca -H monitor.example.org\n"
		    "a passive result",
	.see_also = "check-freshness(1), list-backups(1), restore-to-temp(1), size-trend(1), "
		    "verify-backup(1)",
	.options = options,
	.sink = true,
	.may_be_empty = true,
};
/* clang-format on */

static void gather(struct summary *s)
{
	struct stage st;
	struct record r;

	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		summary_take(s, r.object);
	summary_take_own(s, &st);
	(void)stage_end(&st);
	(void)snprintf(s->run, sizeof(s->run), "%s", st.run);
	(void)snprintf(s->label, sizeof(s->label), "%s", st.label);
	s->drill = config.drill;
	(void)gethostname(s->host, sizeof(s->host) - 1);
	summary_finish(s, &config.expect, &config.expect_restored, utc_now_ms());
}

static struct view view_of(const struct summary *s, const struct past *past, bool shown)
{
	return (struct view){
		.s = s,
		.past = past,
		.title = config.title,
		.colour = shown && text_colour(STDOUT_FILENO),
		.quiet = shown && common.quiet,
		.monitored = {
			.host = config.host ? config.host : s->host,
			.service = config.service,
			.ttl_s = config.ttl_s,
		},
	};
}

/* Carries out the orders that are shown, or the others. What went wrong is a finding in those that
 * follow. */
static void write_reports(struct summary *s, const struct past *past, bool shown,
			  struct submitter *with)
{
	for (size_t i = 0; i < config.orders.n; i++) {
		const struct order *order = &config.orders.v[i];
		const struct view view = view_of(s, past, shown);
		struct err e = { 0 };
		size_t size;

		if (order_is_shown(order) != shown)
			continue;
		if (order_carry_out(order, &view, with, &size, &e) == 0) {
			tool_debug("wrote %zu bytes to %s", size,
				   order->sent   ? "a server"
				   : order->path ? order->path
						 : "standard output");
			continue;
		}
		tool_warn("%s", e.msg);
		summary_find(s, "report", "", V_UNKNOWN, "a report was not written: %s", e.msg);
	}
}

static void write_evidence(struct summary *s, const struct history *history,
			   const struct chain_head *head)
{
	const struct evidence evidence = {
		.s = s,
		.reference = config.reference,
		.history = head->seq ? history_name(history) : NULL,
		.head = head,
	};
	struct err e = { 0 };

	if (config.evidence == NULL || evidence_put(&evidence, config.evidence, &e) == 0)
		return;
	tool_warn("%s", e.msg);
	summary_find(s, "report", "", V_UNKNOWN, "the evidence was not written: %s", e.msg);
}

/* The page over all databases: its status. */
static enum verdict write_fleet(void)
{
	const struct order *order = config.orders.v;
	const struct fleet_page page = {
		.title = config.title ? config.title : "Backups of all databases",
		.link = config.link,
		.path = order ? order->path : NULL,
		.stale_s = config.ttl_s ? config.ttl_s : STALE_S,
	};
	HISTORY_AUTO *all = NULL;
	struct err e = { 0 };
	enum verdict status;

	if (config.orders.n > 1 || (order && strcmp(order->format->name, "html") != 0) ||
	    common.output == OUTPUT_NAGIOS)
		tool_usage("--fleet: it is written as --format html[=FILE] alone");
	all = pg_history_open(config.fleet);
	if (fleet_put(all, &page, utc_now_ms(), &status, &e) < 0)
		tool_die("%s", e.msg);
	orders_free(&config.orders);
	return status;
}

static void add_order(const char *value)
{
	struct err e = { 0 };

	if (orders_add(&config.orders, value, &e) < 0)
		tool_usage("--also: %s", e.msg);
}

static void add_orders(void)
{
	for (size_t i = 0; i < config.more.n; i++)
		add_order(config.more.v[i]);
	if (common.output == OUTPUT_NAGIOS)
		add_order("nagios");
	else if (common.output == OUTPUT_RECORDS)
		add_order("record");
	else if (config.orders.n == config.more.n)
		add_order("text");
}

static void check_words(void)
{
	if (!config.drill.is && (config.drill.performed_by || config.drill.note))
		tool_usage("--performed-by and --note speak of a --drill");
	if ((config.sign_key || config.anchor) && !config.history)
		tool_usage("--sign-key and --anchor need --history");
}

int main(int argc, char **argv)
{
	struct past past = PAST_NONE;
	HISTORY_AUTO *history = NULL;
	struct chain_head head = { .seq = 0 };
	struct remember memory;
	struct submitter with;
	struct summary s;
	enum verdict status;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	check_words();
	if (config.fleet)
		return (int)write_fleet();
	add_orders();
	summary_init(&s);
	gather(&s);
	if (config.history)
		history = pg_history_open(config.history);
	memory = (struct remember){
		.history = history,
		.sign_key = config.sign_key,
		.anchor = config.anchor,
		.ca_file = config.ca_file,
		.within_s = config.within_s,
	};
	remember_past(&memory, orders_show_past(&config.orders), &s, &past);
	remember_run(&memory, &s, &head);
	if (head.seq)
		tool_debug("appended the run to %s", history_name(history));
	with = (struct submitter){
		.ca_file = config.ca_file,
		.within_s = config.within_s,
		.label = s.label,
	};
	write_evidence(&s, history, &head);
	write_reports(&s, &past, false, &with);
	write_reports(&s, &past, true, &with);
	submitter_wipe(&with);
	status = s.status;
	past_free(&past);
	summary_free(&s);
	strv_free(&config.expect);
	strv_free(&config.expect_restored);
	strv_free(&config.more);
	orders_free(&config.orders);
	return (int)status;
}
