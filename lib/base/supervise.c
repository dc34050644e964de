#include "lib/base/supervise.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/proctree.h"
#include "lib/base/utc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILL_LIMIT_MS = 20 * 1000 };

struct run {
	const struct supervise *s;
	struct proc_id work;
	struct proc_id watchdog;
	int leash[2]; /* to the watchdog, which reads the work's id; the end of the file means that
		       * we died, an id of 0 that all is done. We keep the reading end too: a
		       * watchdog that was killed must not break the pipe. */
	int gate;     /* to the work: it starts when the watchdog knows of it */
	sigset_t set, old;
	struct proc_list spare; /* not to kill: children that we had before, and the watchdog */
};

/* ---- the watchdog ------------------------------------------------------------------- */

/* Keeps the regular files (one may be the lock of a temporary directory) and the leash; a pipe
 * kept open would make its reader wait for ever. */
static void close_others(int leash)
{
	DIR *d = opendir("/proc/self/fd");
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const struct dirent *entry;

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	while (d && (entry = readdir(d)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		struct stat st;

		if (fd > 2 && fd != leash && fd != dirfd(d) && fstat(fd, &st) == 0 &&
		    !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			(void)close(fd);
	}
	if (d)
		(void)closedir(d);
}

/* The supervisor is dead. Stopped first, the work cannot start anything while we look. */
static void kill_work(const struct proc_id *work)
{
	if (!proctree_alive(work))
		return;
	(void)kill(work->pid, SIGSTOP);
	(void)proctree_kill_below(work->pid, NULL, KILL_LIMIT_MS);
	(void)kill(-work->pid, SIGKILL);
	(void)kill(work->pid, SIGKILL);
	for (int i = 0; i < KILL_LIMIT_MS / 10 && proctree_alive(work); i++)
		(void)poll(NULL, 0, 10);
}

static _Noreturn void watch(const struct supervise *s, int leash)
{
	struct proc_id word, work = { 0 };
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)setsid();
	(void)prctl(PR_SET_NAME, "watchdog");
	close_others(leash);
	while (io_read_full(leash, &word, sizeof(word)) == sizeof(word)) {
		if (word.pid == 0)
			_exit(0);
		work = word;
	}
	if (work.pid)
		kill_work(&work);
	s->clean_up(s->ctx);
	_exit(0);
}

static int start_watchdog(struct run *r, struct err *e)
{
	if (pipe2(r->leash, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "start the watchdog: pipe: %s", strerror(errno));
	r->watchdog.pid = fork();
	if (r->watchdog.pid == 0) {
		io_close(&r->leash[1]);
		watch(r->s, r->leash[0]);
	}
	if (r->watchdog.pid < 0)
		return err_set(e, ERR_SYSTEM, "start the watchdog: fork: %s", strerror(errno));
	proc_list_add(&r->spare, &r->watchdog);
	return 0;
}

static void release_watchdog(struct run *r)
{
	static const struct proc_id done;
	struct err e;

	if (r->watchdog.pid > 0) {
		(void)io_write_all(r->leash[1], &done, sizeof(done));
		(void)proc_wait(r->watchdog.pid, NULL, &e);
	}
	io_close(&r->leash[0]);
	io_close(&r->leash[1]);
}

/* ---- the work ----------------------------------------------------------------------- */

static _Noreturn void do_work(struct run *r, int gate)
{
	char go;
	int status;

	io_close(&r->leash[0]);
	io_close(&r->leash[1]);
	io_close(&r->gate);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* In the background of a terminal with "stty tostop", writing must not stop us. */
	(void)signal(SIGTTOU, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &r->old, NULL);
	if (io_read_full(gate, &go, 1) != 1)
		_exit(V_UNKNOWN);
	io_close(&gate);
	status = r->s->work(r->s->ctx);
	(void)fflush(NULL);
	_exit(status);
}

static int start_work(struct run *r, struct err *e)
{
	int gate[2];

	if (pipe2(gate, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "start the work: pipe: %s", strerror(errno));
	r->gate = gate[1];
	r->work.pid = fork();
	if (r->work.pid == 0)
		do_work(r, gate[0]);
	io_close(&gate[0]);
	if (r->work.pid < 0)
		return err_set(e, ERR_SYSTEM, "start the work: fork: %s", strerror(errno));
	(void)setpgid(r->work.pid, r->work.pid);
	if (proctree_start(r->work.pid, &r->work.start))
		(void)io_write_all(r->leash[1], &r->work, sizeof(r->work));
	(void)io_write_all(r->gate, "", 1);
	io_close(&r->gate);
	return 0;
}

/* ---- the supervisor ----------------------------------------------------------------- */

/* Signals that were ignored when we were started (nohup, a shell's background) stay ignored. */
static void block_signals(struct run *r)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction now;

	/* Ignored (some parents leave it so), our children would vanish unseen. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&r->set);
	(void)sigaddset(&r->set, SIGCHLD);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (sigaction(wanted[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(&r->set, wanted[i]);
	(void)sigprocmask(SIG_BLOCK, &r->set, &r->old);
}

/* The signal that arrived, or 0 when the deadline (0: none) passed. */
static int next_signal(const sigset_t *set, int64_t deadline_ms)
{
	struct timespec left;
	int64_t ms;
	int sig;

	do {
		ms = deadline_ms - mono_ms();
		ms = deadline_ms == 0 ? INT_MAX : ms < 0 ? 0 : ms;
		left.tv_sec = (time_t)(ms / 1000);
		left.tv_nsec = (long)(ms % 1000) * 1000000;
		sig = sigtimedwait(set, NULL, &left);
	} while (sig < 0 && errno == EINTR);
	return sig < 0 ? 0 : sig;
}

/* True once the work has ended and, when it was told to stop, its whole group has. */
static bool ended(const struct run *r, bool stopping, bool *reaped, int *status)
{
	if (!*reaped && waitpid(r->work.pid, status, WNOHANG) == r->work.pid)
		*reaped = true;
	if (!*reaped || !stopping)
		return *reaped;
	while (waitpid(-r->work.pid, NULL, WNOHANG) > 0)
		; /* orphans of the group are our children now */
	return kill(-r->work.pid, 0) < 0;
}

/* Waits for the end. The first signal, or the limit, asks the work to stop; a second one, or the
 * end of the grace, kills it; after another grace it is given up as it is (a process that waits for
 * a dead network disk cannot even be killed). */
static enum supervise_end follow(const struct run *r, int *status, int *signal)
{
	static const int SEND[] = { SIGTERM, SIGKILL };
	const struct supervise *s = r->s;
	int64_t deadline_ms = s->limit_s ? mono_ms() + (int64_t)s->limit_s * 1000 : 0;
	enum supervise_end end = SUPERVISE_DONE;
	bool reaped = false;
	size_t sent = 0;

	*status = SIGKILL;
	while (!ended(r, sent > 0, &reaped, status)) {
		int sig = next_signal(&r->set, deadline_ms);

		if (sig == SIGCHLD || (sig == 0 && deadline_ms == 0))
			continue;
		if (sent == 0) {
			end = sig ? SUPERVISE_SIGNAL : SUPERVISE_LIMIT;
			*signal = sig;
		}
		if (sent == sizeof(SEND) / sizeof(SEND[0]))
			break;
		(void)kill(-r->work.pid, SEND[sent++]);
		deadline_ms = mono_ms() + (int64_t)s->grace_s * 1000;
	}
	return end;
}

/* The third Ctrl-C must not end us between the cleaning and the last word about it. */
static void restore_signals(const struct run *r)
{
	static const struct timespec now;

	while (sigtimedwait(&r->set, NULL, &now) > 0)
		;
	(void)sigprocmask(SIG_SETMASK, &r->old, NULL);
}

/* Everything between the blocking and the restoring of the signals. */
static int run_guarded(struct run *r, int *status, enum supervise_end *end, int *signal,
		       struct err *e)
{
	const struct supervise *s = r->s;
	int ret;

	if (s->prepare && s->prepare(s->ctx, e) < 0)
		return -1;
	proctree_below(getpid(), NULL, &r->spare);
	(void)fflush(NULL);
	ret = start_watchdog(r, e);
	if (ret == 0)
		ret = start_work(r, e);
	if (ret == 0) {
		*end = follow(r, status, signal);
		(void)proctree_kill_below(getpid(), &r->spare, KILL_LIMIT_MS);
	}
	s->clean_up(s->ctx);
	release_watchdog(r);
	proc_list_free(&r->spare);
	return ret;
}

int supervise_run(const struct supervise *s, int *status, enum supervise_end *end, int *signal,
		  struct err *e)
{
	struct run r = { .s = s, .leash = { -1, -1 }, .gate = -1 };
	int ret, caught = 0, was_reaper = 0;

	(void)prctl(PR_GET_CHILD_SUBREAPER, &was_reaper);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	block_signals(&r);
	ret = run_guarded(&r, status, end, &caught, e);
	if (signal)
		*signal = caught;
	restore_signals(&r);
	(void)prctl(PR_SET_CHILD_SUBREAPER, (unsigned long)was_reaper);
	return ret;
}
