/* compare-counts: the restored rows beside production's, with every difference explained. */
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/baseline_check.h"
#include "lib/pg/compare.h"
#include "lib/pg/compared.h"
#include "lib/pg/dumped.h"
#include "lib/pg/restored.h"

#include <stdlib.h>
#include <string.h>

enum { LOCK_WAIT_S = 10, JOBS_MAX = 32, PRODUCTION_S = 30 * 60 };

static struct {
	const char *production, *restored, *time_zone;
	const char *readings;
	const char *baseline, *baseline_key;
	uint64_t top, jobs, production_timeout_s, production_s, sample_above_b, slack_s;
	bool all, dump, recovery_given, checksum, show_rows;
	int64_t recovery_ms;
	struct strv tables, exclude, time_columns;
	struct pg_tolerance tolerance;
} config = { .top = 10, .jobs = 2, .production_timeout_s = PRODUCTION_S, .slack_s = 10 };

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
	{ OPT_TEXT, 0, "production", "CONNINFO", &config.production,
	  "the database to compare with: a connection string or URI, without password; only ever "
	  "read", "PRODUCTION", false, NULL },
	{ OPT_TEXT, 0, "restored", "CONNINFO", &config.restored,
	  "the restored database; default: the one of the instance record, else what PGHOST and its "
	  "like say", NULL, false, NULL },
	{ OPT_FLAG, 0, "dump", NULL, &config.dump,
	  "no database was restored: compare what inspect-dump, before this in the pipe, has counted "
	  "(and, with its --checksum, hashed)",
	  NULL, false, NULL },
	{ OPT_CALL, 0, "top", "N", &config.top,
	  "compare the N largest tables, or \"all\"; default: 10", "COMPARE_TABLES", false,
	  pg_top_option },
	{ OPT_FLAG, 0, "all", NULL, &config.all, "compare all tables", NULL, false, NULL },
	{ OPT_LIST, 0, "table", "PATTERN", &config.tables,
	  "compare the tables that match (orders, sales.*, audit_2026_*) instead of the largest; "
	  "may be repeated", NULL, false, NULL },
	{ OPT_LIST, 0, "exclude", "PATTERN", &config.exclude,
	  "leave out the tables that match; may be repeated", "EXCLUDE_TABLES", false, NULL },
	{ OPT_CALL, 0, "tolerance", "N", &config.tolerance,
	  "allow for so many unexplained rows a table (12), or such a share of production's (0.5%); "
	  "default: none", "TOLERANCE", false, pg_tolerance_option },
	{ OPT_LIST, 0, "time-column", "COLUMN", &config.time_columns,
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
	{ OPT_COUNT, 0, "jobs", "N", &config.jobs,
	  "count on N connections to each side; default: 2", NULL, false, NULL },
	{ OPT_DURATION, 0, "production-timeout", "DURATION", &config.production_timeout_s,
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
	{ OPT_FLAG, 0, "checksum", NULL, &config.checksum,
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

/* Both databases. */
struct work {
	struct restored from;
	struct pg here, there;
	struct pg_tables ours, theirs;
	struct pg_pairs pairs;
	struct pg_selected selected;
	struct pg_compare compare;
	struct dumped dumped;
};

static void work_free(struct work *w)
{
	dumped_free(&w->dumped);
	pg_compare_free(&w->compare);
	pg_pairs_free(&w->pairs);
	pg_tables_free(&w->ours);
	pg_tables_free(&w->theirs);
	pg_close(&w->here);
	pg_close(&w->there);
	restored_free(&w->from);
}

/* PG* lead to the restored server when nothing else names it, and under restore-to-temp. */
static int open_production(struct work *w, const struct pg_target *here, struct err *e)
{
	struct pg_target t = { .what = "production",
			       .conninfo = config.production,
			       .env = config.restored ? PG_ENV_ALL : PG_ENV_NO_ADDRESS,
			       .statement_s = config.production_timeout_s,
			       .lock_s = LOCK_WAIT_S };

	if (!pg_names_database(config.production))
		t.dbname = here->dbname;
	if (pg_open(&w->there, &t, e) < 0)
		return -1;
	return pg_tables_load(&w->there, &w->theirs, e);
}

/* *compared false: production is not asked for, or *lost says why it cannot be. */
static int open_both(struct work *w, bool *compared, struct err *lost, struct err *e)
{
	struct pg_target here;

	*compared = false;
	if (restored_target(&w->from, config.restored, &here, e) < 0)
		return -1;
	if (config.production) {
		*compared = open_production(w, &here, lost) == 0;
		/* A pg_dumpall restores many databases: take the one that production is. */
		if (*compared && !config.restored &&
		    strv_has(&w->from.databases, PQdb(w->there.link)))
			here.dbname = PQdb(w->there.link);
	}
	if (pg_open(&w->here, &here, e) < 0 || pg_tables_load(&w->here, &w->ours, e) < 0)
		return -1;
	if (*compared && pg_same_database(&w->here, &w->there))
		return err_set(e, ERR_USAGE,
			       "compare: %s is the restored database itself; let --production name "
			       "its host",
			       w->there.where);
	return 0;
}

static void say_unusable(struct stage *st, const char *subject, const char *why)
{
	struct check c;

	check_init(&c, "tables-compared", subject);
	check_say(&c, V_UNKNOWN, "%s", why);
	stage_check(st, &c);
}

/* What was asked for and is not there is no reason to stop, and never passed over. */
static int choose(struct stage *st, struct work *w, bool compared, struct err *e)
{
	struct pg_selection s = { .only = &config.tables,
				  .exclude = &config.exclude,
				  .paired = compared && !config.dump,
				  .top = config.all || config.tables.n ? 0 : config.top };
	bool any;

	pg_pairs_make(&w->pairs, &w->ours, compared ? &w->theirs : NULL);
	pg_pairs_select(&w->pairs, &s, &w->selected);
	if (w->selected.unmatched)
		say_unusable(st, w->selected.unmatched, "no table matches this pattern");
	for (size_t i = 0; compared && i < config.time_columns.n; i++) {
		if (pg_pairs_name_timecol(&w->pairs, &w->here, &w->there, config.time_columns.v[i],
					  &any, e) < 0)
			return -1;
		if (!any)
			say_unusable(st, config.time_columns.v[i],
				     "no compared table has this time column (of type timestamp, "
				     "timestamptz or date)");
	}
	return 0;
}

static void counted(const char *table, void *ctx)
{
	(void)ctx;
	tool_debug("asked %s", table);
}

static void report(struct stage *st, const struct work *w, const struct err *lost)
{
	struct check c;

	for (size_t i = 0; i < w->pairs.n; i++) {
		const struct pg_compared *x = &w->compare.v[i];

		check_init(&c, "row-count", pg_pair_table(x->pair)->full);
		compared_say_table(&c, x);
		stage_check(st, &c);
	}
	check_init(&c, "tables-compared", "");
	compared_say_all(&c, &w->compare, &w->selected, config.production ? lost : NULL);
	stage_check(st, &c);
}

/* What there is to compare; false: there is no baseline. */
static bool compare_baseline(struct stage *st, const struct work *w)
{
	const struct baseline_check b = { .setting = config.baseline,
					  .key_file = config.baseline_key,
					  .checksum = config.checksum,
					  .show_rows = config.show_rows,
					  .jobs = (unsigned)config.jobs,
					  .exclude = &config.exclude,
					  .restored = config.restored,
					  .dump = config.dump ? &w->dumped : NULL };

	return baseline_check(st, &b, &w->from);
}

static int compare(struct stage *st, struct work *w, struct err *e)
{
	struct err lost = { 0 };
	bool compared;

	if (open_both(w, &compared, &lost, e) < 0 || choose(st, w, compared, e) < 0)
		return -1;
	w->compare = (struct pg_compare){ .here = &w->here,
					  .there = compared ? &w->there : NULL,
					  .pairs = &w->pairs,
					  .tolerance = config.tolerance,
					  .slack_s = config.slack_s,
					  .jobs = (unsigned)config.jobs,
					  .time_zone = config.time_zone,
					  .sample_above_b = config.sample_above_b,
					  .production_s = config.production_s,
					  .memory = config.readings,
					  .label = st->label,
					  .progress = counted };
	restored_evidence(&w->from, config.recovery_given ? &config.recovery_ms : NULL,
			  &w->compare.evidence);
	if (pg_compare_run(&w->compare, e) < 0)
		return -1;
	report(st, w, &lost);
	return 0;
}

static void report_dump(struct stage *st, const struct work *w, const struct dumped_pair *v)
{
	struct check c;

	for (size_t i = 0; i < w->pairs.n; i++) {
		check_init(&c, "row-count", w->pairs.v[i].there->full);
		dumped_say(&c, &v[i]);
		stage_check(st, &c);
	}
	check_init(&c, "tables-compared", "");
	dumped_say_all(&c, &w->dumped, v, w->pairs.n);
	stage_check(st, &c);
}

static int compare_dump(struct stage *st, struct work *w, struct err *e)
{
	const struct pg_target nowhere = { .dbname = NULL };
	struct pg_readers readers = { .first = &w->there,
				      .sessions = (unsigned)config.jobs,
				      .time_zone = config.time_zone,
				      .gentle = true };
	struct pg_evidence evidence = { 0 };
	struct dumped_pair *v = NULL;
	int r;

	if (config.production == NULL) {
		struct check c;

		check_init(&c, "tables-compared", "");
		check_say(&c, V_WARNING, "nothing was compared: PRODUCTION is not set");
		stage_check(st, &c);
		return 0;
	}
	if (open_production(w, &nowhere, e) < 0 || choose(st, w, true, e) < 0)
		return -1;
	restored_evidence(&w->from, config.recovery_given ? &config.recovery_ms : NULL, &evidence);
	r = dumped_compare(&w->dumped, &w->pairs, &readers, &evidence, config.slack_s,
			   &config.tolerance, &v, e);
	if (r == 0)
		report_dump(st, w, v);
	free(v);
	return r;
}

static void check_usage(void)
{
	if (config.jobs < 1 || config.jobs > JOBS_MAX)
		tool_usage("--jobs: give a number from 1 to %d", JOBS_MAX);
	/* A password in PRODUCTION is the environment's affair; in an argument all can read it. */
	if (config.production && config.production != getenv("PRODUCTION") &&
	    pg_has_password(config.production))
		tool_usage("--production: no password on the command line, where every user can "
			   "read it; use PGPASSFILE, a service file or the variable PRODUCTION");
	if (pg_has_password(config.restored))
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
	if (config.dump && (config.production || config.baseline) && w.dumped.n == 0) {
		(void)err_set(&e, ERR_USAGE,
			      "compare a dump: no counts of inspect-dump came; put it before "
			      "compare-counts --dump");
		return stage_fail(&st, "tables-compared", "", &e);
	}
	/* Next to a baseline our own counts alone say nothing new. */
	if (compare_baseline(&st, &w) && !config.production)
		return stage_end(&st);
	if ((config.dump ? compare_dump : compare)(&st, &w, &e) < 0)
		return stage_fail(&st, "tables-compared", "", &e);
	return stage_end(&st);
}
