#include "lib/base/isolate.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/tmpdir.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A directory of our own, and beside it what must be out of reach: a file and a server's socket. */
static struct identity who;
static struct tmpdir dir, other;
static char secret[PATH_MAX], address[PATH_MAX];
static int server;
static struct isolate in;

static void listen_outside(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/socket", other.path);
	(void)snprintf(address, sizeof(address), "%s", a.sun_path);
	server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(server, (const struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(server, 5), 0);
}

static bool can_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	FD_AUTO fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", address);
	return connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
}

static void set_up(void)
{
	struct err e = { 0 };
	FD_AUTO fd = -1;

	ck_assert_int_eq(identity_unprivileged(NULL, &who, &e), 0);
	ck_assert_int_eq(tmpdir_create(&dir, NULL, "test", &who, &e), 0);
	ck_assert_int_eq(tmpdir_create(&other, NULL, "test", &who, &e), 0);
	(void)snprintf(secret, sizeof(secret), "%.*s/secret", PATH_MAX - 16, other.path);
	fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	listen_outside();
	in = (struct isolate){ .root = { .dir = dir.path, .as = &who } };
}

static void tear_down(void)
{
	struct err e = { 0 };

	io_close(&server);
	ck_assert_int_eq(tmpdir_remove(&dir, &e), 0);
	ck_assert_int_eq(tmpdir_remove(&other, &e), 0);
}

/* Whoever may mount may uncover what is hidden. */
static bool mount_is_possible(void)
{
	return mount("tmpfs", dir.path, "tmpfs", 0, NULL) == 0;
}

/* The status of the first of these that is not as it should be, 0: all is well. */
static int look_around(void)
{
	char mine[PATH_MAX];
	FD_AUTO fd = -1;

	(void)snprintf(mine, sizeof(mine), "%.*s/mine", PATH_MAX - 8, dir.path);
	fd = open(mine, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 1;
	if (access(secret, F_OK) == 0 || access("/etc/shadow", F_OK) == 0)
		return 2;
	if (can_connect())
		return 3;
	if (open("/usr/backup-probes", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 || errno != EROFS)
		return 4;
	if (mkdir("/backup-probes", 0700) == 0 || errno != EROFS)
		return 5;
	if (getpid() != 1 || kill(2, 0) == 0)
		return 6;
	if (mount_is_possible())
		return 7;
	if (access("/bin/sh", X_OK) < 0 || access("/dev/null", W_OK) < 0)
		return 8;
	return 0;
}

static int in_there(int (*look)(void))
{
	int status;
	pid_t pid = isolate_fork(&in);

	if (pid == 0) {
		if (identity_become(&who) < 0)
			_exit(99);
		_exit(look());
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "status %d", status);
	return WEXITSTATUS(status);
}

/* Where the system forbids it nothing can be tried, and this is said. */
static bool found(enum isolate_level level)
{
	struct err e = { 0 };

	isolate_find(&in, &e);
	if (in.level == level)
		return true;
	ck_assert_int_eq(strncmp(e.msg, "make namespaces of its own: ", 28), 0);
	(void)fprintf(stderr, "test_isolate: %s: not tried\n", e.msg);
	return false;
}

START_TEST(nothing_is_within_reach)
{
	ck_assert(can_connect());
	if (found(ISOLATE_FULL))
		ck_assert_int_eq(in_there(look_around), 0);
}
END_TEST

static int shown(void)
{
	return access(secret, R_OK) == 0 && access(secret, W_OK) < 0 ? 0 : 1;
}

START_TEST(what_is_shown_can_be_read)
{
	const char *const show[] = { secret, "/nonexistent/file", NULL };

	in.root.show = show;
	if (found(ISOLATE_FULL))
		ck_assert_int_eq(in_there(shown), 0);
	in.root.show = NULL;
}
END_TEST

static int devices(void)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct err e = { 0 };
	int n = 0;

	if (io_slurp("/proc/net/dev", &b, &e) < 0)
		return 99;
	for (const char *p = strchr(b.s, ':'); p; p = strchr(p + 1, ':'))
		n++;
	return n;
}

START_TEST(only_the_loopback)
{
	if (!found(ISOLATE_FULL))
		return;
	ck_assert_int_eq(in_there(devices), 1);
	in.level = ISOLATE_NETWORK;
	ck_assert_int_eq(in_there(devices), 1);
}
END_TEST

START_TEST(nothing_is_shut_off)
{
	int all = devices();

	ck_assert_int_eq(in_there(devices), all);
}
END_TEST

static int linger(void)
{
	if (fork() == 0) {
		(void)setsid();
		(void)pause();
	}
	isolate_tie();
	if (chdir(dir.path) < 0)
		return 98;
	for (;;)
		(void)pause();
}

/* The id of the process itself, not of the one in between; both end with the latter. */
static void ends_by(int sig)
{
	struct proc_list l = { 0 };
	pid_t pid = isolate_fork(&in);

	if (pid == 0)
		_exit(identity_become(&who) == 0 ? linger() : 99);
	ck_assert_int_gt(pid, 0);
	for (int i = 0; i < 1000 && l.n < 1; i++) {
		(void)usleep(10000);
		proc_list_free(&l);
		proctree_inside(dir.path, &l);
	}
	ck_assert_int_eq((int)l.n, 1);
	ck_assert_int_eq(kill(sig == SIGTERM ? l.v[0].pid : pid, sig), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	for (int i = 0; i < 1000 && proctree_alive(&l.v[0]); i++)
		(void)usleep(10000);
	ck_assert(!proctree_alive(&l.v[0]));
	proc_list_free(&l);
}

START_TEST(ends_at_once)
{
	if (!found(ISOLATE_FULL))
		return;
	ends_by(SIGTERM);
	ends_by(SIGKILL);
}
END_TEST

/* The same for somebody who is not root. */
START_TEST(as_nobody)
{
	int status;
	pid_t pid;

	tear_down();
	pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
		    setresuid(65534, 65534, 65534) < 0)
			_exit(99);
		(void)prctl(PR_SET_DUMPABLE, 1); /* as after an exec */
		set_up();
		status = found(ISOLATE_FULL) ? in_there(look_around) : 0;
		tear_down();
		_exit(status);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	set_up();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("isolate");
	TCase *t = tcase_create("isolate");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, nothing_is_within_reach);
	tcase_add_test(t, what_is_shown_can_be_read);
	tcase_add_test(t, only_the_loopback);
	tcase_add_test(t, nothing_is_shut_off);
	tcase_add_test(t, ends_at_once);
	if (geteuid() == 0)
		tcase_add_test(t, as_nobody);
	suite_add_tcase(s, t);
	return suite_run(s);
}
