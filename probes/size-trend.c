/* size-trend: this backup's size beside those of earlier ones. */
#include "lib/base/buf.h"
#include "lib/base/human.h"
#include "lib/base/series.h"
#include "lib/base/stage.h"
#include "lib/base/trend.h"
#include "lib/base/xmem.h"
#include "lib/pg/history.h"

#include <math.h>
#include <string.h>

/* A backup that is verified many times over fills many runs with the same size. */
enum { RUNS_READ = 500, WINDOW_MAX = 1000, PATTERN = 4 };

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
		"history of earlier runs adds those that were deleted meanwhile.\n"
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
	bool known;    /* this is set */
	bool fetched;  /* and is marked as the newest */
	bool sizeless; /* the fetched one has no size */
};

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

static int take_history(struct gathered *g, const char *label, bool judge_last, struct err *e)
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
	return 0;
}

static void say_drop(struct check *c, const struct series *s, const char *size, double max_drop)
{
	const struct trend *t = &s->trend;
	BUF_AUTO b = BUF_INIT(512);
	char change[HUMAN_SIZE], then[HUMAN_SIZE], limit[HUMAN_SIZE];

	if (t->dropped_previous)
		buf_addf(&b, "%s against the previous (%s)",
			 human_change(t->against_previous, change),
			 human_bytes(t->previous_b, then));
	if (t->dropped_median && t->n > 1)
		buf_addf(&b, "%s%s against the median of %zu (%s)", b.len ? " and " : "",
			 human_change(t->against_median, change), t->n,
			 human_bytes(t->median_b, then));
	if (s->kind == SERIES_WEEKDAY)
		check_say(c, s->status, "%s, as on %zu such weekdays before (%s)", size, s->alike,
			  human_bytes(s->expected_b, then));
	else if (s->kind == SERIES_OFTEN || s->kind == SERIES_NOW_AND_THEN)
		check_say(c, s->status, "%s, %s; %zu earlier ones were as small, too", size, b.s,
			  s->alike);
	else if (s->kind == SERIES_MOVED)
		check_say(c, s->status, "%s, %s; the last ones were as small already", size, b.s);
	else
		check_say(c, s->status, "%s, %s; a drop of %s is allowed", size, b.s,
			  human_change(max_drop, limit) + 1);
}

static void say_usual(struct check *c, const struct series *s, const char *size)
{
	const struct trend *t = &s->trend;
	const char *few = t->n < SERIES_FEW ? ", too few for a trend" : "";
	char change[HUMAN_SIZE];

	(void)human_change(t->against_median, change);
	if (t->n == 0)
		check_say(c, V_OK, "%s; no earlier backup to compare with yet", size);
	else if (t->n == 1)
		check_say(c, V_OK, "%s, %s against the previous one%s", size, change, few);
	else
		check_say(c, V_OK, "%s, %s against the median of %zu%s", size, change, t->n, few);
}

/* One sentence for what was found. */
static void say(struct check *c, const struct series *s, uint64_t bytes,
		const struct trend_limits *limits)
{
	const struct trend *t = &s->trend;
	char size[HUMAN_SIZE], change[HUMAN_SIZE], limit[HUMAN_SIZE];
	const enum verdict v =
		t->n ? range_judge(&config.warn, &config.crit, t->against_median) : V_OK;

	(void)human_bytes(bytes, size);
	(void)human_change(t->against_median, change);
	if (bytes == 0)
		check_say(c, V_CRITICAL, "0 bytes: the backup is empty");
	else if (s->kind == SERIES_TINY)
		check_say(c, V_CRITICAL, "%s: too small for any backup", size);
	else if (t->dropped_previous || t->dropped_median)
		say_drop(c, s, size, limits->max_drop);
	else if (v != V_OK)
		check_say(c, v, "%s, %s against the median of %zu, outside the range %s", size,
			  change, t->n, v == V_CRITICAL ? config.crit.text : config.warn.text);
	else if (s->kind == SERIES_GROWTH)
		check_say(c, V_WARNING,
			  "%s, %s against the median of %zu; a growth of %s is allowed", size,
			  change, t->n, human_change(limits->max_growth, limit) + 1);
	else if (s->kind == SERIES_PLATEAU)
		check_say(c, V_WARNING, "%s, %s, and the %zu before were all alike", size, change,
			  t->n);
	else if (s->kind == SERIES_USUAL)
		say_usual(c, s, size);
	if (s->kind == SERIES_DECLINE)
		check_say(c, s->status, "%s, a slow decline: %s over %zu backups", size,
			  human_change(s->decline, change), s->over);
}

/* "-0.2:" or "~:2": one limit as a range, without exponent and without trailing zeros. */
static void add_limit(struct buf *b, const char *before, double share, const char *after)
{
	if (!isfinite(share))
		return;
	buf_addf(b, "%s%.6f", before, share);
	while (b->s[b->len - 1] == '0')
		b->len--;
	b->len -= b->s[b->len - 1] == '.';
	b->s[b->len] = '\0';
	buf_adds(b, after);
}

static void add_metrics(struct check *c, const struct series *s, uint64_t bytes,
			const struct trend_limits *limits)
{
	const struct trend *t = &s->trend;
	BUF_AUTO warn = BUF_INIT(400);
	BUF_AUTO crit = BUF_INIT(400);

	check_metric_int(c, "bytes", (int64_t)bytes, "B");
	if (t->n == 0)
		return;
	check_metric_int(c, "previous_bytes", (int64_t)t->previous_b, "B");
	check_metric_int(c, "median_bytes", (int64_t)t->median_b, "B");
	if (t->n >= SERIES_FEW)
		check_metric_int(c, "mad_bytes", (int64_t)s->mad_b, "B");
	if (isfinite(s->slope_b_day))
		check_metric_int(c, "bytes_per_day", (int64_t)s->slope_b_day, "B");
	check_metric_real(c, "change_ratio", t->against_median, "ratio");
	add_limit(&warn, "~:", limits->max_growth, "");
	add_limit(&crit, "-", limits->max_drop, ":");
	check_metric_limits(c, config.warn.set ? config.warn.text : warn.s,
			    config.crit.set ? config.crit.text : crit.s);
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

static void judge(struct stage *st, struct gathered *g)
{
	const struct series_limits limits = {
		.trend = { .max_drop = config.max_drop >= 0 ? config.max_drop
				       : config.crit.set    ? INFINITY
							    : default_drop,
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
	add_metrics(&c, &s, g->this.bytes, &limits.trend);
	check_observed_int(&c, (int64_t)g->this.bytes);
	if (in.n)
		check_expected_int(&c, (int64_t)s.trend.median_b);
	say(&c, &s, g->this.bytes, &limits.trend);
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
	struct gathered g = { .known = false };
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
	if (config.history && take_history(&g, st.label, !reads, &e) < 0)
		stage_error(&st, "history", "", &e);
	if (g.known && !(g.sizeless && !g.fetched))
		judge(&st, &g);
	else
		nothing_to_judge(&st, &g);
	trend_free(&g.all);
	trend_backup_free(&g.this);
	return stage_end(&st);
}
