/* capture-counts: runs the backup and writes down what the database held in its very snapshot. */
#include "lib/base/proc.h"
#include "lib/base/record.h"
#include "lib/base/tool.h"
#include "lib/base/xmem.h"
#include "lib/pg/baseline.h"
#include "lib/pg/capture.h"
#include "lib/pg/pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOCK_WAIT_S = 30, SIGNALLED = 128 };

static struct {
	const char *database, *beside, *sign_key;
	struct strv only, exclude;
	uint64_t jobs;
	bool checksum, at_stop;
} config = { .jobs = 2 };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 'b', "beside", "PATH", &config.beside,
	  "the backup that COMMAND writes, a file or a directory: the baseline is PATH.counts.json; "
	  "needed", NULL, false, NULL },
	{ OPT_TEXT, 'd', "database", "CONNINFO", &config.database,
	  "the database that is backed up: a connection string or URI, without password; default: "
	  "what PGHOST, PGDATABASE and their like say", NULL, false, NULL },
	{ OPT_FLAG, 0, "checksum", "copy", &config.checksum,
	  "hash the content of every table and large object too, as COPY writes it: reads all rows "
	  "once more", "CHECKSUM", false, NULL },
	{ OPT_CALL, 'j', "jobs", "N", &config.jobs,
	  "read on N connections; default: 2", NULL, false, pg_jobs_option },
	{ OPT_LIST, 't', "table", "PATTERN", &config.only,
	  "count only tables that match, as pg_dump --table dumps them; may be repeated", NULL, false,
	  NULL },
	{ OPT_LIST, 'x', "exclude", "PATTERN", &config.exclude,
	  "do not count tables that match, whose rows the backup leaves out; may be repeated",
	  "EXCLUDE_TABLES", false, NULL },
	{ OPT_TEXT, 0, "sign-key", "FILE", &config.sign_key,
	  "sign the baseline: a private Ed25519 key in PEM, else a secret for HMAC-SHA256", NULL,
	  false, NULL },
	{ OPT_FLAG, 0, "at-backup-stop", NULL, &config.at_stop,
	  "for physical backups: count when COMMAND has ended, and say in the file whether that is "
	  "exact or approximate", NULL, false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "capture-counts",
	.what = "write down what a database holds in the snapshot of its backup",
	.operands = "-- COMMAND [ARG...]",
	.description =
	"Exports a snapshot of the database and runs COMMAND, a pg_dump, with the snapshot's name in "
	"the place of @SNAPSHOT@ in its arguments and in PGSNAPSHOT_NAME. Meanwhile it reads in that "
	"same snapshot, over several connections, how many rows every table has, with --checksum their "
	"content, large objects, definitions and the newest values of time columns. Sequences have no "
	"snapshots: they are read before and after.\n\n"
	"When COMMAND succeeded, all this is written beside the backup, whole or not at all. "
	"compare-counts(1) then expects the restored database to be equal to the last row. Writers are "
	"not held up; altering or truncating a table waits until the end, and other definitions that "
	"change meanwhile are said and marked.\n\n"
	"A physical backup has no snapshot. With --at-backup-stop the database is read right after "
	"COMMAND, and the baseline is exact only if no transaction wrote anything from COMMAND's start "
	"to the snapshot; else it says approximate.\n\n"
	"Standard input and output are COMMAND's, so that it can be part of a pipe; no records are "
	"written. The status is COMMAND's (128 and the signal's number when one ended it), or 3 when "
	"COMMAND succeeded but the baseline could not be made, or was not begun.",
	.examples =
	"capture-counts --checksum --beside shop.dump -d dbname=shop -- pg_dump -Fc "
	"--snapshot=@SNAPSHOT@ -f shop.dump shop\n"
	"a dump and its baseline shop.dump.counts.json\n"
	"capture-counts --beside base --at-backup-stop -d dbname=shop -- pg_basebackup -D base\n"
	"a base backup with the counts at its end",
	.see_also = "compare-counts(1), fetch-latest(1), restore-to-temp(1)",
	.options = options,
	.command = true,
	.source = true,
	.own_timeout = true,
};
/* clang-format on */

/* For the handler: the running COMMAND, 0: none; whether it was asked to stop. */
static volatile sig_atomic_t command_pid, stopped;

static void on_signal(int number)
{
	/* A second time, or without COMMAND: something of ours hangs, and nothing is half done. */
	if (stopped || command_pid == 0)
		_exit(SIGNALLED + number);
	stopped = 1;
	(void)kill((pid_t)command_pid, number == SIGALRM ? SIGTERM : number);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	if (common.timeout_s > 0)
		(void)alarm(common.timeout_s > UINT_MAX ? UINT_MAX : (unsigned)common.timeout_s);
}

/* Fills in @SNAPSHOT@. False: it stands nowhere. */
static bool fill_in(char **argv, const char *snapshot, struct strv *out)
{
	static const char place[] = "@SNAPSHOT@";
	bool any = false;

	for (; *argv; argv++) {
		const char *at = strstr(*argv, place);

		any |= at != NULL;
		if (at)
			strv_addf(out, "%.*s%s%s", (int)(at - *argv), *argv, snapshot,
				  at + strlen(place));
		else
			strv_add(out, *argv);
	}
	return any;
}

static pid_t start(char **argv, const char *snapshot)
{
	STRV_AUTO command = { 0 };
	struct err e = { 0 };
	pid_t pid;

	if (!fill_in(argv, snapshot, &command) && *snapshot)
		tool_say("no @SNAPSHOT@ among COMMAND's arguments: only what reads "
			 "PGSNAPSHOT_NAME dumps this snapshot");
	(void)setenv("PGSNAPSHOT_NAME", snapshot, 1);
	/* Its bytes are then those that were hashed; what they mean does not change. */
	if (config.checksum)
		(void)setenv("PGTZ", "UTC", 1);
	pid = proc_spawn(&(struct proc){ .argv = command.v }, &e);
	if (pid < 0)
		tool_die("%s", e.msg);
	command_pid = pid;
	return pid;
}

/* Its exit status as a shell has it. */
static int finish(pid_t pid)
{
	struct err e = { 0 };
	int status;

	if (proc_wait(pid, &status, &e) < 0)
		tool_die("%s", e.msg);
	command_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

static void progress(const char *table, void *ctx)
{
	(void)ctx;
	tool_debug("read %s", table);
}

static int write_baseline(struct pg_capture *c, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s" BASELINE_SUFFIX, config.beside);
	const json_t *ddl = json_object_get(c->baseline, "ddl");
	size_t n = json_array_size(ddl);

	if (n > 0)
		tool_warn("warning: definitions changed while the backup ran: %s%s",
			  json_string_value(json_array_get(ddl, 0)), n > 1 ? " and others" : "");
	if (common.label)
		(void)json_object_set_new(c->baseline, "label",
					  record_string(common.label, strlen(common.label)));
	if (common.run)
		(void)json_object_set_new(c->baseline, "run",
					  record_string(common.run, strlen(common.run)));
	if (pg_baseline_write(c->baseline, path, config.sign_key, e) < 0)
		return -1;
	tool_say("wrote %s: %zu tables%s", path,
		 json_object_size(json_object_get(c->baseline, "tables")),
		 json_is_true(json_object_get(c->baseline, "exact")) ? "" : ", approximate");
	return 0;
}

/* COMMAND runs while the snapshot is read. */
static int capture_beside(struct pg_capture *c, char **argv)
{
	struct err e = { 0 };
	int status, rc;
	pid_t pid;

	if (pg_capture_open(c, &e) < 0)
		tool_die("%s; COMMAND was not started", e.msg);
	pid = start(argv, c->snapshot);
	rc = pg_capture_read(c, &e);
	if (rc < 0)
		tool_warn("%s", e.msg);
	status = finish(pid);
	if (status != 0)
		return status;
	if (rc < 0 || pg_capture_finish(c, &e) < 0 || write_baseline(c, &e) < 0)
		tool_die("COMMAND succeeded, but there is no baseline: %s", e.msg);
	return 0;
}

static void judge(struct pg_capture *c, const char *before, const char *after)
{
	(void)json_object_set_new(c->baseline, "physical", json_true());
	if (*before && strcmp(before, after) == 0)
		return;
	(void)json_object_set_new(c->baseline, "exact", json_false());
	(void)json_object_set_new(c->baseline, "why",
				  json_string("transactions were written between the backup's "
					      "start and the counting"));
}

static int capture_after(struct pg_capture *c, char **argv)
{
	struct err e = { 0 };
	AUTO_FREE char *before = pg_capture_mark(&c->target, &e), *after = NULL;
	int status;

	if (!before)
		tool_die("%s; COMMAND was not started", e.msg);
	status = finish(start(argv, ""));
	if (status != 0)
		return status;
	if (pg_capture_open(c, &e) == 0 && (after = pg_capture_mark(&c->target, &e)) &&
	    pg_capture_read(c, &e) == 0 && pg_capture_finish(c, &e) == 0) {
		judge(c, before, after);
		if (write_baseline(c, &e) == 0)
			return 0;
	}
	tool_die("COMMAND succeeded, but there is no baseline: %s", e.msg);
}

static void remove_old(void)
{
	AUTO_FREE char *path = xasprintf("%s" BASELINE_SUFFIX, config.beside);

	/* Beside a new backup an old baseline would be a lie. */
	if (unlink(path) < 0 && errno != ENOENT)
		tool_die("remove the old %s: %s", path, strerror(errno));
}

int main(int argc, char **argv)
{
	const int first = tool_begin(&tool, argc, argv);
	struct pg_capture c = { .target = { .what = "the database",
					    .conninfo = config.database,
					    .lock_s = LOCK_WAIT_S },
				.jobs = (unsigned)config.jobs,
				.checksum = config.checksum,
				.only = &config.only,
				.exclude = &config.exclude,
				.progress = progress };
	int status;

	if (first >= argc)
		tool_usage("name the COMMAND that makes the backup");
	if (!config.beside)
		tool_usage("name the backup that COMMAND writes with --beside");
	if (pg_has_password(config.database))
		tool_usage("--database: no password on the command line; use PGPASSFILE");
	catch_signals();
	remove_old();
	status =
		config.at_stop ? capture_after(&c, argv + first) : capture_beside(&c, argv + first);
	pg_capture_close(&c);
	return status;
}
