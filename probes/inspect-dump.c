/* inspect-dump: what a dump holds, and whether it is whole, without a server. */
#include "lib/base/buf.h"
#include "lib/base/human.h"
#include "lib/base/num.h"
#include "lib/base/stage.h"
#include "lib/base/supervise.h"
#include "lib/base/tmpdir.h"
#include "lib/base/utc.h"
#include "lib/dump/inspect.h"
#include "lib/dump/keys.h"
#include "lib/dump/parallel.h"
#include "lib/restore/source.h"

#include <string.h>
#include <sys/wait.h>

enum { SUBJECT_MAX = 1024, GRACE_S = 5 };

static struct {
	struct strv time_columns;
	bool checksum;
	uint64_t jobs, max_unpacked_b;
	struct keys_config keys;
} config;

static int set_jobs(const char *value, void *to, struct err *e)
{
	return num_u64(value, 1, PARALLEL_MAX, to, e);
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_LIST, 0, "time-column", "COLUMN", &config.time_columns,
	  "say the newest moment in this column, TABLE.COLUMN or COLUMN for all tables that have it; "
	  "times without a zone are read as UTC; needs COPY data; may be repeated", "TIME_COLUMN",
	  false, NULL },
	{ OPT_FLAG, 0, "checksum", NULL, &config.checksum,
	  "hash the rows of each table that come as COPY data, as capture-counts --checksum does, for "
	  "compare-counts --dump", "CHECKSUM", false, NULL },
	{ OPT_CALL, 0, "jobs", "N", &config.jobs,
	  "unpack on so many processors; default: all", NULL, false, set_jobs },
	{ OPT_SIZE, 0, "max-unpacked", "SIZE", &config.max_unpacked_b,
	  "refuse a compressed dump that more than this comes out of; default: a thousand times its own "
	  "size, the first 64 MiB apart", "MAX_UNPACKED", false, NULL },
	KEYS_OPTIONS(config.keys),
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "inspect-dump",
	.what = "read a dump without a server: is it whole, and what is in it",
	.operands = "[FILE...]",
	.description =
		"Reads each FILE (for a directory dump: the directory) from its first byte to its "
		"last, or the newest backup that the records on standard input name "
		"(fetch-latest writes such a record). It says what it is, whether it is complete, "
		"and for every table with data how many rows and bytes are in the dump. All that "
		"is compressed is unpacked, and its checksums verified.\n"
		"\n"
		"It takes what pg_dump writes (plain SQL, custom, directory, tar; with COPY or "
		"INSERT) and what pg_dumpall writes, by PostgreSQL 10 or newer, and the dumps of "
		"mysqldump, mariadb-dump and mongodump --archive, each also compressed with gzip, "
		"zstd, lz4, xz or bzip2, and encrypted with gpg, age or openssl enc where it is "
		"given "
		"the key.\n"
		"\n"
		"The counts are those of COUNT(*) after a restore: compare-counts --dump compares "
		"them with production's. What this does not prove: that the dump restores, and, "
		"where nothing is compressed and no --checksum is compared, that no byte inside a "
		"row has changed.",
	.examples = "inspect-dump --text shop.dump\n"
		    "look at a file\n"
		    "fetch-latest /srv/backups | inspect-dump | compare-counts --dump "
		    "--production service=shop\n"
		    "count what the newest dump holds and compare it with production",
	.see_also = "compare-counts(1), fetch-latest(1), restore-to-temp(1), size-trend(1)",
	.options = options,
};

/* "" for the one dump that the records name. */
static const char *named(char out[SUBJECT_MAX], const char *file, const char *table)
{
	(void)snprintf(out, SUBJECT_MAX, "%.500s%s%.500s", file, file[0] && table[0] ? ": " : "",
		       table);
	return out;
}

static void say_format(struct stage *st, const char *file, const struct inspected *in)
{
	const struct sniffed *w = &in->what;
	char text[SNIFF_TEXT], made[UTC_SIZE];
	BUF_AUTO more = BUF_INIT(512);
	struct check c;

	check_init(&c, "dump-format", file);
	(void)sniff_describe(w, text);
	if (w->database[0])
		buf_addf(&more, "; database %s", w->database);
	if (in->encoding[0])
		buf_addf(&more, ", %s", in->encoding);
	if (w->local_ms >= 0)
		buf_addf(&more, "; made %.19s by its host's clock", utc_human(w->local_ms, made));
	if (w->name_says[0])
		check_say(&c, V_WARNING, "%s%s, but its name says %s", text, more.s, w->name_says);
	else
		check_say(&c, V_OK, "%s%s", text, more.s);
	check_field(&c, "format", json_string(sniff_format(w)));
	if (w->database[0])
		check_field(&c, "database", record_string(w->database, strlen(w->database)));
	if (in->encoding[0])
		check_field(&c, "encoding", record_string(in->encoding, strlen(in->encoding)));
	if (w->server_version[0])
		check_field(&c, "server_version",
			    record_string(w->server_version, strlen(w->server_version)));
	stage_check(st, &c);
}

/* A database's name only where the dump is of many. */
static const char *table_name(const struct census_table *t, char out[SUBJECT_MAX])
{
	(void)snprintf(out, SUBJECT_MAX, "%s%s%s", t->database, t->database[0] ? "." : "", t->name);
	return out;
}

/* damage: what it means when rows are not all there. */
static void say_rows(struct stage *st, const char *file, const struct census_table *t,
		     enum verdict damage)
{
	char name[SUBJECT_MAX], subject[SUBJECT_MAX], rows[HUMAN_SIZE], bytes[HUMAN_SIZE];
	char hash[ROWHASH_TEXT_SIZE];
	struct check c;

	check_init(&c, "dump-rows", named(subject, file, table_name(t, name)));
	if (!t->whole) {
		check_say(&c, damage, "its rows are not all there, or damaged");
		stage_check(st, &c);
		return;
	}
	check_metric_int(&c, "rows", (int64_t)t->tally.rows, "rows");
	check_metric_int(&c, "bytes", (int64_t)t->tally.bytes, "B");
	check_observed_int(&c, (int64_t)t->tally.rows);
	check_field(&c, "table", record_string(t->name, strlen(t->name)));
	if (t->database[0])
		check_field(&c, "database", record_string(t->database, strlen(t->database)));
	if (t->tally.hashes)
		check_field(&c, "checksum", json_string(rowhash_text(&t->tally.hash, hash)));
	check_say(&c, V_OK, "%s (%s)", human_count((int64_t)t->tally.rows, rows),
		  human_bytes(t->tally.bytes, bytes));
	stage_check(st, &c);
}

static void say_newest(struct stage *st, const char *file, const struct census_table *t)
{
	char name[SUBJECT_MAX], column[SUBJECT_MAX], subject[SUBJECT_MAX];
	char at[UTC_SIZE], age[HUMAN_SIZE];
	const double age_s = (double)(utc_now_ms() - t->tally.newest_ms) / 1000;
	struct check c;

	(void)snprintf(column, sizeof(column), "%.700s.%.200s", table_name(t, name), t->column);
	check_init(&c, "dump-newest", named(subject, file, column));
	if (!t->tally.found) {
		check_say(&c, t->tally.rows ? V_UNKNOWN : V_OK,
			  t->tally.rows ? "no row has a moment there" : "the table is empty");
		stage_check(st, &c);
		return;
	}
	check_observed_text(&c, utc_format(t->tally.newest_ms, at));
	check_metric_real(&c, "data_age_seconds", age_s, "s");
	if (age_s < 0)
		check_say(&c, V_OK, "%s, %s in the future", utc_human(t->tally.newest_ms, at),
			  human_duration(-age_s, age));
	else
		check_say(&c, V_OK, "%s, %s ago", utc_human(t->tally.newest_ms, at),
			  human_duration(age_s, age));
	stage_check(st, &c);
}

static void say_complete(struct stage *st, const char *file, const struct inspected *in,
			 uint64_t rows, double seconds)
{
	char count[HUMAN_SIZE], bytes[HUMAN_SIZE];
	struct check c;

	check_init(&c, "dump-complete", file);
	check_metric_int(&c, "tables", (int64_t)in->rows.n, "");
	check_metric_int(&c, "rows", (int64_t)rows, "rows");
	check_metric_int(&c, "objects", (int64_t)in->objects, "");
	check_metric_int(&c, "data_bytes", (int64_t)in->data_b, "B");
	check_metric_real(&c, "inspect_seconds", seconds, "s");
	if (in->rows.n == 0)
		check_say(&c, V_WARNING, "%s, but it holds the data of no table",
			  in->note[0] ? in->note : "complete");
	else
		check_say(
			&c, in->unproven ? V_WARNING : V_OK,
			"%s; %zu table%s with %s rows, %s; that it restores is not proven by this",
			in->note[0] ? in->note : "complete to the last byte", in->rows.n,
			in->rows.n == 1 ? "" : "s", human_count((int64_t)rows, count),
			human_bytes(in->data_b, bytes));
	stage_check(st, &c);
}

static void say_tables(struct stage *st, const char *file, const struct inspected *in,
		       enum verdict damage, uint64_t *rows)
{
	bool any = false;

	for (size_t i = 0; i < in->rows.n; i++) {
		const struct census_table *t = in->rows.v[i];

		*rows += t->whole ? t->tally.rows : 0;
		say_rows(st, file, t, damage);
		any = any || t->column;
		if (t->column && t->whole)
			say_newest(st, file, t);
	}
	if (config.time_columns.n && !any) {
		struct check c;

		check_init(&c, "dump-newest", file);
		check_say(&c, V_UNKNOWN, "no table of the dump has COPY data with a column %s",
			  config.time_columns.v[0]);
		stage_check(st, &c);
	}
}

/* Who says how much may come out knows best; else a bomb is told by its ratio. */
static void inspect(struct stage *st, const struct keys *keys, const char *path, const char *file)
{
	const struct inspect_opts opts = {
		.reading = { .max_out_b = config.max_unpacked_b,
			     .max_ratio = config.max_unpacked_b ? 0 : STREAM_BOMB_RATIO,
			     .keys = keys },
		.threads = config.jobs ? (unsigned)config.jobs : parallel_threads(),
		.hashes = config.checksum,
		.time_columns = &config.time_columns,
	};
	INSPECTED_AUTO in = { 0 };
	int64_t began_ms = mono_ms();
	struct err e = { 0 };
	uint64_t rows = 0;
	int r = inspect_path(path, &opts, &in, &e);

	if (in.recognised)
		say_format(st, file, &in);
	say_tables(st, file, &in, r < 0 ? err_status(&e) : V_UNKNOWN, &rows);
	if (r < 0)
		stage_error(st, in.recognised ? "dump-complete" : "dump-format", file, &e);
	else
		say_complete(st, file, &in, rows, (double)(mono_ms() - began_ms) / 1000);
}

/* All that is to be looked at. */
struct inspection {
	struct stage *st;
	struct keys keys;
	struct source source; /* where no file is named */
	char **files;
	int n;
	struct tmpdir home; /* for gpg, which is given the key */
};

static int inspect_all(void *ctx)
{
	struct inspection *i = ctx;
	struct err e = { 0 };

	for (int k = 0; k < i->n; k++)
		inspect(i->st, &i->keys, i->files[k], i->n > 1 ? i->files[k] : "");
	if (i->n == 0 && source_settle(&i->source, NULL, &e) == 0)
		inspect(i->st, &i->keys, i->source.path, "");
	else if (i->n == 0)
		stage_error(i->st, "dump-complete", "", &e);
	return stage_end(i->st);
}

static int make_home(void *ctx, struct err *e)
{
	static const struct identity self;
	struct inspection *i = ctx;

	i->keys.dir = i->home.path;
	return tmpdir_create(&i->home, NULL, "inspect-dump", &self, e);
}

static void remove_home(void *ctx)
{
	struct inspection *i = ctx;
	struct err ignored;

	(void)tmpdir_remove(&i->home, &ignored);
}

/* With keys it works in a process of its own, so that nothing of them stays, whatever ends it. */
static int inspect_supervised(struct inspection *i)
{
	const struct supervise s = { .prepare = make_home,
				     .work = inspect_all,
				     .clean_up = remove_home,
				     .ctx = i,
				     .grace_s = GRACE_S };
	enum supervise_end end;
	struct err e = { 0 };
	int status;

	if (supervise_run(&s, &status, &end, NULL, &e) < 0)
		return stage_fail(i->st, "dump-complete", "", &e);
	if (end == SUPERVISE_DONE && WIFEXITED(status))
		return WEXITSTATUS(status);
	(void)err_set(&e, ERR_SYSTEM, "interrupted");
	return stage_fail(i->st, "dump-complete", "", &e);
}

int main(int argc, char **argv)
{
	struct inspection i = { .source = SOURCE_INIT };
	struct err e = { 0 };
	struct stage st;
	struct record r;
	const int first = tool_begin(&tool, argc, argv);
	int status;

	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		source_see(&i.source, &r);
	i.st = &st;
	i.files = argv + first;
	i.n = argc - first;
	if (keys_load(&i.keys, &config.keys, &e) < 0)
		status = stage_fail(&st, "dump-complete", "", &e);
	else
		status = keys_any(&i.keys) ? inspect_supervised(&i) : inspect_all(&i);
	keys_wipe(&i.keys);
	source_free(&i.source);
	return status;
}
