#ifndef TESTS_UNIT_SUPERVISED_H
#define TESTS_UNIT_SUPERVISED_H
/*
 * supervised: a supervisor in a process of its own, as a tool would be. Its work starts helpers
 * that are hard to catch (own session, orphaned) and tells their ids; clean_up() leaves one byte in
 * a file, so that "exactly once" can be counted. set_up() and tear_down() are the fixture.
 */
#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/supervise.h"
#include "lib/base/utc.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static inline void set_up(void)
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

static inline void tear_down(void)
{
	(void)proctree_kill_below(getpid(), NULL, DEADLINE_MS); /* zombies too */
	(void)unlink(now.file);
}

static inline void cleaned(void *ctx)
{
	FD_AUTO fd = open(now.file, O_WRONLY | O_APPEND | O_CLOEXEC);

	(void)ctx;
	(void)io_write_all(fd, "c", 1);
}

static inline void expect_cleaned(off_t times)
{
	int64_t deadline = mono_ms() + DEADLINE_MS;
	struct stat st = { 0 };

	while (mono_ms() < deadline && (stat(now.file, &st) < 0 || st.st_size < times))
		(void)poll(NULL, 0, 10);
	(void)poll(NULL, 0, 50);
	ck_assert_int_eq(stat(now.file, &st), 0);
	ck_assert_int_eq(st.st_size, times);
}

static inline bool gone(pid_t pid)
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
static inline pid_t helper(int which)
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

static inline void tell(void)
{
	struct told t = { .work = getpid() };

	for (int i = 0; i < HELPERS; i++)
		t.helper[i] = helper(i);
	(void)io_write_all(now.tell[1], &t, sizeof(t));
}

static inline int work_for_ever(void *ctx)
{
	(void)ctx;
	tell();
	while (pause() < 0)
		;
	return 0;
}

static inline int work_stubborn(void *ctx)
{
	(void)signal(SIGTERM, SIG_IGN);
	return work_for_ever(ctx);
}

static inline void launch(struct supervise s)
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
static inline void start(struct supervise s)
{
	launch(s);
	ck_assert_int_eq(io_read_full(now.tell[0], &now.told, sizeof(now.told)), sizeof(now.told));
}

/* The supervisor's end: what it reports; nothing of the work is left, and it cleaned once. */
static inline struct result finish(void)
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
#endif
