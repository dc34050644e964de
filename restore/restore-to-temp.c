/* restore-to-temp: restores the backup into a sealed throw-away PostgreSQL, runs COMMAND against
 * it, and removes everything, always. */
#include "lib/base/memory.h"
#include "lib/base/num.h"
#include "lib/pg/conn.h"
#include "lib/restore/production.h"
#include "lib/restore/run.h"
#include "lib/storage/access.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY_S = 24 * 60 * 60, JOBS_MAX = 256 };

static struct {
	const char *backup, *user, *work_dir, *pg_bindir, *settings_from;
	struct keys_config keys;
	uint64_t jobs, max_disk_b, max_memory_b, max_unpacked_b, rto_target_s;
	enum cluster_durability durability;
	struct strv skip_extensions;
	uint64_t keep_for_s;
	struct target target;
	const char *wal_source;
	struct storage_access access;
	bool require_encryption, require_isolation, keep, reap, rows_only, analyze;
} config;

static int set_jobs(const char *value, void *to, struct err *e)
{
	return num_u64(value, 1, JOBS_MAX, to, e);
}

static int set_durability(const char *value, void *to, struct err *e)
{
	enum cluster_durability *durability = to;

	if (strcmp(value, "fast") != 0 && strcmp(value, "faithful") != 0)
		return err_set(e, ERR_USAGE, "'%s' is neither fast nor faithful", value);
	*durability = strcmp(value, "fast") == 0 ? CLUSTER_FAST : CLUSTER_FAITHFUL;
	return 0;
}

static int set_target(const char *value, void *to, struct err *e)
{
	return target_parse(value, to, e);
}

static int set_timeline(const char *value, void *to, struct err *e)
{
	return target_timeline(value, to, e);
}

static int set_depth(const char *value, void *to, struct err *e)
{
	bool *rows_only = to;

	if (strcmp(value, "full") != 0 && strcmp(value, "data") != 0)
		return err_set(e, ERR_USAGE, "'%s' is neither full nor data", value);
	*rows_only = strcmp(value, "data") == 0;
	return 0;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "backup", "FILE", &config.backup,
	  "restore this file or directory, or the newest backup of pgbackrest:STANZA, barman:SERVER or "
	  "walg:, instead of the newest one that the records on standard input name", NULL, false, NULL },
	{ OPT_TEXT, 0, "run-as", "NAME", &config.user,
	  "as root: the user that the server and all that reads the backup run as; default: postgres, "
	  "else nobody", NULL, false, NULL },
	{ OPT_TEXT, 0, "work-dir", "DIR", &config.work_dir,
	  "where the temporary server's private directory is made; default: $TMPDIR, else /tmp",
	  "WORK_DIR", false, NULL },
	{ OPT_TEXT, 0, "pg-bindir", "DIR", &config.pg_bindir,
	  "where initdb, postgres and pg_restore are; default: the installed version nearest to the "
	  "backup's", "PG_BINDIR", false, NULL },
	{ OPT_CALL, 0, "jobs", "N", &config.jobs,
	  "restore with so many sessions at a time; default: the number of processors", NULL, false,
	  set_jobs },
	{ OPT_CALL, 0, "depth", "full|data", &config.rows_only,
	  "data: tables and rows only, without indexes, constraints, triggers, privileges and "
	  "refreshed views: enough to count and compare, no measure of a recovery; default: full",
	  "DEPTH", false, set_depth },
	{ OPT_FLAG, 0, "analyze", NULL, &config.analyze,
	  "gather statistics, too, as one would after a recovery, and measure it", NULL, false, NULL },
	{ OPT_CALL, 0, "durability", "fast|faithful", &config.durability,
	  "fast: never wait for the disk; faithful: restore as a real recovery would, to measure it; "
	  "default: fast", "DURABILITY", false, set_durability },
	{ OPT_TEXT, 0, "settings-from", "CONNINFO", &config.settings_from,
	  "with --durability faithful: take the memory and WAL settings of this server, production",
	  "SETTINGS_FROM", false, NULL },
	{ OPT_SIZE, 0, "max-disk", "SIZE", &config.max_disk_b,
	  "take at most this much disk space; default: what is free", "MAX_DISK", false, NULL },
	{ OPT_SIZE, 0, "max-unpacked", "SIZE", &config.max_unpacked_b,
	  "refuse a compressed backup that more than this comes out of; default: a thousand times its "
	  "own size, the first 64 MiB apart",
	  "MAX_UNPACKED", false, NULL },
	{ OPT_SIZE, 0, "max-memory", "SIZE", &config.max_memory_b,
	  "take at most this much memory, apart from what the server's processes share; default: three "
	  "quarters of what there is", "MAX_MEMORY", false, NULL },
	{ OPT_LIST, 0, "skip-extension", "NAME", &config.skip_extensions,
	  "leave out this extension and all that needs it, where it is not installed; the report names "
	  "what is missing then", "SKIP_EXTENSIONS", false, NULL },
	{ OPT_TEXT, 0, "wal-source", "SOURCE", &config.wal_source,
	  "a physical backup: the archive of its WAL: a directory, s3://, https://, pgbackrest: ... as "
	  "fetch-latest takes it; default: only the WAL in the backup, or that of the repository",
	  "WAL_SOURCE", false, NULL },
	ACCESS_OPTIONS(config.access),
	{ OPT_CALL, 0, "target", "TARGET", &config.target,
	  "a physical backup: recover up to latest, immediate (the end of the backup), a time "
	  "(2026-02-17T01:58:42Z), a WAL position (0/5000060), a transaction's number, or the name of a "
	  "restore point; default: latest", "RECOVERY_TARGET", false, set_target },
	{ OPT_CALL, 0, "timeline", "latest|current|N", &config.target,
	  "a physical backup: follow this timeline; default: latest, to the end of the backup current",
	  "RECOVERY_TIMELINE", false, set_timeline },
	KEYS_OPTIONS(config.keys),
	{ OPT_FLAG, 0, "require-encryption", NULL, &config.require_encryption,
	  "a backup that is not encrypted is critical", "REQUIRE_ENCRYPTION", false, NULL },
	{ OPT_DURATION, 0, "rto-target", "DURATION", &config.rto_target_s,
	  "how long a recovery may take, fetching included", "RTO_TARGET", false, NULL },
	{ OPT_FLAG, 0, "require-isolation", NULL, &config.require_isolation,
	  "restore only where the server can be shut off from this machine and its network", "REQUIRE_ISOLATION",
	  false, NULL },
	{ OPT_FLAG, 0, "keep", NULL, &config.keep,
	  "hold the restored server for people, and say how to connect, until Ctrl-C or for a day", NULL,
	  false, NULL },
	{ OPT_DURATION, 0, "keep-for", "DURATION", &config.keep_for_s,
	  "the same, for so long", NULL, false, NULL },
	{ OPT_FLAG, 0, "reap", NULL, &config.reap,
	  "only remove what runs left that were killed with all their processes; every run does that "
	  "first", NULL, false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "restore-to-temp",
	.what = "restore a backup into a throw-away PostgreSQL server",
	.operands = "[-- COMMAND [ARG...]]",
	.description =
		"Restores the newest backup that the records on standard input name (fetch-latest "
		"writes such a record) into a private PostgreSQL server, runs COMMAND against it, "
		"and removes everything, whatever happens: an error, a signal, a full disk, even a "
		"kill -9.\n"
		"\n"
		"It takes what pg_dump writes (plain SQL, custom, directory, tar) and what "
		"pg_dumpall writes, uncompressed or compressed with gzip, zstd, lz4, xz or bzip2, "
		"encrypted or not with gpg, age or openssl enc, one in another, and tells them by "
		"content, never by name. Passphrase and key may also stand in the environment, as "
		"DECRYPT_PASSPHRASE and DECRYPT_KEY, or in $CREDENTIALS_DIRECTORY under these "
		"names. A statement that fails is critical "
		"unless it fails in every healthy restore; so is a backup whose end is missing, "
		"even if all that is there was restored.\n"
		"\n"
		"It takes physical backups, too, as pg_basebackup writes them: a directory or a "
		"set of tars, plain or compressed. They are recovered up to --target, with the "
		"WAL in them and that of --wal-source, under settings of our own: nothing that "
		"the backed-up server was set up to do happens. A target that is not reached is "
		"critical, and so is a hole in the archive. An incremental one (PostgreSQL 17) is "
		"put together by pg_combinebackup with those that it builds on, which are found "
		"beside it by where they began. Of a repository of pgBackRest, "
		"Barman or WAL-G that program's own restore writes the backup into the private "
		"directory first.\n"
		"\n"
		"The server and all that reads the backup run as an unprivileged user in a place "
		"of their own: without a network, with no processes and no files of this machine "
		"but the system's programs and the backup, in one private directory. Where the "
		"system allows that in part or not at all, a warning says so. The server listens "
		"on a socket in that directory only. Archiving, preloaded libraries and "
		"replication are off. Plain SQL is not given to psql: its meta-commands do "
		"nothing.\n"
		"\n"
		"COMMAND gets all records so far on its standard input and PGHOST, PGPORT, PGUSER "
		"and PGDATABASE set. It is usually a record filter: the records that it repeats "
		"are dropped, those that it adds are passed on. When it adds no check that is a "
		"finding.\n"
		"\n"
		"A dump of pg_dump as plain SQL is restored by several sessions while it is being "
		"read, a custom or directory archive by pg_restore --jobs. The time that it took, "
		"with the time of fetching before it, is the measured RTO; a restore with --depth "
		"data claims none.",
	.examples = "fetch-latest /var/backups/shop | restore-to-temp -- compare-counts "
		    "--production service=shop\n"
		    "prove the newest backup against production\n"
		    "restore-to-temp --backup shop.dump --keep\n"
		    "look around in a backup with psql",
	.see_also = "check-freshness(1), compare-counts(1), emit-report(1), fetch-latest(1)",
	.options = options,
	.command = true,
	.own_timeout = true,
};

static void show_progress(const char *phase)
{
	tool_say("restoring: %s", phase);
}

static void check_usage(void)
{
	if (config.settings_from == NULL)
		return;
	if (config.durability != CLUSTER_FAITHFUL)
		tool_usage("--settings-from: only a restore with --durability faithful is to take "
			   "as long as production would");
	if (config.settings_from != getenv("SETTINGS_FROM") &&
	    pg_has_password(config.settings_from))
		tool_usage("--settings-from: no password on the command line, where every user can "
			   "read it; use PGPASSFILE, a service file or the variable SETTINGS_FROM");
}

/* Who says how much may come out knows best; else a bomb is told by its ratio. */
static struct stream_opts reading(void)
{
	return (struct stream_opts){ .max_out_b = config.max_unpacked_b,
				     .max_ratio = config.max_unpacked_b ? 0 : STREAM_BOMB_RATIO };
}

/* Which backup it is, and as whom it is restored. */
static int settle(struct source *source, struct bring *bring, struct attempt *a, struct err *e)
{
	if (!bring_claims(source, config.backup))
		return source_settle(source, config.backup, e) < 0
			       ? -1
			       : identity_unprivileged(config.user, &a->who, e);
	a->bring = bring;
	return bring_settle(bring, source, config.backup, &config.target, config.user, &a->who, e);
}

/* Where its WAL is: what is named; else where the backup is. */
static int settle_archive(struct keeper *archive, struct attempt *a, struct err *e)
{
	if (config.wal_source && keeper_claims(config.wal_source)) {
		if (keeper_open(archive, config.wal_source, e) < 0)
			return -1;
		a->wal_keeper = archive;
		a->wal_source = NULL;
	} else if (!config.wal_source && a->bring) {
		a->wal_keeper = &a->bring->keeper;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct source source = SOURCE_INIT;
	struct bring bring = { 0 };
	KEEPER_AUTO archive = { 0 };
	struct attempt a = { .source = &source };
	STRV_AUTO settings = { 0 };
	struct err e = { 0 };
	struct stage st;
	struct record r;
	int first;

	config.max_memory_b = memory_b() / 4 * 3;
	config.jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	common.timeout_s = DAY_S;
	first = tool_begin(&tool, argc, argv);
	check_usage();
	a.st = &st;
	a.work_dir = config.work_dir;
	a.command = first < argc ? argv + first : NULL;
	if (config.keep && config.keep_for_s == 0)
		config.keep_for_s = DAY_S;
	a.keep_for_s = config.keep_for_s;
	a.require_isolation = config.require_isolation;
	a.wal_source = config.wal_source;
	a.wal_access = &config.access;
	a.job = (struct restore_job){ .require_encryption = config.require_encryption,
				      .pg_bindir = config.pg_bindir,
				      .durability = config.durability,
				      .jobs = (unsigned)config.jobs,
				      .max_disk_b = config.max_disk_b,
				      .max_memory_b = config.max_memory_b,
				      .reading = reading(),
				      .skip_extensions = config.skip_extensions,
				      .rto_target_s = config.rto_target_s,
				      .target = config.target,
				      .rows_only = config.rows_only,
				      .analyze = config.analyze };
	if (common.progress || isatty(STDERR_FILENO))
		a.job.progress = show_progress;

	stage_begin(&st, &tool);
	if (config.reap)
		return run_reap_only(&st, config.work_dir);
	a.records_fd = run_records(&st, config.work_dir, &e);
	if (a.records_fd < 0)
		return stage_fail(&st, "restore", "", &e);
	while (stage_next(&st, &r))
		if (source_see(&source, &r) && config.backup == NULL)
			break;
	if (keys_load(&a.job.keys, &config.keys, &e) < 0 || settle(&source, &bring, &a, &e) < 0 ||
	    settle_archive(&archive, &a, &e) < 0)
		return stage_fail(&st, "restore", "", &e);
	if (config.settings_from)
		production_settings(&st, config.settings_from, (unsigned)config.jobs, &settings);
	a.job.settings = settings.n ? &settings : NULL;
	run_reap(config.work_dir);
	return run_attempt(&st, &a);
}
