/* compare-counts: the restored rows beside production's, with every difference explained. */
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/pg/baseline_check.h"
#include "lib/pg/compare.h"
#include "lib/pg/compared.h"
#include "lib/pg/dumped.h"
#include "lib/pg/pool.h"
#include "lib/pg/sides.h"

#include <stdlib.h>

enum { PRODUCTION_S = 30 * 60 };

static struct {
	struct sides_plan sides;
	const char *time_zone, *readings, *baseline, *baseline_key;
	uint64_t jobs, production_s, sample_above_b, slack_s;
	bool dump, recovery_given, checksum, show_rows;
	int64_t recovery_ms;
	struct pg_tolerance tolerance;
} config = { .sides = { .top = 10, .production_timeout_s = PRODUCTION_S },
	     .jobs = 2,
	     .slack_s = 10 };

static int set_recovery(const char *value, void *to, struct err *e)
{
	config.recovery_given = utc_parse(value, to);
	return config.recovery_given ? 0
				     : err_set(e, ERR_USAGE,
					       "'%s' is not an RFC 3339 time with its zone, such "
					       "as 2026-02-17T01:58:42Z",
					       value);
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "production", "CONNINFO", &config.sides.production,
	  "the database to compare with: a connection string or URI, without password; only ever "
	  "read", "PRODUCTION", false, NULL },
	{ OPT_TEXT, 0, "restored", "CONNINFO", &config.sides.restored,
	  "the restored database; default: the one of the instance record, else what PGHOST and its "
	  "like say", NULL, false, NULL },
	{ OPT_FLAG, 0, "dump", NULL, &config.dump,
	  "no database was restored: compare what inspect-dump, before this in the pipe, has counted "
	  "(and, with its --checksum, hashed)",
	  NULL, false, NULL },
	{ OPT_CALL, 0, "top", "N", &config.sides.top,
	  "compare the N largest tables, or \"all\"; default: 10", "COMPARE_TABLES", false,
	  pg_top_option },
	{ OPT_FLAG, 0, "all", NULL, &config.sides.all, "compare all tables", NULL, false, NULL },
	{ OPT_LIST, 0, "table", "PATTERN", &config.sides.tables,
	  "compare the tables that match (orders, sales.*, audit_2026_*) instead of the largest; "
	  "may be repeated", NULL, false, NULL },
	{ OPT_LIST, 0, "exclude", "PATTERN", &config.sides.exclude,
	  "leave out the tables that match; may be repeated", "EXCLUDE_TABLES", false, NULL },
	{ OPT_CALL, 0, "tolerance", "N", &config.tolerance,
	  "allow for so many unexplained rows a table (12), or such a share of production's (0.5%); "
	  "default: none", "TOLERANCE", false, pg_tolerance_option },
	{ OPT_LIST, 0, "time-column", "COLUMN", &config.sides.time_columns,
	  "the column that tells when a row was made, as COLUMN for all tables that have it or as "
	  "TABLE.COLUMN; default: found by name, type and default; may be repeated",
	  "TIME_COLUMN", false, NULL },
	{ OPT_CALL, 0, "time-zone", "ZONE", &config.time_zone,
	  "read times that have no zone as times of this one; default: UTC", "TIME_ZONE", false,
	  pg_time_zone_option },
	{ OPT_CALL, 0, "recovery-point", "TIME", &config.recovery_ms,
	  "up to when production's rows should be there; default: from the backup and its newest "
	  "rows", NULL, false, set_recovery },
	{ OPT_DURATION, 0, "slack", "DURATION", &config.slack_s,
	  "rows made this long before the recovery point may not have been committed at it; "
	  "default: 10s", NULL, false, NULL },
	{ OPT_CALL, 0, "jobs", "N", &config.jobs,
	  "count on N connections to each side; default: 2", NULL, false, pg_jobs_option },
	{ OPT_DURATION, 0, "production-timeout", "DURATION", &config.sides.production_timeout_s,
	  "the longest that counting one table may take in production; default: 30m", NULL, false,
	  NULL },
	{ OPT_DURATION, 0, "max-seconds", "DURATION", &config.production_s,
	  "the longest that counting all tables may take there; what is left then is unknown; "
	  "default: no limit", "PRODUCTION_TIME", false, NULL },
	{ OPT_SIZE, 0, "sample-above", "SIZE", &config.sample_above_b,
	  "estimate tables that are larger in production from so much of them, in random blocks; "
	  "default: count all rows", "SAMPLE_ABOVE", false, NULL },
	{ OPT_TEXT, 0, "readings", "PATH", &config.readings,
	  "remember production's counters of inserted and deleted rows in this file (or directory "
	  "with a file for each label); the next run explains by them what no time column does",
	  "READINGS", false, NULL },
	{ OPT_TEXT, 0, "baseline", "FILE|auto|none", &config.baseline,
	  "what capture-counts wrote when the backup was made; auto: BACKUP.counts.json beside the "
	  "backup, if it is there; default: auto", "BASELINE", false, NULL },
	{ OPT_TEXT, 0, "baseline-key", "FILE", &config.baseline_key,
	  "trust no baseline that is not signed with this key: a public Ed25519 key in PEM, else a "
	  "secret for HMAC-SHA256", "BASELINE_KEY_FILE", false, NULL },
	{ OPT_FLAG, 0, "checksum", "copy", &config.checksum,
	  "compare the content of all rows with the baseline's, too", "CHECKSUM", false, NULL },
	{ OPT_FLAG, 0, "show-rows", NULL, &config.show_rows,
	  "show rows that differ from the baseline's, not only their keys", NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "compare-counts",
	.what = "compare restored rows with production's",
	.operands = "",
	.description =
		"Counts the largest tables of the restored database and of production, each side "
		"in one snapshot, and says for each table what the difference means. Rows that "
		"production got after the recovery point are explained: a column like created_at "
		"tells which they are. What is neither explained nor within the tolerance is "
		"critical. A table that is missing on either side, or empty here and not there, "
		"is looked at however small it is.\n"
		"\n"
		"Where no column tells times, numbers drawn from a sequence tell which rows are "
		"new. Production's own counters (pg_stat_user_tables) bound how many rows can "
		"have been deleted or inserted since; with --readings since the last comparison "
		"before the backup, when its rows were counted, too.\n"
		"\n"
		"The recovery point is the time that the backup names, or that of its newest row, "
		"whichever is later. Times without a zone are read as UTC. Where the evidence "
		"cannot tell new rows from lost ones the result is a warning.\n"
		"\n"
		"Where capture-counts(1) wrote a baseline beside the backup, the restored database "
		"must be equal to it: rows, with --checksum their content, sequences, large "
		"objects, definitions. What differs is critical and named, down to the keys of the "
		"rows as far as the baseline can tell them. With --dump the rows in the dump must "
		"be "
		"those of the baseline: seconds instead of a restore.\n"
		"\n"
		"Production is read in read-only transactions with a time limit, by a role that "
		"needs pg_read_all_data, and BYPASSRLS where row security is on. Without "
		"--production and a baseline the restored rows are counted, and that nothing was "
		"compared is a warning. Foreign tables and the tables of extensions are never "
		"counted.",
	.examples = "restore-to-temp -- compare-counts --production service=shop\n"
		    "compare the ten largest tables while the restored server is up\n"
		    "compare-counts --restored 'host=/tmp/pg dbname=shop' --production "
		    "'host=db1 dbname=shop' --all --tolerance 0.1%\n"
		    "compare all tables of two databases, allowing for one row in a thousand",
	.see_also = "capture-counts(1), check-freshness(1), emit-report(1), restore-to-temp(1)",
	.options = options,
};

struct work {
	struct restored from;
	struct sides sides;
	struct pg_compare compare;
	struct dumped dumped;
	bool dated; /* by a baseline: .snapshot_ms is the backup's own moment */
	int64_t snapshot_ms;
};

static void work_free(struct work *w)
{
	dumped_free(&w->dumped);
	pg_compare_free(&w->compare);
	sides_free(&w->sides);
	restored_free(&w->from);
}

/* The user knows best; nobody else knows better than who took the snapshot. */
static void gather(const struct work *w, struct pg_evidence *out)
{
	const int64_t *given = config.recovery_given ? &config.recovery_ms
			       : w->dated            ? &w->snapshot_ms
						     : NULL;

	restored_evidence(&w->from, given, out);
	if (w->dated && !config.recovery_given)
		out->said_by = "the baseline's snapshot";
}

static void counted(const char *table, void *ctx)
{
	(void)ctx;
	tool_debug("asked %s", table);
}

/* What there is to compare; false: there is no baseline. */
static bool compare_baseline(struct stage *st, struct work *w)
{
	const struct baseline_check b = { .setting = config.baseline,
					  .key_file = config.baseline_key,
					  .checksum = config.checksum,
					  .show_rows = config.show_rows,
					  .jobs = (unsigned)config.jobs,
					  .exclude = &config.sides.exclude,
					  .restored = config.sides.restored,
					  .dump = config.dump ? &w->dumped : NULL };

	return baseline_check(st, &b, &w->from, &w->dated, &w->snapshot_ms);
}

static int compare(struct stage *st, struct work *w, struct err *e)
{
	struct sides *both = &w->sides;

	if (sides_open(both, &config.sides, &w->from, e) < 0 ||
	    sides_choose(both, &config.sides, st, e) < 0)
		return -1;
	w->compare = (struct pg_compare){ .here = &both->here,
					  .there = both->has_production ? &both->there : NULL,
					  .pairs = &both->pairs,
					  .tolerance = config.tolerance,
					  .slack_s = config.slack_s,
					  .jobs = (unsigned)config.jobs,
					  .time_zone = config.time_zone,
					  .sample_above_b = config.sample_above_b,
					  .production_s = config.production_s,
					  .memory = config.readings,
					  .label = st->label,
					  .progress = counted };
	gather(w, &w->compare.evidence);
	if (pg_compare_run(&w->compare, e) < 0)
		return -1;
	compared_report(st, &w->compare, &both->selected,
			config.sides.production ? &both->lost : NULL);
	return 0;
}

static int compare_dump(struct stage *st, struct work *w, struct err *e)
{
	struct sides *both = &w->sides;
	struct pg_readers readers = { .first = &both->there,
				      .sessions = (unsigned)config.jobs,
				      .time_zone = config.time_zone,
				      .gentle = true };
	struct pg_evidence evidence;
	struct dumped_pair *v = NULL;
	int r;

	if (config.sides.production == NULL) {
		struct check c;

		check_init(&c, "tables-compared", "");
		check_say(&c, V_WARNING, "nothing was compared: PRODUCTION is not set");
		stage_check(st, &c);
		return 0;
	}
	if (sides_open_production(both, &config.sides, e) < 0 ||
	    sides_choose(both, &config.sides, st, e) < 0)
		return -1;
	gather(w, &evidence);
	r = dumped_compare(&w->dumped, &both->pairs, &readers, &evidence, config.slack_s,
			   &config.tolerance, &v, e);
	if (r == 0)
		dumped_report(st, &w->dumped, &both->pairs, v);
	free(v);
	return r;
}

static void check_usage(void)
{
	/* A password in PRODUCTION is the environment's affair; in an argument all can read it. */
	if (config.sides.production && config.sides.production != getenv("PRODUCTION") &&
	    pg_has_password(config.sides.production))
		tool_usage("--production: no password on the command line, where every user can "
			   "read it; use PGPASSFILE, a service file or the variable PRODUCTION");
	if (pg_has_password(config.sides.restored))
		tool_usage("--restored: no password on the command line; use PGPASSFILE");
}

int main(int argc, char **argv)
{
	__attribute__((cleanup(work_free))) struct work w = { 0 };
	struct err e = { 0 };
	struct record r;
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	check_usage();
	stage_begin(&st, &tool);
	while (stage_next(&st, &r)) {
		restored_see(&w.from, &r);
		dumped_see(&w.dumped, &r);
	}
	if (config.dump && (config.sides.production || config.baseline) && w.dumped.n == 0) {
		(void)err_set(&e, ERR_USAGE,
			      "compare a dump: no counts of inspect-dump came; put it before "
			      "compare-counts --dump");
		return stage_fail(&st, "tables-compared", "", &e);
	}
	/* Next to a baseline our own counts alone say nothing new. */
	if (compare_baseline(&st, &w) && !config.sides.production)
		return stage_end(&st);
	if ((config.dump ? compare_dump : compare)(&st, &w, &e) < 0)
		return stage_fail(&st, "tables-compared", "", &e);
	return stage_end(&st);
}
