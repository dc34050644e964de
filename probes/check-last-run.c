/* check-last-run: what did the last verification say, and is it recent? */
#include "lib/base/fresh.h"
#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/pg/history.h"

#include <inttypes.h>
#include <stdio.h>

static struct {
	const char *history;
	uint64_t max_age_s;
} config = { .max_age_s = UINT64_C(26) * 60 * 60 };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "the history of runs: a file, a directory with one for each label, or a PostgreSQL database",
	  "HISTORY", false, NULL },
	{ OPT_DURATION, 0, "max-age", "DURATION", &config.max_age_s,
	  "critical when the last run is longer ago; default: 26h", NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-last-run",
	.what = "say again what the last verification said",
	.operands = "",
	.description =
		"For a monitoring system that asks every few minutes, while backups are verified "
		"once a day: check-last-run reads the last run of a label from the history and "
		"takes over its verdict, with each finding that was not ok and the measured "
		"recovery time and point. It looks at nothing else, and answers within "
		"milliseconds.\n"
		"\n"
		"A run that is too long ago is critical, whatever it said: verification has "
		"stopped. So is a history without any run of the label.",
	.examples = "check-last-run --nagios --history /var/lib/backup-probes/ --label shop\n"
		    "be a monitoring plugin; installed also as check_backup_last_run",
	.see_also = "check-freshness(1), emit-report(1), verify-backup(1)",
	.options = options,
};

static enum verdict status_of(const json_t *object)
{
	enum verdict v;

	(void)verdict_parse(record_text(object, "status"), &v);
	return v;
}

/* A finding of that run, as a check of ours under its own name. */
static void say_finding(struct stage *st, const json_t *found)
{
	const char *name = record_text(found, "check"), *subject = record_text(found, "subject");
	const char *summary = record_text(found, "summary");
	struct check c;

	check_init(&c, name ? name : "last-run", subject ? subject : "");
	check_say(&c, status_of(found), "%s", summary ? summary : "no summary");
	stage_check(st, &c);
}

static void say_findings(struct stage *st, const json_t *run)
{
	const json_t *found;
	size_t i;

	json_array_foreach(json_object_get(run, "checks"), i, found) {
		if (status_of(found) != V_OK)
			say_finding(st, found);
	}
}

static void add_seconds(struct check *c, const json_t *run, const char *name)
{
	double seconds;

	if (record_real(run, name, &seconds))
		check_metric_real(c, name, seconds, "s");
}

static void judge(struct check *c, const json_t *run, int64_t at_ms)
{
	const int64_t now_ms = utc_now_ms();
	const double age_s = now_ms > at_ms ? (double)(now_ms - at_ms) / 1000 : 0;
	const enum verdict status = status_of(run);
	char age[HUMAN_SIZE], limit[HUMAN_SIZE], crit[32];

	(void)snprintf(crit, sizeof(crit), "%" PRIu64, config.max_age_s);
	check_metric_real(c, "run_age_seconds", age_s, "s");
	check_metric_limits(c, NULL, crit);
	add_seconds(c, run, "rto_seconds");
	add_seconds(c, run, "rpo_seconds");
	human_duration(age_s, age);
	if (fresh_in_future(at_ms, now_ms))
		check_say(c, V_UNKNOWN, "the last run is in the future: a clock is wrong");
	else if (age_s > (double)config.max_age_s)
		check_say(c, V_CRITICAL,
			  "the last run was %s ago (limit %s): verification has stopped", age,
			  human_duration((double)config.max_age_s, limit));
	else
		check_say(c, status, "the last run, %s ago, was %s", age, verdict_name(status));
}

static void say_last_run(struct stage *st, const json_t *run)
{
	struct check c;
	int64_t at_ms;

	check_init(&c, "last-run", "");
	if (record_time(run, "at", &at_ms))
		judge(&c, run, at_ms);
	else
		check_say(&c, V_UNKNOWN, "the last run of the history tells no time");
	stage_check(st, &c);
	say_findings(st, run);
}

static void say_never_run(struct stage *st, const struct history *history)
{
	struct check c;

	check_init(&c, "last-run", "");
	check_say(&c, V_CRITICAL, "never verified: no run in %s%s%s", history_name(history),
		  *st->label ? " for " : "", st->label);
	stage_check(st, &c);
}

int main(int argc, char **argv)
{
	HISTORY_AUTO *history = NULL;
	JSON_AUTO *runs = NULL;
	struct err e = { 0 };
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (!config.history)
		tool_usage("--history is missing");
	stage_begin(&st, &tool);
	stage_drain(&st);
	history = pg_history_open(config.history);
	runs = history_load(history, st.label, 1, NULL, &e);
	if (!runs)
		return stage_fail(&st, "last-run", "", &e);
	if (json_array_size(runs) > 0)
		say_last_run(&st, json_array_get(runs, 0));
	else
		say_never_run(&st, history);
	return stage_end(&st);
}
