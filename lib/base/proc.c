#include "lib/base/proc.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024, SLICE_MS = 10 };

enum step { STEP_FD, STEP_IDENTITY, STEP_CWD, STEP_EXEC };

/* What a child that could not become its program tells its parent. */
struct failure {
	enum step step;
	int why;
};

/* Ignored signals outlive exec, caught ones must not run our handlers before it. SIGPIPE goes
 * back to its default because we ignore it ourselves; nohup's SIGHUP stays ignored. */
static void reset_signals(void)
{
	struct sigaction now, dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sigaction(sig, NULL, &now) == 0 &&
		    (now.sa_handler != SIG_IGN || sig == SIGPIPE))
			(void)sigaction(sig, &dfl, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Puts fd[] onto 0, 1 and 2 in whatever order they overlap: first all out of the way. */
static int place_descriptors(const int fd[3])
{
	int high[3];

	for (int i = 0; i < 3; i++) {
		int from = fd[i] < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fd[i];

		high[i] = from < 0 ? -1 : fcntl(from, F_DUPFD_CLOEXEC, 3);
		if (high[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			return -1;
	return 0;
}

static enum step become_program(const struct proc *p, pid_t parent)
{
	if (p->fd && place_descriptors(p->fd) < 0)
		return STEP_FD;
	/* Ours are close-on-exec already; this is for those that our own parent left open. A
	 * kernel before 5.11 does not know it. */
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	for (const int *fd = p->keep; fd && *fd >= 0; fd++)
		if (fcntl(*fd, F_SETFD, 0) < 0)
			return STEP_FD;
	if (p->as && identity_become(p->as) < 0)
		return STEP_IDENTITY;
	if (p->cwd && chdir(p->cwd) < 0)
		return STEP_CWD;
	if (p->max_data_b)
		(void)setrlimit(RLIMIT_DATA, &(struct rlimit){ p->max_data_b, p->max_data_b });
	reset_signals();
	/* Only now: a change of identity clears it. Who is orphaned already has nobody to tell. */
	if (p->dies_with_us && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent))
		_exit(127);
	(void)execvpe(p->argv[0], p->argv, p->env ? p->env : environ);
	return STEP_EXEC;
}

/* In the child: only async-signal-safe calls. */
static _Noreturn void child(const struct proc *p, pid_t parent, int tell)
{
	struct failure f;

	tell = fcntl(tell, F_DUPFD_CLOEXEC, 3);
	if (p->new_group)
		(void)setpgid(0, 0);
	f.step = become_program(p, parent);
	f.why = errno;
	(void)!write(tell, &f, sizeof(f));
	_exit(127);
}

static int say_failure(const struct proc *p, const struct failure *f, struct err *e)
{
	const char *why = strerror(f->why);

	switch (f->step) {
	case STEP_FD:
		return err_set(e, ERR_SYSTEM, "run %s: set up its input and output: %s", p->argv[0],
			       why);
	case STEP_IDENTITY:
		return err_set(e, ERR_SYSTEM, "run %s: become user %s: %s", p->argv[0], p->as->name,
			       why);
	case STEP_CWD:
		return err_set(e, ERR_SYSTEM, "run %s: enter %s: %s", p->argv[0], p->cwd, why);
	case STEP_EXEC:
		break;
	}
	return err_set(e, ERR_SYSTEM, "run %s: %s%s", p->argv[0], why,
		       f->why == ENOENT ? "; install it or correct PATH" : "");
}

pid_t proc_spawn(const struct proc *p, struct err *e)
{
	struct failure f;
	sigset_t all, old;
	const pid_t parent = getpid();
	int tell[2], saved;
	pid_t pid;
	ssize_t n;

	if (pipe2(tell, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "run %s: pipe: %s", p->argv[0], strerror(errno));
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		child(p, parent, tell[1]);
	saved = errno;
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	io_close(&tell[1]);
	if (pid < 0) {
		io_close(&tell[0]);
		return err_set(e, ERR_SYSTEM, "run %s: fork: %s", p->argv[0], strerror(saved));
	}
	if (p->new_group)
		(void)setpgid(pid, pid); /* here too: whoever comes first */
	n = io_read_full(tell[0], &f, sizeof(f));
	io_close(&tell[0]);
	if (n != sizeof(f))
		return pid; /* the pipe's end closed at exec */
	(void)proc_wait(pid, NULL, e);
	return say_failure(p, &f, e);
}

int proc_wait(pid_t pid, int *status, struct err *e)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, ERR_SYSTEM, "wait for process %d: %s", (int)pid,
				       strerror(errno));
	return 0;
}

/* One read of what is there. False at the end of the file, or (nothing there, wait_ms 0). */
static bool take_some(int fd, int wait_ms, struct buf *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char chunk[CHUNK];
	size_t room;
	ssize_t n;

	if (poll(&p, 1, wait_ms) <= 0)
		return wait_ms > 0;
	n = read(fd, chunk, sizeof(chunk));
	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (out) {
		room = out->max - out->len;
		buf_add(out, chunk, (size_t)n < room ? (size_t)n : room);
	}
	return true;
}

/* Reads until the program has ended. It may close its output long before, and what it left
 * running may keep the output open long after: neither is waited for. False: over the limit. */
static bool follow(pid_t pid, int fd, int64_t deadline_ms, struct buf *out, int *status)
{
	bool open = true;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			break;
		if (deadline_ms && mono_ms() >= deadline_ms)
			return false;
		if (open)
			open = take_some(fd, SLICE_MS, out);
		else
			(void)poll(NULL, 0, SLICE_MS);
	}
	while (open && take_some(fd, 0, out))
		;
	return true;
}

int proc_capture(const struct proc *p, uint64_t limit_s, struct buf *out, int *status,
		 struct err *e)
{
	int64_t deadline_ms = limit_s ? mono_ms() + (int64_t)limit_s * 1000 : 0;
	int pipe_fd[2], fd[3];
	struct proc run = *p;
	pid_t pid;
	bool ended;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "run %s: pipe: %s", p->argv[0], strerror(errno));
	fd[0] = p->fd ? p->fd[0] : -1;
	fd[1] = pipe_fd[1];
	fd[2] = p->fd ? p->fd[2] : pipe_fd[1];
	run.fd = fd;
	run.new_group = true;
	run.dies_with_us = true;
	pid = proc_spawn(&run, e);
	io_close(&pipe_fd[1]);
	if (pid < 0) {
		io_close(&pipe_fd[0]);
		return -1;
	}
	ended = follow(pid, pipe_fd[0], deadline_ms, out, status);
	io_close(&pipe_fd[0]);
	if (ended)
		return 0;
	(void)kill(-pid, SIGKILL);
	(void)proc_wait(pid, status, e);
	return err_set(e, ERR_SYSTEM, "run %s: not finished after %ju s, stopped it", p->argv[0],
		       (uintmax_t)limit_s);
}

const char *proc_status_text(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, size, "killed by signal %d (%s)", WTERMSIG(status),
			       strsignal(WTERMSIG(status)));
	else
		(void)snprintf(out, size, "exited with status %d", WEXITSTATUS(status));
	return out;
}
