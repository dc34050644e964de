/* size-trend: this backup's size beside those of earlier ones. */
#include "lib/base/buf.h"
#include "lib/base/series.h"
#include "lib/base/stage.h"
#include "lib/base/trend.h"
#include "lib/pg/history.h"
#include "lib/report/losses.h"
#include "lib/report/sizing.h"

#include <math.h>
#include <string.h>

/* A backup that is verified many times over fills many runs with the same size. */
enum { RUNS_READ = 500, WINDOW_MAX = 1000, PATTERN = 4, TABLES_MAX = 20000 };

/* What a compressed dump of an empty database takes is several times as much. */
enum { TINY_B = 128, MIN_DELTA_B = 16 * 1024 };

static const double default_drop = 0.2, default_growth = 4;

static struct {
	const char *history;
	double max_drop, max_growth; /* negative: not given */
	uint64_t window, min_delta_b;
	struct range warn, crit;
} config = { .max_drop = -1, .max_growth = -1, .window = 14, .min_delta_b = MIN_DELTA_B };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "take earlier sizes from this history of runs too: a file, a directory with one for each "
	  "label, or a PostgreSQL database", "HISTORY", false, NULL },
	{ OPT_SHARE, 0, "max-drop", "SHARE", &config.max_drop,
	  "critical when the backup is smaller by more than this, against the previous one or "
	  "against the median; default: 20%, or none with -c", "MAX_SIZE_DROP", false, NULL },
	{ OPT_SHARE, 0, "max-growth", "SHARE", &config.max_growth,
	  "warning when it is larger by more than this, against both; default: 400%, or none with -c",
	  "MAX_SIZE_GROWTH", false, NULL },
	{ OPT_SIZE, 0, "min-delta", "SIZE", &config.min_delta_b,
	  "a change of fewer bytes is none, unless more than half is gone; default: 16KiB",
	  "MIN_SIZE_DELTA", false, NULL },
	{ OPT_COUNT, 0, "window", "N", &config.window,
	  "compare with the last N backups, and look for patterns in four times as many; default: 14", NULL, false, NULL },
	{ OPT_RANGE, 'w', "warning", "RANGE", &config.warn,
	  "warning when the change against the median is outside (-0.1:0.5)", NULL, false, NULL },
	{ OPT_RANGE, 'c', "critical", "RANGE", &config.crit,
	  "critical when the change against the median is outside (-0.3:)", NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "size-trend",
	.what = "compare a backup's size with earlier ones",
	.operands = "",
	.description =
		"A backup that suddenly shrinks has lost something, even if it restores. "
		"size-trend "
		"reads \"backup\" records: the one that was fetched (newest: true), else the "
		"latest, is "
		"judged, the others of the same source and format are what it is compared with. "
		"The "
		"history of earlier runs adds those that were deleted meanwhile. Behind "
		"inspect-dump or "
		"compare-counts it compares what is in each table with earlier runs, too, and says "
		"what a "
		"drop is made of.\n"
		"\n"
		"0 bytes and next to nothing are critical, and so is a drop against the previous "
		"backup or "
		"against the median of the last ones - unless the series explains it: the size is "
		"that of "
		"its weekday, or one that it often has. A size that it had now and then, or stays "
		"at since "
		"three backups, is a warning. So are a slow decline, whose steps are each too "
		"small "
		"(critical when it sums up beyond --max-drop), a step down from sizes that never "
		"changed, "
		"implausible growth, and the same file under another name. Too few backups for a "
		"pattern are said, and then none is looked for; without any the check is ok and "
		"says so. "
		"Without a backup to judge it is unknown.\n"
		"\n"
		"As a monitoring plugin it reads no records: the last run in the history is "
		"judged.",
	.examples = "list-backups /srv/backups | size-trend --text\n"
		    "judge the newest of the backups that are there\n"
		    "size-trend --nagios --label shop --history /var/lib/backup-probes/\n"
		    "be a monitoring plugin",
	.see_also = "emit-report(1), fetch-latest(1), list-backups(1)",
	.options = options,
};

/* What came by: all backups, and the one that is to be judged. */
struct gathered {
	struct trend_list all;
	struct trend_backup this;
	bool known;     /* this is set */
	bool fetched;   /* and is marked as the newest */
	bool sizeless;  /* the fetched one has no size */
	json_t *tables; /* checks that say what is in a table, of this backup */
};

static double max_drop(void)
{
	return config.max_drop >= 0 ? config.max_drop : config.crit.set ? INFINITY : default_drop;
}

/* As many as a report keeps. */
static void take_table(struct gathered *g, json_t *check)
{
	const char *name = record_text(check, "check");

	if (name && (strcmp(name, "dump-rows") == 0 || strcmp(name, "row-count") == 0) &&
	    json_array_size(g->tables) < TABLES_MAX)
		json_array_append(g->tables, check);
}

static void take_backup(struct gathered *g, const json_t *fields)
{
	const bool newest = record_true(fields, "newest");
	struct trend_backup b;

	if (!trend_backup_of(fields, &b)) {
		g->sizeless = g->sizeless || newest;
		return;
	}
	if (newest || (!g->fetched && (!g->known || b.at_ms >= g->this.at_ms))) {
		trend_backup_free(&g->this);
		g->known = trend_backup_of(fields, &g->this);
		g->fetched = newest;
	}
	trend_add(&g->all, &b);
}

/* The newest first. */
static bool take_head(json_t *run, void *to)
{
	json_t *backup = json_object_get(run, "backup");

	json_array_append(to, backup ? backup : json_null());
	return json_array_size(to) < RUNS_READ;
}

/* The checks of the last run, which a plugin judges, are no earlier ones. */
static int take_tables(struct gathered *g, struct history *history, const char *label,
		       bool judge_last, struct losses *out, struct err *e)
{
	JSON_AUTO *runs = history_load(history, label, LOSSES_RUNS, NULL, e);
	const size_t n = json_array_size(runs);

	if (runs == NULL)
		return -1;
	if (judge_last && n) {
		json_array_extend(g->tables,
				  json_object_get(json_array_get(runs, n - 1), "checks"));
		json_array_remove(runs, n - 1);
	}
	losses_find(runs, g->tables, max_drop(), out);
	return 0;
}

static int take_history(struct gathered *g, const char *label, bool judge_last,
			struct losses *losses, struct err *e)
{
	unsigned skipped;
	HISTORY_AUTO *history = pg_history_open(config.history);
	JSON_AUTO *backups = json_array();
	struct trend_backup b;

	if (history_walk_heads(history, label, take_head, backups, &skipped, e) < 0)
		return -1;
	if (skipped)
		tool_warn("%s: %u lines could not be read", history_name(history), skipped);
	for (size_t i = json_array_size(backups); i > 0; i--) {
		const json_t *backup = json_array_get(backups, i - 1);

		if (judge_last)
			take_backup(g, backup);
		else if (trend_backup_of(backup, &b))
			trend_add(&g->all, &b);
	}
	if (!judge_last && json_array_size(g->tables) == 0)
		return 0;
	return take_tables(g, history, label, judge_last, losses, e);
}

/* An export that is stuck delivers yesterday's file. */
static void say_twin(struct check *c, const struct gathered *g)
{
	const struct trend_backup *twin = trend_twin(&g->all, &g->this);

	if (twin)
		check_say(c, V_WARNING,
			  "the same bytes as %s: nothing changed, or the same file again",
			  twin->name);
}

static void judge(struct stage *st, struct gathered *g, const struct losses *losses)
{
	const struct series_limits limits = {
		.trend = { .max_drop = max_drop(),
			   .max_growth = config.max_growth >= 0 ? config.max_growth
					 : config.crit.set      ? INFINITY
								: default_growth },
		.min_delta_b = config.min_delta_b,
		.tiny_b = TINY_B,
	};
	uint64_t bytes[PATTERN * WINDOW_MAX];
	int64_t at_ms[PATTERN * WINDOW_MAX];
	const struct series_in in = {
		.bytes = bytes,
		.at_ms = at_ms,
		.n = trend_before(&g->all, &g->this, PATTERN * config.window, bytes, at_ms),
		.window = config.window,
		.now_b = g->this.bytes,
		.now_ms = g->this.at_ms,
	};
	struct series s;
	struct check c;

	series_judge(&in, &limits, &s);
	check_init(&c, "backup-size", "");
	sizing_metrics(&c, &s, g->this.bytes, &limits.trend, &config.warn, &config.crit);
	check_observed_int(&c, (int64_t)g->this.bytes);
	if (in.n)
		check_expected_int(&c, (int64_t)s.trend.median_b);
	sizing_say(&c, &s, g->this.bytes, &limits.trend, &config.warn, &config.crit);
	if ((s.trend.dropped_previous || s.trend.dropped_median) && losses->n)
		losses_say(&c, c.status, &losses->v[0]);
	say_twin(&c, g);
	stage_check(st, &c);
}

static void nothing_to_judge(struct stage *st, const struct gathered *g)
{
	struct check c;

	check_init(&c, "backup-size", "");
	if (g->sizeless)
		check_say(&c, V_UNKNOWN, "the size of the backup is not known to its source");
	else
		check_say(&c, V_UNKNOWN,
			  "no backup to judge; pipe the records of list-backups or "
			  "fetch-latest in%s",
			  common.output == OUTPUT_NAGIOS ? ", or give --history and --label of one "
							   "that was verified"
							 : "");
	stage_check(st, &c);
}

int main(int argc, char **argv)
{
	struct gathered g = { .tables = json_array() };
	struct losses losses = { .n = 0 };
	struct err e = { 0 };
	struct record r;
	struct stage st;
	bool reads;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (config.window < 1 || config.window > WINDOW_MAX)
		tool_usage("--window: give a number from 1 to %d", WINDOW_MAX);
	if (config.max_drop > 1)
		tool_usage("--max-drop: nothing shrinks by more than 100%%");
	stage_begin(&st, &tool);
	reads = st.in != NULL;
	while (stage_next(&st, &r))
		if (strcmp(r.kind, "backup") == 0)
			take_backup(&g, r.object);
		else
			take_table(&g, r.object);
	if (config.history && take_history(&g, st.label, !reads, &losses, &e) < 0)
		stage_error(&st, "history", "", &e);
	if (g.known && !(g.sizeless && !g.fetched))
		judge(&st, &g, &losses);
	else
		nothing_to_judge(&st, &g);
	losses_check(&st, &losses);
	losses_free(&losses);
	json_decref(g.tables);
	trend_free(&g.all);
	trend_backup_free(&g.this);
	return stage_end(&st);
}
