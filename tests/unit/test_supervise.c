#include "lib/base/supervise.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/utc.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Each test runs a supervisor in a process of its own, as a tool would be. Its work starts helpers
 * that are hard to catch (own session, orphaned) and tells their ids; clean_up() leaves one byte
 * in a file, so that "exactly once" can be counted.
 */
enum { HELPERS = 3, DEADLINE_MS = 10000 };

struct told {
	pid_t work;
	pid_t helper[HELPERS];
};

static struct {
	char file[64];
	int tell[2];
	int report[2]; /* what supervise_run() gave */
	pid_t supervisor;
	struct told told;
} now;

struct result {
	int ret, status, signal;
	enum supervise_end end;
};

static void set_up(void)
{
	int fd;

	(void)snprintf(now.file, sizeof(now.file), "/tmp/test_supervise.XXXXXX");
	fd = mkostemp(now.file, O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	io_close(&fd);
	ck_assert_int_eq(pipe2(now.tell, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(now.report, O_CLOEXEC), 0);
	/* Check's own handlers would answer for our processes. */
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	/* What the supervisor leaves must come to us, not to the test runner. */
	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static void tear_down(void)
{
	(void)proctree_kill_below(getpid(), NULL, DEADLINE_MS); /* zombies too */
	(void)unlink(now.file);
}

static void cleaned(void *ctx)
{
	FD_AUTO fd = open(now.file, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)ctx;
	(void)io_write_all(fd, "c", 1);
}

static void expect_cleaned(off_t times)
{
	int64_t deadline = mono_ms() + DEADLINE_MS;
	struct stat st = { 0 };

	while (mono_ms() < deadline && (stat(now.file, &st) < 0 || st.st_size < times))
		(void)poll(NULL, 0, 10);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(stat(now.file, &st), 0);
	ck_assert_int_eq(st.st_size, times);
}

static bool gone(pid_t pid)
{
	int64_t deadline = mono_ms() + DEADLINE_MS;
	uint64_t start;

	while (mono_ms() < deadline) {
		(void)waitpid(pid, NULL, WNOHANG);
		if (!proctree_start(pid, &start))
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

/* Helper 0 is in the work's group, 1 in a session of its own, 2 an orphan in another. */
static pid_t helper(int which)
{
	int p[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	if (fork() == 0) {
		if (which > 0)
			(void)setsid();
		if (which < 2 || fork() == 0) {
			pid = getpid();
			(void)io_write_all(p[1], &pid, sizeof(pid));
			for (;;)
				(void)pause();
		}
		_exit(0);
	}
	io_close(&p[1]);
	(void)io_read_full(p[0], &pid, sizeof(pid));
	io_close(&p[0]);
	return pid;
}

static void tell(void)
{
	struct told t = { .work = getpid() };

	for (int i = 0; i < HELPERS; i++)
		t.helper[i] = helper(i);
	(void)io_write_all(now.tell[1], &t, sizeof(t));
}

static int work_for_ever(void *ctx)
{
	(void)ctx;
	tell();
	while (pause() < 0)
		;
	return 0;
}

static int work_stubborn(void *ctx)
{
	(void)signal(SIGTERM, SIG_IGN);
	return work_for_ever(ctx);
}

static int work_and_end(void *ctx)
{
	tell();
	return *(const int *)ctx;
}

static int work_and_crash(void *ctx)
{
	(void)ctx;
	tell();
	(void)raise(SIGKILL);
	return 0;
}

static void launch(struct supervise s)
{
	struct result r = { 0 };
	struct err e = { 0 };

	s.clean_up = cleaned;
	now.supervisor = fork();
	if (now.supervisor == 0) {
		(void)setpgid(0, 0); /* so that a terminal's Ctrl-C can be played on it */
		r.ret = supervise_run(&s, &r.status, &r.end, &r.signal, &e);
		(void)io_write_all(now.report[1], &r, sizeof(r));
		_exit(0);
	}
	(void)setpgid(now.supervisor, now.supervisor);
}

/* Starts a supervisor; returns when its work has told. */
static void start(struct supervise s)
{
	launch(s);
	ck_assert_int_eq(io_read_full(now.tell[0], &now.told, sizeof(now.told)), sizeof(now.told));
}

/* The supervisor's end: what it reports; nothing of the work is left, and it cleaned once. */
static struct result finish(void)
{
	struct result r = { 0 };
	int status;

	ck_assert_int_eq(io_read_full(now.report[0], &r, sizeof(r)), sizeof(r));
	for (int i = 0; i < HELPERS; i++) {
		uint64_t t;

		ck_assert_msg(!proctree_start(now.told.helper[i], &t), "helper %d lives", i);
	}
	ck_assert_int_eq(waitpid(now.supervisor, &status, 0), now.supervisor);
	ck_assert_int_eq(status, 0);
	expect_cleaned(1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* nor is a watchdog left */
	ck_assert_int_eq(r.ret, 0);
	return r;
}

static pid_t find_watchdog(void)
{
	struct proc_list l = { 0 };
	pid_t found = 0;

	proctree_below(now.supervisor, NULL, &l);
	for (size_t i = 0; i < l.n; i++) {
		char path[64];
		BUF_AUTO name = BUF_INIT(64);
		struct err e;

		(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)l.v[i].pid);
		if (io_slurp(path, &name, &e) == 0 && strcmp(name.s, "watchdog\n") == 0)
			found = l.v[i].pid;
	}
	proc_list_free(&l);
	return found;
}

/* It takes its name a moment after it was started. */
static pid_t watchdog(void)
{
	int64_t deadline = mono_ms() + DEADLINE_MS;
	pid_t found = find_watchdog();

	while (found == 0 && mono_ms() < deadline) {
		(void)poll(NULL, 0, 10);
		found = find_watchdog();
	}
	ck_assert_int_gt(found, 0);
	return found;
}

START_TEST(ends_by_itself)
{
	int value = 2;
	struct result r;

	start((struct supervise){ .work = work_and_end, .ctx = &value, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_DONE);
	ck_assert(WIFEXITED(r.status) && WEXITSTATUS(r.status) == 2);
	ck_assert_int_eq(r.signal, 0);
}
END_TEST

START_TEST(work_crashes)
{
	struct result r;

	start((struct supervise){ .work = work_and_crash, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_DONE);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
}
END_TEST

static const int STOPS[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(signal_stops)
{
	struct result r;

	start((struct supervise){ .work = work_for_ever, .grace_s = 30 });
	ck_assert_int_eq(kill(now.supervisor, STOPS[_i]), 0);
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_SIGNAL);
	ck_assert_int_eq(r.signal, STOPS[_i]);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGTERM);
}
END_TEST

/* Ctrl-C at a terminal goes to the whole foreground group: not to the work, not to the watchdog. */
START_TEST(signal_to_the_group)
{
	start((struct supervise){ .work = work_for_ever, .grace_s = 30 });
	ck_assert_int_ne(getpgid(now.told.work), now.supervisor);
	ck_assert_int_ne(getpgid(watchdog()), now.supervisor);
	ck_assert_int_ne(getsid(watchdog()), getsid(now.supervisor));
	ck_assert_int_eq(kill(-now.supervisor, SIGINT), 0);
	ck_assert_int_eq(finish().end, SUPERVISE_SIGNAL);
}
END_TEST

START_TEST(stubborn_work_is_killed)
{
	int64_t began = mono_ms();
	struct result r;

	start((struct supervise){ .work = work_stubborn, .grace_s = 1 });
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	r = finish();
	ck_assert_int_ge(mono_ms() - began, 900);
	ck_assert(WIFSIGNALED(r.status) && WTERMSIG(r.status) == SIGKILL);
}
END_TEST

START_TEST(second_signal_hurries)
{
	start((struct supervise){ .work = work_stubborn, .grace_s = 3600 });
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	(void)poll(NULL, 0, 200);
	ck_assert_int_eq(kill(now.supervisor, SIGINT), 0);
	ck_assert_int_eq(finish().signal, SIGTERM);
}
END_TEST

START_TEST(limit_ends)
{
	int64_t began = mono_ms();
	struct result r;

	start((struct supervise){ .work = work_for_ever, .limit_s = 1, .grace_s = 5 });
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_LIMIT);
	ck_assert_int_eq(r.signal, 0);
	ck_assert_int_ge(mono_ms() - began, 900);
}
END_TEST

START_TEST(supervisor_is_killed)
{
	pid_t dog;
	int status;

	start((struct supervise){ .work = work_stubborn, .grace_s = 3600 });
	dog = watchdog();
	ck_assert_int_eq(kill(-now.supervisor, SIGKILL), 0);
	ck_assert_int_eq(waitpid(now.supervisor, &status, 0), now.supervisor);
	expect_cleaned(1);
	ck_assert(gone(now.told.work));
	for (int i = 0; i < HELPERS; i++)
		ck_assert(gone(now.told.helper[i]));
	ck_assert(gone(dog));
}
END_TEST

START_TEST(watchdog_is_killed)
{
	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	ck_assert_int_eq(kill(watchdog(), SIGKILL), 0);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	ck_assert_int_eq(finish().end, SUPERVISE_SIGNAL);
}
END_TEST

/* Nothing but a kill -9 moves the watchdog. */
START_TEST(watchdog_is_deaf)
{
	pid_t dog;

	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	dog = watchdog();
	ck_assert_int_eq(kill(dog, SIGTERM), 0);
	ck_assert_int_eq(kill(dog, SIGHUP), 0);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(watchdog(), dog);
	ck_assert_int_eq(kill(now.supervisor, SIGTERM), 0);
	(void)finish();
}
END_TEST

/* A reader of the supervisor's output sees its end although the watchdog is still there. */
START_TEST(watchdog_holds_no_pipe)
{
	int status, p[2];
	pid_t dog;
	char c;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	start((struct supervise){ .work = work_for_ever, .grace_s = 5 });
	dog = watchdog();
	io_close(&p[1]);
	ck_assert_int_eq(kill(dog, SIGSTOP), 0);
	ck_assert_int_eq(kill(now.supervisor, SIGKILL), 0);
	ck_assert_int_eq(kill(-now.told.work, SIGKILL), 0);
	for (int i = 0; i < HELPERS; i++)
		(void)kill(now.told.helper[i], SIGKILL);
	ck_assert_int_eq(io_read_full(p[0], &c, 1), 0);
	io_close(&p[0]);
	ck_assert_int_eq(kill(dog, SIGCONT), 0);
	ck_assert_int_eq(waitpid(now.supervisor, &status, 0), now.supervisor);
	expect_cleaned(1);
	ck_assert(gone(dog));
}
END_TEST

/* Under nohup, SIGHUP does not end the work. */
START_TEST(ignored_signals_stay_ignored)
{
	struct result r;

	(void)signal(SIGHUP, SIG_IGN);
	start((struct supervise){ .work = work_for_ever, .limit_s = 1, .grace_s = 5 });
	ck_assert_int_eq(kill(now.supervisor, SIGHUP), 0);
	r = finish();
	ck_assert_int_eq(r.end, SUPERVISE_LIMIT);
	(void)signal(SIGHUP, SIG_DFL);
}
END_TEST

/* A parent that ignores SIGCHLD hands that on; we still see the end. */
START_TEST(ignored_children_are_seen)
{
	int value = 0;

	now.supervisor = fork();
	if (now.supervisor == 0) {
		struct supervise s = { .work = work_and_end, .clean_up = cleaned, .ctx = &value };
		struct result r = { 0 };
		struct err e = { 0 };

		(void)signal(SIGCHLD, SIG_IGN);
		r.ret = supervise_run(&s, &r.status, &r.end, &r.signal, &e);
		(void)io_write_all(now.report[1], &r, sizeof(r));
		_exit(0);
	}
	ck_assert_int_eq(io_read_full(now.tell[0], &now.told, sizeof(now.told)), sizeof(now.told));
	ck_assert_int_eq(finish().status, 0);
}
END_TEST

/* Children that the process had before are none of our business. */
START_TEST(earlier_children_are_spared)
{
	struct supervise s = { .work = work_and_end, .clean_up = cleaned, .ctx = &(int){ 0 } };
	enum supervise_end end;
	struct err e = { 0 };
	int status;
	pid_t mine = fork();

	if (mine == 0) {
		(void)fork(); /* and theirs */
		for (;;)
			(void)pause();
	}
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(supervise_run(&s, &status, &end, NULL, &e), 0);
	ck_assert_int_eq(waitpid(mine, &status, WNOHANG), 0);
	ck_assert(proctree_kill_below(getpid(), NULL, DEADLINE_MS));
}
END_TEST

static int failing(void *ctx, struct err *e)
{
	(void)ctx;
	return err_set(e, ERR_SYSTEM, "prepare it: no");
}

START_TEST(prepare_fails)
{
	struct supervise s = { .prepare = failing, .work = work_for_ever, .clean_up = cleaned };
	enum supervise_end end;
	struct err e = { 0 };
	int status;

	ck_assert_int_eq(supervise_run(&s, &status, &end, NULL, &e), -1);
	ck_assert_str_eq(e.msg, "prepare it: no");
	expect_cleaned(0);
}
END_TEST

static int signalled_meanwhile(void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	return raise(SIGTERM);
}

/* A signal between the making of something and its supervision is not lost. */
START_TEST(signal_during_prepare)
{
	launch((struct supervise){
		.prepare = signalled_meanwhile, .work = work_for_ever, .grace_s = 5 });
	ck_assert_int_eq(finish().signal, SIGTERM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("supervise");
	TCase *t = tcase_create("supervise");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 30);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, ends_by_itself);
	tcase_add_test(t, work_crashes);
	tcase_add_loop_test(t, signal_stops, 0, (int)(sizeof(STOPS) / sizeof(STOPS[0])));
	tcase_add_test(t, signal_to_the_group);
	tcase_add_test(t, stubborn_work_is_killed);
	tcase_add_test(t, second_signal_hurries);
	tcase_add_test(t, limit_ends);
	tcase_add_test(t, supervisor_is_killed);
	tcase_add_test(t, watchdog_is_killed);
	tcase_add_test(t, watchdog_is_deaf);
	tcase_add_test(t, watchdog_holds_no_pipe);
	tcase_add_test(t, ignored_signals_stay_ignored);
	tcase_add_test(t, ignored_children_are_seen);
	tcase_add_test(t, earlier_children_are_spared);
	tcase_add_test(t, prepare_fails);
	tcase_add_test(t, signal_during_prepare);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
