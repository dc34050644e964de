/* check-trend: where recovery time, recovery point and storage are going. */
#include "lib/base/forecast.h"
#include "lib/base/record.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/pg/history.h"
#include "lib/report/course.h"
#include "lib/report/outlook.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double day_s = 24 * 3600;

static struct {
	const char *history;
	uint64_t rto_s, rpo_s, storage_b; /* targets; 0: none */
	uint64_t horizon_s, slower_s;
	double slower;
} config = { .horizon_s = UINT64_C(90) * 24 * 3600, .slower_s = 30, .slower = 1 };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "the history of runs: a file, a directory with one for each label, or a PostgreSQL database",
	  "HISTORY", false, NULL },
	{ OPT_DURATION, 0, "rto-target", "DURATION", &config.rto_s,
	  "how long recovery may take", "RTO_TARGET", false, NULL },
	{ OPT_DURATION, 0, "rpo-target", "DURATION", &config.rpo_s,
	  "how much data may be lost, as time", "RPO_TARGET", false, NULL },
	{ OPT_SIZE, 0, "max-storage", "SIZE", &config.storage_b,
	  "how much all backups may take", "MAX_STORAGE", false, NULL },
	{ OPT_DURATION, 0, "horizon", "DURATION", &config.horizon_s,
	  "warning when one of these will be missed so soon; default: 90d", "FORECAST_HORIZON", false,
	  NULL },
	{ OPT_SHARE, 0, "max-slowdown", "SHARE", &config.slower,
	  "warning when a time is longer than its own trend by more than this; default: 100%, that is "
	  "twice as long", "MAX_SLOWDOWN", false, NULL },
	{ OPT_DURATION, 0, "min-slowdown", "DURATION", &config.slower_s,
	  "fewer seconds more are none; default: 30s", NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-trend",
	.what = "say when the targets for recovery will be missed",
	.operands = "",
	.description =
		"check-trend puts what this run measured - it reads the records - beside the runs "
		"in the history: the recovery time and each of its phases against the size of the "
		"backup, the recovery point, and what all backups take.\n"
		"\n"
		"A growth that is more than noise is drawn on: \"at this growth the 30 min target "
		"is missed in about 47 days\", with the interval that holds it nine times in ten. "
		"Within --horizon that is a warning. A time that is far longer than its own trend "
		"(--max-slowdown) is one, too, whatever the target; for the recovery point only "
		"beyond its target, or without one. After a week on a new level - another machine, "
		"a large import - that is the trend, and only the runs since then count.\n"
		"\n"
		"Fewer than seven runs, or runs of less than a week, are no trend: that is said, "
		"and nothing is guessed. Restores of another format or durability are not "
		"compared.\n"
		"\n"
		"As a monitoring plugin it reads no records: the last run in the history is the "
		"present one.",
	.examples = "list-backups /srv/backups | fetch-latest --listed | restore-to-temp -- true | "
		    "check-trend --history /var/lib/backup-probes/ --rto-target 30m | emit-report\n"
		    "as a stage of the daily job\n"
		    "check-trend --nagios --label shop --history /var/lib/backup-probes/ "
		    "--rto-target 30m\n"
		    "be a monitoring plugin",
	.see_also = "check-freshness(1), emit-report(1), restore-to-temp(1), size-trend(1)",
	.options = options,
};

/* What is drawn on: its checks' names and its figure. */
struct subject {
	const char *forecast, *trend; /* trend: of its steps; NULL: they are none */
	enum course_of of;
	struct outlook_target target;
};

static void add_days(struct check *c, const char *name, double days)
{
	if (isfinite(days))
		check_metric_real(c, name, days * day_s, "s");
}

static void check_forecast(struct stage *st, const struct subject *s,
			   const struct forecast_point *v, size_t n)
{
	const bool bytes = s->target.bytes;
	struct forecast f;
	struct check c;
	char limit[32];

	forecast_judge(v, n, s->target.value, &f);
	check_init(&c, s->forecast, "");
	outlook_say_forecast(&c, &f, v[n - 1].value, &s->target, (double)config.horizon_s);
	check_metric_int(&c, "runs", (int64_t)f.n, "");
	if (f.kind != FORECAST_TOO_FEW) {
		check_metric_real(&c, bytes ? "trend_bytes" : "trend_seconds", f.now,
				  bytes ? "B" : "s");
		check_metric_real(&c, bytes ? "growth_bytes_per_day" : "growth_seconds_per_day",
				  f.per_day, bytes ? "B" : "s");
		add_days(&c, "target_missed_earliest_seconds", f.days_early);
		add_days(&c, "target_missed_latest_seconds", f.days_late);
		add_days(&c, "target_missed_in_seconds", f.days);
		(void)snprintf(limit, sizeof(limit), "%" PRIu64 ":", config.horizon_s);
		if (isfinite(f.days))
			check_metric_limits(&c, limit, NULL);
	}
	stage_check(st, &c);
}

/* One of the whole, and of each phase that is far from its trend. */
static void check_step(struct stage *st, const struct subject *s, const char *phase,
		       const struct forecast_point *v, size_t n)
{
	const struct forecast_limits limits = { 1 + config.slower, (double)config.slower_s };
	struct forecast_step step;
	struct check c;

	forecast_step(v, n, &limits, &step);
	if (*phase && step.runs == 0)
		return;
	check_init(&c, s->trend, phase);
	outlook_say_step(&c, &step, v[n - 1].value,
			 s->of == COURSE_RPO ? s->target.value : (double)NAN);
	check_metric_real(&c, "seconds", v[n - 1].value, "s");
	if (step.known)
		check_metric_real(&c, "expected_seconds", step.expected, "s");
	stage_check(st, &c);
}

static double target_of(uint64_t target)
{
	return target ? (double)target : (double)NAN;
}

/* False when the present run has measured nothing of it. */
static bool judge(struct stage *st, const struct course *course, const struct subject *s)
{
	struct forecast_point v[COURSE_RUNS + 1];
	size_t n = course_points(course, s->of, v);

	if (n == 0)
		return false;
	check_forecast(st, s, v, n);
	if (s->trend)
		check_step(st, s, "", v, n);
	for (unsigned p = 0; s->of == COURSE_RTO && p < PAST_PHASES; p++) {
		n = course_points(course, (enum course_of)(COURSE_PHASE + p), v);
		if (n)
			check_step(st, s, past_phases[p].name, v, n);
	}
	return true;
}

static void judge_all(struct stage *st, const struct course *course)
{
	const struct subject subjects[] = {
		{ "rto-forecast",
		  "rto-trend",
		  COURSE_RTO,
		  { "target", target_of(config.rto_s), false } },
		{ "rpo-forecast",
		  "rpo-trend",
		  COURSE_RPO,
		  { "target", target_of(config.rpo_s), false } },
		{ "storage-forecast",
		  NULL,
		  COURSE_STORAGE,
		  { "limit", target_of(config.storage_b), true } },
	};
	bool any = false;
	struct check c;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++)
		any = judge(st, course, &subjects[i]) || any;
	if (any)
		return;
	check_init(&c, "rto-forecast", "");
	check_say(&c, V_UNKNOWN, "this run measured neither recovery time nor recovery point");
	stage_check(st, &c);
}

/* What the stream says of the present run, in the form of the history's. */
static void take(json_t *run, json_t *checks, const struct record *r)
{
	static const char *const named[] = { "listing",     "storage-used", "backup-download",
					     "restore",     "restore-time", "verified-rto",
					     "verified-rpo" };
	const char *check = record_text(r->object, "check");

	if (strcmp(r->kind, "instance") == 0 ||
	    (strcmp(r->kind, "backup") == 0 && record_true(r->object, "newest")))
		json_object_set(run, r->kind, r->object);
	for (size_t i = 0; check && i < sizeof(named) / sizeof(*named); i++)
		if (strcmp(check, named[i]) == 0)
			json_array_append(checks, r->object);
}

static void set_figure(json_t *run, const char *check, const char *figure)
{
	const double v = past_metric(run, check, figure);

	if (isfinite(v))
		json_object_set_new(run, figure, json_real(v));
}

int main(int argc, char **argv)
{
	JSON_AUTO *run = json_object();
	json_t *checks = json_array();
	HISTORY_AUTO *history = NULL;
	struct course course;
	struct err e = { 0 };
	struct record r;
	struct stage st;
	bool reads;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (!config.history)
		tool_usage("--history is missing");
	stage_begin(&st, &tool);
	reads = st.in != NULL;
	json_object_set_new(run, "checks", checks);
	while (stage_next(&st, &r))
		take(run, checks, &r);
	record_set_time(run, "at", utc_now_ms());
	set_figure(run, "verified-rto", "rto_seconds");
	set_figure(run, "verified-rpo", "rpo_seconds");
	history = pg_history_open(config.history);
	if (course_load(&course, history, st.label, reads ? run : NULL, &e) < 0)
		stage_error(&st, "rto-forecast", "", &e);
	else
		judge_all(&st, &course);
	if (course.skipped)
		tool_warn("%s: %u lines could not be read", history_name(history), course.skipped);
	course_free(&course);
	return stage_end(&st);
}
