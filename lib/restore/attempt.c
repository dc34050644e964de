#include "lib/restore/attempt.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/template.h"
#include "lib/restore/guard.h"
#include "lib/restore/kin.h"
#include "lib/restore/relay.h"
#include "lib/restore/seal.h"
#include "lib/restore/walstore.h"
#include "lib/restore/walwire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the private directory ---------------------------------------------------------- */

static bool can_enter(const struct identity *who, const char *dir)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(identity_become(who) == 0 && chdir(dir) == 0 ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

int attempt_prepare(void *ctx, struct err *e)
{
	struct attempt *a = ctx;
	struct err ignored;

	if (tmpdir_create(&a->dir, a->work_dir, "restore-to-temp", &a->who, e) < 0)
		return -1;
	memcpy(a->path, a->dir.path, sizeof(a->path));
	if (can_enter(&a->who, a->path))
		return 0;
	(void)err_set(e, ERR_SYSTEM,
		      "restore in %s: user %s may not go there; open the directories above it with "
		      "chmod o+x, or name another place with --work-dir",
		      a->path, a->who.name);
	(void)tmpdir_remove(&a->dir, &ignored);
	return -1;
}

void attempt_sweep(const char *dir, void *ctx)
{
	struct err e;

	(void)ctx;
	if (cluster_sweep(dir, &e) < 0)
		tool_warn("%s", e.msg);
}

void attempt_clean_up(void *ctx)
{
	struct attempt *a = ctx;
	struct err e = { 0 };

	if (cluster_sweep(a->path, &e) < 0)
		a->left = e;
	if (tmpdir_remove(&a->dir, &e) < 0)
		a->left = e;
}

/* ---- the restorer ------------------------------------------------------------------- */

/* What else is open here (locks, our caller's files) is nothing for a reader of untrusted input. */
static void close_all_but(int keep[], size_t n)
{
	unsigned next = STDERR_FILENO + 1;

	for (bool again = true; again;) {
		unsigned least = ~0U;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= (int)next && (unsigned)keep[i] < least)
				least = (unsigned)keep[i];
		again = least != ~0U;
		if (least > next)
			(void)close_range(next, again ? least - 1 : ~0U, 0);
		next = least + 1;
	}
}

/* Nothing of our environment gets there but where PostgreSQL's programs may be. */
static void forget_environment(void)
{
	const char *path = getenv("PATH");
	AUTO_FREE char *copy = path ? xstrdup(path) : NULL;

	(void)clearenv();
	if (copy)
		(void)setenv("PATH", copy, 1);
}

static int become_restorer(const struct attempt *a, const char *path, int report)
{
	int keep[] = { report, a->records_fd, source_fd(path), a->job.wal_end };

	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
	forget_environment();
	if (identity_become(&a->who) < 0 || chdir(a->path) < 0)
		return -1;
	/* Its memory, which may hold keys, is not for the server, which is the same user. */
	(void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
	isolate_tie();
	return 0;
}

static _Noreturn void be_restorer(struct attempt *a, const char *path, int report)
{
	struct restore_job job = a->job;
	struct restored_server server = { 0 };
	struct identity self = a->who;
	struct err e;

	self.drops = false; /* from here on we are that user, and so is all that we start */
	job.source = a->source;
	job.path = path;
	job.dir = a->path;
	job.keys.dir = a->path; /* the only place that can be written to */
	job.reading.keys = &job.keys;
	if (a->source->arriving >= 0)
		job.reading.arriving_b = a->source->bytes;
	job.who = &self;
	if (become_restorer(a, path, report) == 0) {
		restorer_run(a->st, &job, &server);
	} else {
		(void)err_set(&e, ERR_SYSTEM, "become user %s: %s", a->who.name, strerror(errno));
		stage_error(a->st, "restore", "", &e);
	}
	(void)io_write_all(report, &server, sizeof(server));
	for (;;) /* what is orphaned here is ours to wait for */
		if (wait(NULL) < 0)
			(void)pause();
}

static void end_restorer(const struct attempt *a, pid_t pid)
{
	struct err e;

	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)cluster_sweep(a->path, &e); /* and what it has started */
	(void)proc_wait(pid, NULL, &e);
}

/* Waits for the report; meanwhile the limits hold. False: one is passed, and why says which. */
static bool await_report(struct attempt *a, int report, struct buf *why)
{
	struct pollfd p = { .fd = report, .events = POLLIN };

	a->watch = (struct watch){ .dir = a->path,
				   .max_disk_b = a->job.max_disk_b,
				   .max_memory_b = a->job.max_memory_b };
	watch_begin(&a->watch);
	while (poll(&p, 1, WATCH_MS) <= 0)
		if (watch_over(&a->watch, *a->job.need_b, why))
			return false;
	a->watch.next_ms = 0;
	return !watch_over(&a->watch, *a->job.need_b, why);
}

static void say_unknown(struct attempt *a, const char *check, const char *what, const char *how)
{
	struct check c;

	check_init(&c, check, "");
	check_say(&c, V_UNKNOWN, "%s%s%s", what, *how ? " " : "", how);
	stage_check(a->st, &c);
}

/* Reads what became of it. Its process is there until the end; false: it died, and is no more. */
static bool follow_restorer(struct attempt *a, pid_t pid, int report,
			    struct restored_server *server)
{
	BUF_AUTO why = BUF_INIT(1000);
	struct err e = { 0 };
	int status = 0;
	char text[64];

	if (!await_report(a, report, &why)) {
		say_unknown(a, "restore", "given up:", why.s);
	} else if (io_read_full(report, server, sizeof(*server)) != sizeof(*server)) {
		*server = (struct restored_server){ 0 };
		(void)proc_wait(pid, &status, &e);
		say_unknown(a, "restore", "the restore's own process",
			    proc_status_text(status, text, sizeof(text)));
		return false;
	}
	server->database[DATABASE_MAX - 1] = server->user[CLUSTER_NAME - 1] = '\0';
	return true;
}

/* Its process, which keeps the server; -1. */
static pid_t run_restorer(struct attempt *a, const struct seal *seal, const char *path,
			  struct restored_server *server)
{
	pid_t pid = -1;
	int report[2];

	/* Seen on both sides of the fork. */
	a->job.need_b = mmap(NULL, sizeof(*a->job.need_b), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (a->job.need_b != MAP_FAILED && pipe2(report, O_CLOEXEC) == 0) {
		pid = isolate_fork(&seal->in);
		if (pid == 0) {
			io_close(&report[0]);
			be_restorer(a, path, report[1]);
		}
		io_close(&report[1]);
	}
	if (pid < 0) {
		say_unknown(a, "restore", "start the restore:", strerror(errno));
		return -1;
	}
	if (!follow_restorer(a, pid, report[0], server))
		pid = -1;
	io_close(&report[0]);
	return pid;
}

/* ---- COMMAND ------------------------------------------------------------------------ */

static const char *superuser(const struct restored_server *server)
{
	return server->user[0] ? server->user : CLUSTER_USER;
}

/* Where the restored server is; and nothing that would lead elsewhere. What is left (PGPASSFILE,
 * PGSSLMODE, ...) is for the way to production. */
static void set_environment(const struct attempt *a, const struct restored_server *server)
{
	static const char *const astray[] = { "PGSERVICE", "PGHOSTADDR", "PGOPTIONS" };
	char port[16];

	(void)snprintf(port, sizeof(port), "%d", CLUSTER_PORT);
	(void)setenv("PGHOST", a->path, 1);
	(void)setenv("PGPORT", port, 1);
	(void)setenv("PGUSER", superuser(server), 1);
	(void)setenv("PGDATABASE", server->database, 1);
	for (size_t i = 0; i < sizeof(astray) / sizeof(astray[0]); i++)
		(void)unsetenv(astray[i]);
}

/* With the limits on the server still holding: 1 when one of them ended it. */
static int relay_guarded(struct attempt *a, struct relay_result *r, struct err *e)
{
	BUF_AUTO why = BUF_INIT(1000);
	struct guard guard;
	int ret;

	if (guard_begin(&guard, &a->watch, *a->job.need_b, e) < 0)
		return -1;
	ret = relay_run(a->st, a->command, a->records_fd, r, e);
	if (!guard_end(&guard, &why))
		return ret;
	say_unknown(a, "limits", "the server was ended under COMMAND:", why.s);
	return ret < 0 ? -1 : 1;
}

static enum verdict run_command(struct attempt *a, const struct restored_server *server)
{
	struct relay_result r;
	struct err e = { 0 };
	char text[64];
	int ret;

	set_environment(a, server);
	stage_tee(a->st, -1); /* COMMAND must not be fed what it writes */
	ret = relay_guarded(a, &r, &e);
	stage_tee(a->st, a->records_fd);
	if (ret < 0) {
		stage_error(a->st, "command", "", &e);
		return V_UNKNOWN;
	}
	if (ret > 0) /* what COMMAND then made of it is nothing to go by */
		return verdict_worst(r.worst, V_UNKNOWN);
	(void)proc_status_text(r.status, text, sizeof(text));
	if (WIFSIGNALED(r.status) || WEXITSTATUS(r.status) > V_UNKNOWN)
		say_unknown(a, "command", a->command[0], text);
	else if (r.checks == 0)
		say_unknown(a, "command", a->command[0],
			    "wrote no check: the restored server was not looked at");
	return verdict_worst(verdict_of_wait(r.status), r.worst);
}

static void hold(struct attempt *a, const struct restored_server *server)
{
	int64_t until_ms = mono_ms() + (int64_t)a->keep_for_s * 1000;
	BUF_AUTO why = BUF_INIT(1000);
	char at[UTC_SIZE];

	tool_warn("the restored server is up: psql -h %s -p %d -U '%s' -d '%s'", a->path,
		  CLUSTER_PORT, superuser(server), server->database);
	tool_warn("it is removed at %s, or by Ctrl-C, or by kill %d",
		  utc_format(utc_now_ms() + (int64_t)a->keep_for_s * 1000, at), (int)getppid());
	while (mono_ms() < until_ms && !watch_over(&a->watch, *a->job.need_b, &why))
		(void)poll(NULL, 0, WATCH_MS);
	if (why.len)
		say_unknown(a, "limits", "removed early:", why.s);
}

/* They only save time: without them initdb is run. */
static char *find_templates(const struct attempt *a)
{
	char *place = template_place();
	struct err e = { 0 };

	if (place && template_prepare(place, a->job.pg_bindir, &a->who, a->path, &e) < 0)
		tool_warn("%s", e.msg);
	return place;
}

/* ---- the archive -------------------------------------------------------------------- */

/* It has the network, the credentials and the archive, but no part in what the files mean: it hands
 * them in as they are (walstore.h). Its id, 0 without an archive, -1. */
static pid_t open_archive(struct attempt *a)
{
	struct walstore_opts opts = { .source = a->wal_source,
				      .access = a->wal_access,
				      .keeper = a->wal_keeper,
				      .dir = a->path };
	struct err e = { 0 };
	int ends[2];
	pid_t pid;

	a->job.wal_end = -1;
	if (a->wal_source == NULL && a->wal_keeper == NULL)
		return 0;
	if (walwire_open(ends, &e) < 0) {
		stage_error(a->st, "restore", "", &e);
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		io_close(&ends[0]);
		isolate_tie();
		walstore_serve(&opts, ends[1]);
	}
	io_close(&ends[1]);
	a->job.wal_end = ends[0];
	if (pid < 0)
		say_unknown(a, "restore", "start a process:", strerror(errno));
	return pid;
}

static void close_archive(struct attempt *a, pid_t pid)
{
	struct err e;

	io_close(&a->job.wal_end);
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)proc_wait(pid, NULL, &e);
}

/* Its path, readable for the restorer; NULL with *e. */
static char *get_backup(struct attempt *a, struct err *e)
{
	if (!a->bring)
		return source_hand_over(a->source, &a->who, a->path, e);
	a->job.brought = true;
	if (a->job.progress)
		a->job.progress("out of the repository");
	return bring_run(a->bring, a->path, a->job.jobs, a->job.max_disk_b, &a->job.bring_ms, e);
}

/* What it builds on stays where it is. */
static int get_ancestors(struct attempt *a, struct err *e)
{
	const struct kin_job job = {
		.path = a->source->path, .who = &a->who, .keys = &a->job.keys, .dir = a->path
	};

	if (a->bring || a->source->arriving >= 0)
		return 0;
	return kin_find(&job, &a->job.ancestors, e);
}

/* ---- the whole ---------------------------------------------------------------------- */

int attempt_work(void *ctx)
{
	struct attempt *a = ctx;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *templates = NULL;
	struct restored_server server = { 0 };
	enum verdict command = V_OK;
	struct err e = { 0 };
	struct seal seal;
	pid_t pid = -1, archive;

	path = get_backup(a, &e);
	if (path == NULL) {
		stage_error(a->st, e.kind == ERR_BACKUP ? "backup-complete" : "restore", "", &e);
		return V_OK;
	}
	if (get_ancestors(a, &e) < 0) {
		stage_error(a->st, "backup-chain", "", &e);
		return V_OK;
	}
	a->job.templates = templates = find_templates(a);
	archive = open_archive(a);
	if (seal_find(&seal, a->st, &a->who, a->path, a->bring ? NULL : path, &a->job.ancestors,
		      a->job.pg_bindir, templates, a->require_isolation) &&
	    archive >= 0) {
		a->job.shut_off = seal.in.level == ISOLATE_FULL;
		pid = run_restorer(a, &seal, path, &server);
	}
	close_archive(a, archive);
	if (a->source->arriving >= 0) /* what was said meanwhile, and how it ended */
		stage_drain(a->st);
	if (server.up && a->command)
		command = run_command(a, &server);
	if (server.up && a->keep_for_s)
		hold(a, &server);
	end_restorer(a, pid);
	seal_free(&seal);
	strv_free(&a->job.ancestors);
	return (int)command;
}
