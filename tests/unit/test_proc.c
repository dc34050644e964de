#include "lib/base/proc.h"

#include "lib/base/io.h"
#include "lib/base/strv.h"
#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs sh -c SCRIPT to its end; what it wrote is in *out. */
static int sh(const char *script, uint64_t limit_s, struct buf *out, struct err *e)
{
	STRV_AUTO argv = { 0 };
	struct proc p = { 0 };
	int status = -1;

	strv_add(&argv, "sh");
	strv_add(&argv, "-c");
	strv_add(&argv, script);
	p.argv = argv.v;
	return proc_capture(&p, limit_s, out, &status, e) < 0 ? -1 : status;
}

static pid_t spawn(struct proc *p, const char *program, struct err *e)
{
	STRV_AUTO argv = { 0 };

	strv_add(&argv, program);
	strv_add(&argv, "30");
	p->argv = argv.v;
	return proc_spawn(p, e);
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 200; i++) {
		if (kill(pid, 0) < 0 && errno == ESRCH)
			return true;
		(void)usleep(10000);
	}
	return false;
}

static const struct {
	struct proc p;
	const char *program;
	const char *msg;
} FAILURES[] = {
	{ { 0 },
	  "no-such-program-x",
	  "run no-such-program-x: No such file or directory; install it or correct PATH" },
	{ { 0 }, "/etc/passwd", "run /etc/passwd: Permission denied" },
	{ { .cwd = "/nonexistent" },
	  "sleep",
	  "run sleep: enter /nonexistent: No such file or directory" },
	{ { .fd = (const int[]){ 0, 999, 2 } },
	  "sleep",
	  "run sleep: set up its input and output: Bad file descriptor" },
};

START_TEST(failed_start_is_named)
{
	struct err e = { 0 };
	struct proc p = FAILURES[_i].p;

	ck_assert_int_eq(spawn(&p, FAILURES[_i].program, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_str_eq(e.msg, FAILURES[_i].msg);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(failed_identity_is_named)
{
	struct identity id = { .uid = 1, .gid = 1, .name = "daemon", .drops = true };
	struct proc p = { .as = &id };
	struct err e = { 0 };

	if (geteuid() == 0)
		id.uid = id.gid = 0; /* "dropping" to root must fail, not run as root */
	ck_assert_int_eq(spawn(&p, "sleep", &e), -1);
	ck_assert_str_eq(e.msg, "run sleep: become user daemon: Operation not permitted");
}
END_TEST

START_TEST(statuses)
{
	struct err e = { 0 };
	char text[64];

	ck_assert_str_eq(proc_status_text(sh("exit 7", 0, NULL, &e), text, sizeof(text)),
			 "exited with status 7");
	ck_assert_str_eq(proc_status_text(sh("kill -9 $$", 0, NULL, &e), text, sizeof(text)),
			 "killed by signal 9 (Killed)");
}
END_TEST

START_TEST(captures_both_up_to_the_ceiling)
{
	BUF_AUTO out = BUF_INIT(10);
	struct err e = { 0 };

	ck_assert_int_eq(sh("echo one; echo two >&2", 5, &out, &e), 0);
	ck_assert_str_eq(out.s, "one\ntwo\n");
	buf_reset(&out);
	ck_assert_int_eq(sh("head -c 1000000 /dev/zero | tr '\\0' x", 5, &out, &e), 0);
	ck_assert_str_eq(out.s, "xxxxxxxxxx");
	ck_assert_int_eq(sh("head -c 1000000 /dev/zero", 5, NULL, &e), 0);
}
END_TEST

START_TEST(stdin_is_null_or_given)
{
	BUF_AUTO out = BUF_INIT(100);
	struct err e = { 0 };
	int fd[3] = { -1, -1, STDERR_FILENO }, status;
	struct proc p = { .argv = (char *[]){ (char[]){ "cat" }, NULL }, .fd = fd };
	int in[2];

	ck_assert_int_eq(proc_capture(&p, 5, &out, &status, &e), 0);
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(io_write_all(in[1], "hello", 5), 0);
	io_close(&in[1]);
	fd[0] = in[0];
	ck_assert_int_eq(proc_capture(&p, 5, &out, &status, &e), 0);
	ck_assert_str_eq(out.s, "hello");
	io_close(&in[0]);
}
END_TEST

START_TEST(limit_kills_the_group)
{
	BUF_AUTO out = BUF_INIT(100);
	struct err e = { 0 };
	int64_t start = mono_ms();
	int grandchild;

	ck_assert_int_eq(sh("sleep 30 & echo $!; wait", 1, &out, &e), -1);
	ck_assert_int_lt(mono_ms() - start, 5000);
	ck_assert_str_eq(e.msg, "run sh: not finished after 1 s, stopped it");
	ck_assert_int_eq(sscanf(out.s, "%d", &grandchild), 1);
	ck_assert(is_gone(grandchild));
}
END_TEST

/* What holds the output open after the program's end is not waited for. */
START_TEST(background_holder_does_not_block)
{
	BUF_AUTO out = BUF_INIT(100);
	struct err e = { 0 };
	int64_t start = mono_ms();
	int left;

	ck_assert_int_eq(sh("sleep 30 & echo $!", 20, &out, &e), 0);
	ck_assert_int_lt(mono_ms() - start, 5000);
	ck_assert_int_eq(sscanf(out.s, "%d", &left), 1);
	ck_assert_int_eq(kill(left, SIGKILL), 0);
}
END_TEST

START_TEST(closed_output_still_has_a_limit)
{
	struct err e = { 0 };

	ck_assert_int_eq(sh("exec >&- 2>&-; sleep 30", 1, NULL, &e), -1);
	ck_assert_int_eq(sh("exec >&- 2>&-; sleep 0.1; exit 3", 20, NULL, &e), 3 << 8);
}
END_TEST

/* Neither our own descriptors nor one that is not close-on-exec reach the program. */
START_TEST(descriptors_are_closed)
{
	BUF_AUTO out = BUF_INIT(1000);
	struct err e = { 0 };
	int leak = open("/etc/passwd", O_RDONLY);

	ck_assert_int_ge(leak, 3);
	ck_assert_int_eq(sh("ls -l /proc/self/fd | grep -c passwd", 5, &out, &e), 1 << 8);
	ck_assert_str_eq(out.s, "0\n");
	ck_assert_int_eq(close(leak), 0);
}
END_TEST

START_TEST(descriptors_are_kept)
{
	BUF_AUTO out = BUF_INIT(100);
	BUF_AUTO script = BUF_INIT(100);
	struct err e = { 0 };
	int ends[2], keep[2], status;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "secret", 6), 6);
	ck_assert_int_eq(close(ends[1]), 0);
	keep[0] = ends[0];
	keep[1] = -1;
	buf_addf(&script, "cat <&%d", ends[0]);
	{
		char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, script.s, NULL };
		struct proc p = { .argv = argv, .keep = keep };

		ck_assert_int_eq(proc_capture(&p, 10, &out, &status, &e), 0);
	}
	ck_assert_str_eq(out.s, "secret");
	/* Ours is as it was. */
	ck_assert_int_eq(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

START_TEST(descriptors_overlap)
{
	int out[2], err[2], fd[3];
	struct proc p = { .argv = (char *[]){ (char[]){ "sh" }, (char[]){ "-c" },
					      (char[]){ "echo out; echo err >&2" }, NULL },
			  .fd = fd };
	char text[16] = "";
	struct err e = { 0 };
	int status;
	pid_t pid;

	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		/* our own 1 is the pipe for its 2, our own 2 that for its 1 */
		(void)dup2(err[1], 1);
		(void)dup2(out[1], 2);
		memcpy(fd, (const int[]){ -1, 2, 1 }, sizeof(fd));
		pid = proc_spawn(&p, &e);
		_exit(pid < 0 || proc_wait(pid, &status, &e) < 0 || status != 0);
	}
	io_close(&out[1]);
	io_close(&err[1]);
	ck_assert_int_eq(io_read_full(out[0], text, sizeof(text) - 1), 4);
	ck_assert_str_eq(text, "out\n");
	ck_assert_int_eq(io_read_full(err[0], text, sizeof(text) - 1), 4);
	ck_assert_str_eq(text, "err\n");
	ck_assert_int_eq(proc_wait(pid, &status, &e), 0);
	ck_assert_int_eq(status, 0);
	io_close(&out[0]);
	io_close(&err[0]);
}
END_TEST

static void on_signal(int sig)
{
	(void)sig;
}

START_TEST(signals_are_reset)
{
	BUF_AUTO out = BUF_INIT(1000);
	struct sigaction ign = { .sa_handler = SIG_IGN }, own = { .sa_handler = on_signal };
	struct err e = { 0 };
	sigset_t block;

	ck_assert_int_eq(sigaction(SIGPIPE, &ign, NULL), 0);
	ck_assert_int_eq(sigaction(SIGHUP, &ign, NULL), 0); /* as under nohup: stays */
	ck_assert_int_eq(sigaction(SIGUSR1, &own, NULL), 0);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGTERM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &block, NULL), 0);
	/* The last seven digits: signals 1 to 28; the C library's own two may be ignored. */
	ck_assert_int_eq(sh("sed -n 's/^Sig\\(Blk\\|Ign\\|Cgt\\):.*\\(.......\\)$/\\1 \\2/p' "
			    "/proc/self/status",
			    5, &out, &e),
			 0);
	ck_assert_str_eq(out.s, "Blk 0000000\nIgn 0000001\nCgt 0000000\n");
	(void)sigfillset(&block);
	ck_assert_int_eq(sigprocmask(SIG_UNBLOCK, &block, NULL), 0);
}
END_TEST

START_TEST(environment_and_directory)
{
	BUF_AUTO out = BUF_INIT(1000);
	struct err e = { 0 };
	int status;
	struct proc p = { .argv = (char *[]){ (char[]){ "sh" }, (char[]){ "-c" },
					      (char[]){ "echo $A-$HOME; pwd" }, NULL },
			  .env = (char *[]){ (char[]){ "A=b" }, NULL },
			  .cwd = "/usr" };

	ck_assert_int_eq(proc_capture(&p, 5, &out, &status, &e), 0);
	ck_assert_str_eq(out.s, "b-\n/usr\n");
}
END_TEST

START_TEST(new_group)
{
	struct proc p = { .new_group = true };
	struct err e = { 0 };
	int status;
	pid_t pid = spawn(&p, "sleep", &e);

	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(getpgid(pid), pid);
	ck_assert_int_eq(kill(-pid, SIGTERM), 0);
	ck_assert_int_eq(proc_wait(pid, &status, &e), 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

START_TEST(runs_as)
{
	BUF_AUTO out = BUF_INIT(1000);
	struct identity id;
	struct err e = { 0 };
	int status;
	struct proc p = { .argv = (char *[]){ (char[]){ "id" }, (char[]){ "-un" }, NULL },
			  .as = &id };

	ck_assert_int_eq(identity_unprivileged(NULL, &id, &e), 0);
	ck_assert_int_eq(proc_capture(&p, 5, &out, &status, &e), 0);
	out.s[out.len - 1] = '\0';
	ck_assert_str_eq(out.s, id.name);
}
END_TEST

/* A child of ours runs sleep and then ends without a word: sleep goes with it. */
START_TEST(dies_with_us)
{
	char program[] = "sleep", seconds[] = "60";
	struct proc p = { .argv = (char *[]){ program, seconds, NULL }, .dies_with_us = true };
	struct err e = { 0 };
	int alive[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(alive), 0);
	pid = fork();
	if (pid == 0) {
		p.fd = (int[]){ -1, alive[1], -1 };
		_exit(proc_spawn(&p, &e) < 0);
	}
	(void)close(alive[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(read(alive[0], &byte, 1), 0); /* nobody holds the other end any more */
	(void)close(alive[0]);
}
END_TEST

START_TEST(what_is_captured_dies_with_us)
{
	char program[] = "sleep", seconds[] = "60";
	struct proc p = { .argv = (char *[]){ program, seconds, NULL } };
	struct err e = { 0 };
	int alive[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(alive), 0);
	pid = fork();
	if (pid == 0) {
		p.fd = (int[]){ alive[1], -1, -1 };
		_exit(proc_capture(&p, 60, NULL, &status, &e) < 0);
	}
	(void)close(alive[1]);
	(void)usleep(100000);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WTERMSIG(status), SIGKILL);
	ck_assert_int_eq(read(alive[0], &byte, 1), 0);
	(void)close(alive[0]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("proc");
	TCase *t = tcase_create("proc");

	/* A directory in PATH that we may not enter would turn "not found" into "not permitted". */
	(void)setenv("PATH", "/usr/bin:/bin", 1);
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, failed_start_is_named, 0, CASES(FAILURES));
	tcase_add_test(t, failed_identity_is_named);
	tcase_add_test(t, statuses);
	tcase_add_test(t, captures_both_up_to_the_ceiling);
	tcase_add_test(t, stdin_is_null_or_given);
	tcase_add_test(t, limit_kills_the_group);
	tcase_add_test(t, background_holder_does_not_block);
	tcase_add_test(t, closed_output_still_has_a_limit);
	tcase_add_test(t, descriptors_are_closed);
	tcase_add_test(t, descriptors_are_kept);
	tcase_add_test(t, descriptors_overlap);
	tcase_add_test(t, signals_are_reset);
	tcase_add_test(t, environment_and_directory);
	tcase_add_test(t, new_group);
	tcase_add_test(t, runs_as);
	tcase_add_test(t, dies_with_us);
	tcase_add_test(t, what_is_captured_dies_with_us);
	suite_add_tcase(s, t);
	return suite_run(s);
}
