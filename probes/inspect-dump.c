/* inspect-dump: what a dump holds, and whether it is whole, without a server. */
#include "lib/base/num.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/dump/findings.h"
#include "lib/dump/keywork.h"
#include "lib/dump/parallel.h"
#include "lib/restore/source.h"

#include <string.h>

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
	{ OPT_FLAG, 0, "checksum", "copy", &config.checksum,
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
static const char *named(char out[FINDING_NAME], const char *file, const char *table)
{
	(void)snprintf(out, FINDING_NAME, "%.500s%s%.500s", file, file[0] && table[0] ? ": " : "",
		       table);
	return out;
}

static void say_format(struct stage *st, const char *file, const struct inspected *in)
{
	struct check c;

	check_init(&c, "dump-format", file);
	finding_format(&c, in);
	stage_check(st, &c);
}

static void say_rows(struct stage *st, const char *file, const struct census_table *t,
		     enum verdict damage)
{
	char name[FINDING_NAME], subject[FINDING_NAME];
	struct check c;

	check_init(&c, "dump-rows", named(subject, file, finding_table(t, name)));
	finding_rows(&c, t, damage);
	stage_check(st, &c);
}

static void say_newest(struct stage *st, const char *file, const struct census_table *t)
{
	char name[FINDING_NAME], column[FINDING_NAME], subject[FINDING_NAME];
	struct check c;

	(void)snprintf(column, sizeof(column), "%.700s.%.200s", finding_table(t, name), t->column);
	check_init(&c, "dump-newest", named(subject, file, column));
	finding_newest(&c, t, utc_now_ms());
	stage_check(st, &c);
}

static void say_sequences(struct stage *st, const char *file, const struct inspected *in)
{
	size_t i = 0;

	do {
		struct check c;

		check_init(&c, "dump-sequences", file);
		finding_sequences(&c, &in->rows, &i);
		stage_check(st, &c);
	} while (i < in->rows.n_sequences);
}

static void say_complete(struct stage *st, const char *file, const struct inspected *in,
			 uint64_t rows, double seconds)
{
	struct check c;

	check_init(&c, "dump-complete", file);
	finding_complete(&c, in, rows, seconds);
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
	if (r == 0 && in.what.kind != DUMP_MYSQL && in.what.kind != DUMP_MONGO)
		say_sequences(st, file, &in);
	if (r == 0)
		say_complete(st, file, &in, rows, (double)(mono_ms() - began_ms) / 1000);
}

/* All that is to be looked at. */
struct inspection {
	struct stage *st;
	struct keys keys;
	struct source source; /* where no file is named */
	char **files;
	int n;
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
	if (keys_load(&i.keys, &config.keys, &e) < 0 ||
	    keywork_run(tool.name, &i.keys, inspect_all, &i, &status, &e) < 0)
		status = stage_fail(&st, "dump-complete", "", &e);
	keys_wipe(&i.keys);
	source_free(&i.source);
	return status;
}
