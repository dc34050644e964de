#include "lib/restore/run.h"

#include "lib/base/human.h"
#include "lib/base/proctree.h"
#include "lib/base/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_S = 15 };

int run_records(struct stage *st, const char *work_dir, struct err *e)
{
	const char *dir = work_dir ? work_dir : getenv("TMPDIR");
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s/backup-probes-records.XXXXXX",
		     dir && *dir ? dir : "/tmp") >= (int)sizeof(path))
		return err_set(e, ERR_USAGE, "use %.80s...: its name is too long", dir);
	fd = mkostemp(path, O_CLOEXEC | O_APPEND);
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "create %s: %s", path, strerror(errno));
	(void)unlink(path);
	stage_tee(st, fd);
	return fd;
}

static bool is_ours(const struct stage *st, const json_t *record)
{
	const char *by = record_text(record, "tool");

	return by && strcmp(by, st->tool->name) == 0;
}

/* The checks that our child processes have said: in the copy of the stream, after the first so many
 * bytes, where others' are that came in meanwhile. */
static void count_said(struct stage *st, int fd, off_t from)
{
	struct record_reader *in = record_open(fd);
	struct record r;
	struct err e;

	if (lseek(fd, from, SEEK_SET) == from)
		while (record_read(in, &r, &e) > 0)
			if (strcmp(r.kind, "check") == 0 && is_ours(st, r.object))
				stage_count(st, r.object);
	record_close(in);
}

static void say(struct stage *st, const char *name, enum verdict v, const char *text)
{
	struct check c;

	check_init(&c, name, "");
	check_say(&c, v, "%s", text);
	stage_check(st, &c);
}

void run_reap(const char *work_dir)
{
	struct err e = { 0 };
	unsigned n;

	if (tmpdir_reap(work_dir, attempt_sweep, NULL, &n, &e) < 0)
		tool_warn("%s", e.msg);
	if (n)
		tool_say("removed what %u earlier run%s left", n, n == 1 ? "" : "s");
}

int run_reap_only(struct stage *st, const char *work_dir)
{
	struct err e = { 0 };
	struct check c;
	unsigned n;
	int ret = tmpdir_reap(work_dir, attempt_sweep, NULL, &n, &e);

	check_init(&c, "leftovers", "");
	check_metric_int(&c, "removed", n, "");
	if (ret < 0)
		check_say(&c, V_CRITICAL, "%s", e.msg);
	else if (n)
		check_say(&c, V_OK, "removed what %u earlier run%s left", n, n == 1 ? "" : "s");
	else
		check_say(&c, V_OK, "nothing was left by earlier runs");
	stage_check(st, &c);
	return stage_end(st);
}

static void say_end(struct stage *st, const struct attempt *a, enum supervise_end end, int signal,
		    int status)
{
	char text[128], took[HUMAN_SIZE];

	if (end == SUPERVISE_SIGNAL && !a->keep_for_s) {
		(void)snprintf(text, sizeof(text), "stopped by SIG%s", sigabbrev_np(signal));
		say(st, "interrupted", V_UNKNOWN, text);
	} else if (end == SUPERVISE_LIMIT) {
		(void)snprintf(text, sizeof(text),
			       "not finished after %s; allow more with --timeout",
			       human_duration((double)common.timeout_s, took));
		say(st, "timeout", V_UNKNOWN, text);
	} else if (end == SUPERVISE_DONE && WIFSIGNALED(status)) {
		(void)snprintf(text, sizeof(text), "the restore was killed by signal %d",
			       WTERMSIG(status));
		say(st, "restore", V_UNKNOWN, text);
	}
}

/* Looked at, not assumed: no directory, no process in it. */
static void say_removed(struct stage *st, const struct attempt *a)
{
	struct proc_list l = { 0 };
	struct stat s;

	proctree_inside(a->path, &l);
	if (a->left.kind != ERR_NONE)
		say(st, "temporary-server", V_CRITICAL, a->left.msg);
	else if (l.n || lstat(a->path, &s) == 0)
		say(st, "temporary-server", V_CRITICAL, a->path);
	else
		say(st, "temporary-server", V_OK, "removed");
	proc_list_free(&l);
}

int run_attempt(struct stage *st, struct attempt *a)
{
	struct supervise s = { .prepare = attempt_prepare,
			       .work = attempt_work,
			       .clean_up = attempt_clean_up,
			       .ctx = a,
			       .limit_s = common.timeout_s + a->keep_for_s,
			       .grace_s = GRACE_S };
	off_t so_far = lseek(a->records_fd, 0, SEEK_END);
	enum verdict command = V_OK;
	enum supervise_end end;
	struct err e = { 0 };
	int status, signal;

	if (supervise_run(&s, &status, &end, &signal, &e) < 0)
		return stage_fail(st, "restore", "", &e);
	if (end == SUPERVISE_DONE)
		command = verdict_of_wait(status);
	if (a->source->arriving >= 0)
		stage_leave_input(st);
	count_said(st, a->records_fd, so_far);
	say_end(st, a, end, signal, status);
	say_removed(st, a);
	return (int)verdict_worst((enum verdict)stage_end(st), command);
}
