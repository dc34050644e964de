/* check-freshness: how old is the backup, how old the data in it, how long ago was it proved? */
#include "lib/base/fresh.h"
#include "lib/base/proofs.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/baseline.h"
#include "lib/pg/history.h"
#include "lib/pg/latest.h"
#include "lib/pg/restored.h"
#include "lib/pg/witness.h"

#include <string.h>

enum { JOBS = 2, DEFAULT_AGE_S = 26 * 60 * 60 };

static struct {
	const char *history, *restored, *time_zone;
	uint64_t max_age_s, rpo_target_s, max_verified_age_s, drill_every_s; /* 0: not given */
	bool drill;
	struct strv time_columns;
	struct range warn, crit;
	const char *baseline, *baseline_key;
} config;

/* clang-format off */
static const struct opt options[] = {
	{ OPT_DURATION, 0, "max-age", "DURATION", &config.max_age_s,
	  "critical when the backup is older; default: 26h, or none with -c", "MAX_BACKUP_AGE",
	  false, NULL },
	{ OPT_RANGE, 'w', "warning", "RANGE", &config.warn,
	  "warning when the age of the backup in seconds is outside", NULL, false, NULL },
	{ OPT_RANGE, 'c', "critical", "RANGE", &config.crit,
	  "critical when the age of the backup in seconds is outside", NULL, false, NULL },
	{ OPT_DURATION, 0, "rpo-target", "DURATION", &config.rpo_target_s,
	  "critical when the recovery point is older", "RPO_TARGET", false, NULL },
	{ OPT_LIST, 0, "time-column", "TABLE.COLUMN", &config.time_columns,
	  "look for the newest row by this column alone; default: by all that are found from the "
	  "catalogue; may be repeated", "TIME_COLUMN", false, NULL },
	{ OPT_CALL, 0, "time-zone", "ZONE", &config.time_zone,
	  "read times that have no zone as times of this one; default: UTC", "TIME_ZONE", false,
	  pg_time_zone_option },
	{ OPT_TEXT, 0, "baseline", "FILE|auto|none", &config.baseline,
	  "what capture-counts wrote when the backup was made: its snapshot is the recovery point; "
	  "auto: beside the backup, if it is there; default: auto", "BASELINE", false, NULL },
	{ OPT_TEXT, 0, "baseline-key", "FILE", &config.baseline_key,
	  "trust no baseline that is not signed with this key", "BASELINE_KEY_FILE", false, NULL },
	{ OPT_TEXT, 0, "restored", "CONNINFO", &config.restored,
	  "the restored database; default: the one of the instance record", NULL, false, NULL },
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "the history of runs: a file, a directory with one for each label, or a PostgreSQL database",
	  "HISTORY", false, NULL },
	{ OPT_DURATION, 0, "max-verified-age", "DURATION", &config.max_verified_age_s,
	  "critical when the last successful verification is longer ago; default: 26h when nothing "
	  "but the history is looked at", "MAX_VERIFIED_AGE", false, NULL },
	{ OPT_DURATION, 0, "max-drill-age", "DURATION", &config.drill_every_s,
	  "critical when the last drill that verified a backup is longer ago (92d: quarterly); warning "
	  "in the last tenth of it", "DRILL_EVERY", false, NULL },
	{ OPT_FLAG, 0, "drill", NULL, &config.drill, "this run is a drill", "DRILL", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-freshness",
	.what = "judge the age of a backup, of its data and of its last verification",
	.operands = "",
	.description =
		"The age of a file is not the age of what is in it. check-freshness measures, as "
		"far as its input allows: the age of the newest \"backup\" record; in the restored "
		"database of an \"instance\" record the newest moment that any row bears, and "
		"with it the recovery point objective that the backup really meets; and the time "
		"since the last successful verification in the history.\n"
		"\n"
		"Moments later than the backup itself do not count, such as due dates. Times "
		"without a zone are read as UTC. A time in the future is unknown, not ok. So is "
		"whatever an option asks for and cannot be measured, and a run that measured "
		"nothing.",
	.examples = "list-backups /srv/backups | check-freshness --max-age 26h\n"
		    "is there a backup of today?\n"
		    "restore-to-temp -- check-freshness --rpo-target 24h\n"
		    "how old is the newest row in it?\n"
		    "check-freshness --nagios --history /var/lib/backup-probes/ --label shop "
		    "--max-verified-age 26h\n"
		    "be a monitoring plugin: when was it last proved?",
	.see_also = "emit-report(1), list-backups(1), restore-to-temp(1)",
	.options = options,
};

static void check_backup_age(struct stage *st, const struct restored *from)
{
	uint64_t limit_s = config.max_age_s  ? config.max_age_s
			   : config.crit.set ? 0
					     : DEFAULT_AGE_S;
	int64_t at_ms = restored_backup_moment(from, utc_now_ms());
	char at[UTC_SIZE];
	struct check c;

	check_init(&c, "backup-age", "");
	if (from->name)
		check_field(&c, "backup", json_string(from->name));
	if (!from->backup) {
		check_say(&c, V_UNKNOWN, "not measured: no backup record on the input%s",
			  config.history ? ", none in the last run of the history" : "");
	} else if (!from->taken && !from->modified) {
		check_say(&c, V_UNKNOWN, "not measured: the backup record tells no time");
	} else {
		check_observed_text(&c, utc_format(at_ms, at));
		fresh_say_backup(&c, at_ms, utc_now_ms(), limit_s, &config.warn, &config.crit);
	}
	stage_check(st, &c);
}

static void check_rpo(struct stage *st, struct restored *from, const struct witnesses *w)
{
	int64_t at_ms, interval_ms = 0;
	const char *by = witness_best(w, &at_ms);
	struct check c;

	(void)restored_interval(from, &interval_ms);
	check_init(&c, "verified-rpo", "");
	if (witness_proves(w))
		fresh_say_rpo(&c, at_ms, utc_now_ms(), config.rpo_target_s,
			      w->row && at_ms == w->row_ms ? NULL : by, interval_ms);
	else
		check_say(&c, V_UNKNOWN, "not measured: no newest row is known");
	stage_check(st, &c);
}

/* witnessed: something better than rows tells how new the data is; then old rows are no more than
 * rows that nobody has changed. */
static void judge_latest(struct check *c, const struct restored *from, const struct pg_latest *l,
			 bool witnessed)
{
	uint64_t limit_s = config.rpo_target_s ? config.rpo_target_s
			   : config.max_age_s  ? config.max_age_s
					       : DEFAULT_AGE_S;
	int64_t now_ms = utc_now_ms();
	char at[UTC_SIZE];

	check_observed_text(c, utc_format(l->at_ms, at));
	check_field(c, "table", record_string(l->table, strlen(l->table)));
	check_field(c, "time_column", record_string(l->column, strlen(l->column)));
	fresh_say_latest(c, l->at_ms, now_ms, limit_s,
			 !witnessed && from->backup &&
				 now_ms - restored_backup_moment(from, now_ms) <=
					 (int64_t)limit_s * 1000);
}

/* What is known without looking at rows. */
static void gather(struct stage *st, const struct restored *from, struct witnesses *w)
{
	AUTO_FREE char *path = pg_baseline_find(config.baseline, from->path);
	struct err e = { 0 };
	JSON_AUTO *baseline = path ? pg_baseline_read(path, config.baseline_key, &e) : NULL;

	if (path && !baseline)
		stage_error(st, "recovery-point", "", &e);
	w->snapshot = baseline && record_time(baseline, "snapshot_at", &w->snapshot_ms);
	/* A file's own time is no more than that. */
	w->point = from->recovered && !(from->modified && from->recovered_ms == from->modified_ms);
	w->point_ms = from->recovered_ms;
	w->point_by = from->recovered_by;
	w->backup = from->backup && restored_backup_time(from, &w->backup_ms);
	w->backup_said = from->taken;
}

static void check_point(struct stage *st, const struct witnesses *w)
{
	struct check c;

	if (!w->snapshot && !w->point)
		return;
	check_init(&c, "recovery-point", "");
	witness_say(&c, w, utc_now_ms());
	stage_check(st, &c);
}

static void report_latest(struct stage *st, const struct restored *from, const struct pg_latest *l,
			  const struct witnesses *w)
{
	bool wanted = config.rpo_target_s || config.time_columns.n;
	struct check c;

	/* Nothing to find, and nobody asked: no finding. */
	if (!l->found && l->asked == 0 && !wanted)
		return;
	check_init(&c, "latest-transaction", "");
	if (l->found)
		judge_latest(&c, from, l, w->snapshot || witness_replayed(w));
	else
		pg_latest_say_missing(&c, l);
	stage_check(st, &c);
}

static int look_into_data(struct stage *st, const struct restored *from, struct witnesses *w,
			  struct err *e)
{
	PG_AUTO pg = { 0 };
	PG_TABLES_AUTO tables = { 0 };
	struct pg_readers readers = { .first = &pg,
				      .sessions = JOBS,
				      .time_zone = config.time_zone };
	struct pg_target target;
	struct pg_evidence evidence;
	struct pg_latest latest;
	const char *unmatched;
	struct check c;

	restored_evidence(from, NULL, &evidence);
	if (restored_target(from, config.restored, &target, e) < 0 ||
	    pg_open(&pg, &target, e) < 0 || pg_tables_load(&pg, &tables, e) < 0 ||
	    pg_latest_find(&readers, &tables, &config.time_columns, pg_evidence_latest(&evidence),
			   &latest, &unmatched, e) < 0)
		return -1;
	if (unmatched) {
		check_init(&c, "latest-transaction", unmatched);
		check_say(&c, V_UNKNOWN,
			  "no table has this column (of type timestamp, timestamptz or "
			  "date)");
		stage_check(st, &c);
	}
	report_latest(st, from, &latest, w);
	w->row = latest.found;
	w->row_ms = latest.at_ms;
	return 0;
}

/* data: there is a restored database, or should be. */
static void check_data(struct stage *st, struct restored *from, bool data)
{
	struct witnesses w = { 0 };
	struct err e = { 0 };

	gather(st, from, &w);
	if (data && look_into_data(st, from, &w, &e) < 0)
		stage_error(st, "latest-transaction", "", &e);
	check_point(st, &w);
	if (data && (witness_proves(&w) || config.rpo_target_s))
		check_rpo(st, from, &w);
}

/* The newest run, and when one last ended as wanted. */
/* A plugin reads no records: the backup of the last run is the newest that it knows of. */
static void take_backup_of_last_run(struct restored *from, const struct proofs *past)
{
	struct err ignored; /* said by proofs_check_verified() */
	unsigned skipped;
	JSON_AUTO *run = proofs_newest_run(past, &skipped, &ignored);
	json_t *backup = json_object_get(run, "backup");

	if (backup)
		restored_see_backup(from, backup);
}

int main(int argc, char **argv)
{
	RESTORED_AUTO from = { 0 };
	HISTORY_AUTO *history = NULL;
	struct proofs past;
	struct record r;
	struct stage st;
	bool reads, data, age;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	stage_begin(&st, &tool);
	reads = st.in != NULL;
	while (stage_next(&st, &r))
		restored_see(&from, &r);
	if (config.history)
		history = pg_history_open(config.history);
	past = (struct proofs){ .history = history, .label = st.label };
	age = config.max_age_s || config.warn.set || config.crit.set;
	if (!reads && age)
		take_backup_of_last_run(&from, &past);
	if (from.backup || age)
		check_backup_age(&st, &from);
	data = from.instance || config.restored;
	check_data(&st, &from,
		   data || config.rpo_target_s || (config.time_columns.n && from.records == 0));
	if (config.max_verified_age_s || (config.history && !reads))
		proofs_check_verified(&st, &past,
				      config.max_verified_age_s ? config.max_verified_age_s
								: DEFAULT_AGE_S,
				      data);
	if (config.drill_every_s)
		proofs_check_drill(&st, &past, config.drill_every_s, config.drill && data);
	return stage_end(&st);
}
