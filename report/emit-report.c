/* emit-report: the sink. Gathers the whole stream, reports it, remembers it, and is its verdict. */
#include "lib/base/buf.h"
#include "lib/base/history.h"
#include "lib/base/stage.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/report/format.h"
#include "lib/report/outlet.h"
#include "lib/report/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECKS_IN_HISTORY_B = 3 * 1024 * 1024 };

/* One report, and where it goes: path NULL is standard output. */
struct report {
	const struct format *format;
	const char *path;
};

struct reports {
	struct report *v;
	size_t n;
};

static struct {
	struct reports reports;
	struct strv expect, expect_restored;
	const char *history, *title;
} config;

static void add_report(struct reports *reports, const struct format *format, const char *path)
{
	reports->v = xrealloc(reports->v, reports->n + 1, sizeof(*reports->v));
	reports->v[reports->n++] = (struct report){ .format = format, .path = path };
}

static int set_format(const char *value, void *to, struct err *e)
{
	const size_t len = strcspn(value, "=");
	const char *path = value[len] ? value + len + 1 : "-";
	const struct format *format = format_find(value, len);

	if (format && *path) {
		add_report(to, format, strcmp(path, "-") == 0 ? NULL : path);
		return 0;
	}
	return err_set(e, ERR_USAGE,
		       "'%.80s' is no report; write " FORMAT_NAMES
		       ", with =FILE where it is not for standard output",
		       value);
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_CALL, 'f', "format", "FORMAT[=FILE]", &config.reports,
	  "write this report: " FORMAT_NAMES ", to FILE or to standard output; may be given several "
	  "times; default: text", NULL, false, set_format },
	{ OPT_LIST, 0, "expect", "TOOL", &config.expect,
	  "critical when this tool never began; may be given several times", NULL, false, NULL },
	{ OPT_LIST, 0, "expect-restored", "TOOL", &config.expect_restored,
	  "the same for a tool that runs on a restored server, if there was one", NULL, false, NULL },
	{ OPT_TEXT, 0, "history", "PATH", &config.history,
	  "append the run to this file, or to PATH/LABEL.jsonl in a directory", "HISTORY", false, NULL },
	{ OPT_TEXT, 0, "title", "TEXT", &config.title,
	  "what the report is about; default: \"backup of LABEL\"", NULL, false, NULL },
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
		"error; markdown is for its job summary. csv has a line for each figure.\n"
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
		    "a page of records that were kept",
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
	(void)gethostname(s->host, sizeof(s->host) - 1);
	summary_finish(s, &config.expect, &config.expect_restored, utc_now_ms());
}

static void remember(struct summary *s)
{
	JSON_AUTO *run = NULL;
	struct err e = { 0 };

	if (config.history == NULL)
		return;
	run = run_object(s, CHECKS_IN_HISTORY_B);
	if (history_append(config.history, s->label, run, &e) < 0)
		summary_find(s, "history", "", V_UNKNOWN, "the run was not remembered: %s", e.msg);
	else
		tool_debug("appended the run to %s", config.history);
}

/* Does a report show earlier runs? */
static bool past_is_wanted(void)
{
	for (size_t i = 0; i < config.reports.n; i++)
		if (config.reports.v[i].format->past)
			return true;
	return false;
}

/* Before the run is remembered, so that it is not its own past. */
static void recall(struct past *past, struct summary *s)
{
	struct err e = { 0 };

	if (config.history && past_is_wanted() &&
	    past_load(past, config.history, s->label, summary_restored(s), s->ended_ms, &e) < 0)
		summary_find(s, "history", "", V_UNKNOWN, "earlier runs were not read: %s", e.msg);
}

static void render(const struct summary *s, const struct past *past, const struct report *report,
		   struct buf *out)
{
	const bool shown = report->path == NULL;
	const struct view view = {
		.s = s,
		.past = past,
		.title = config.title,
		.colour = shown && text_colour(STDOUT_FILENO),
		.quiet = shown && common.quiet,
	};

	report->format->render(&view, out);
}

/* Writes the reports that go to files, or those that go to standard output. What could not be
 * written is a finding in those that follow. */
static void write_reports(struct summary *s, const struct past *past, bool files)
{
	for (size_t i = 0; i < config.reports.n; i++) {
		const struct report *report = &config.reports.v[i];
		BUF_AUTO b = BUF_INIT(OUTLET_MAX);
		struct err e = { 0 };

		if ((report->path != NULL) != files)
			continue;
		render(s, past, report, &b);
		if (outlet_put(report->path,
			       report->format->to_stderr ? STDERR_FILENO : STDOUT_FILENO, &b,
			       &e) == 0) {
			tool_debug("wrote %zu bytes to %s", b.len,
				   report->path ? report->path : "standard output");
			continue;
		}
		tool_warn("%s", e.msg);
		summary_find(s, "report", "", V_UNKNOWN, "a report was not written: %s", e.msg);
	}
}

static void add_default_report(void)
{
	if (common.output == OUTPUT_NAGIOS)
		add_report(&config.reports, format_find("nagios", 6), NULL);
	else if (common.output == OUTPUT_RECORDS)
		add_report(&config.reports, &format_record, NULL);
	else if (config.reports.n == 0)
		add_report(&config.reports, format_find("text", 4), NULL);
}

int main(int argc, char **argv)
{
	struct past past = PAST_NONE;
	struct summary s;
	enum verdict status;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	add_default_report();
	summary_init(&s);
	gather(&s);
	recall(&past, &s);
	remember(&s);
	write_reports(&s, &past, true);
	write_reports(&s, &past, false);
	status = s.status;
	past_free(&past);
	summary_free(&s);
	strv_free(&config.expect);
	strv_free(&config.expect_restored);
	free(config.reports.v);
	return (int)status;
}
