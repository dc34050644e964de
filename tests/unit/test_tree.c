#include "lib/base/tree.h"

#include "lib/base/io.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each test has base/tree to remove and base/outside that must not change. */
static char base[64];

static void make_base(void)
{
	(void)snprintf(base, sizeof(base), "/tmp/test_tree.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(mkdir("tree", 0700), 0);
	ck_assert_int_eq(mkdir("outside", 0700), 0);
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void drop_base(void)
{
	struct err e;

	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(tree_remove(base, &e), 0);
	ck_assert(!exists(base));
}

static void removes_all(void)
{
	struct err e = { 0 };

	ck_assert_msg(tree_remove("tree", &e) == 0, "%s", e.msg);
	ck_assert(!exists("tree"));
}

START_TEST(plain)
{
	ck_assert_int_eq(mkdir("tree/a", 0700), 0);
	ck_assert_int_eq(mkdir("tree/a/b", 0700), 0);
	ck_assert_int_eq(mkdir("tree/.hidden", 0700), 0);
	ck_assert_int_eq(mkdir("tree/a/.moved-0", 0700), 0);
	ck_assert_int_eq(mkdir("tree/a/.moved-0/x", 0700), 0);
	touch("tree/a/b/file");
	touch("tree/.moved-0");
	ck_assert_int_eq(mkfifo("tree/a/fifo", 0600), 0);
	removes_all();
	removes_all(); /* gone already */
}
END_TEST

START_TEST(links_lead_nowhere)
{
	struct stat st;

	touch("outside/kept");
	ck_assert_int_eq(chmod("outside/kept", 0400), 0);
	ck_assert_int_eq(chmod("outside", 0500), 0);
	ck_assert_int_eq(mkdir("tree/a", 0700), 0);
	ck_assert_int_eq(symlink("../outside", "tree/dir"), 0);
	ck_assert_int_eq(symlink("../../outside", "tree/a/dir"), 0);
	ck_assert_int_eq(symlink("../outside/kept", "tree/file"), 0);
	ck_assert_int_eq(symlink("/nonexistent", "tree/dangling"), 0);
	ck_assert_int_eq(link("outside/kept", "tree/a/hard"), 0);
	removes_all();
	ck_assert_int_eq(stat("outside", &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0500);
	ck_assert_int_eq(stat("outside/kept", &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0400);
	ck_assert_uint_eq(st.st_nlink, 1);
}
END_TEST

START_TEST(top_is_a_link)
{
	struct err e = { 0 };

	touch("outside/kept");
	ck_assert_int_eq(symlink("outside", "link"), 0);
	ck_assert_int_eq(tree_remove("link", &e), -1);
	ck_assert(exists("outside/kept"));
	touch("file");
	ck_assert_int_eq(tree_remove("file", &e), -1);
	ck_assert_str_eq(e.msg, "remove file: Not a directory");
}
END_TEST

/* Deeper than there are descriptors, and than PATH_MAX. */
START_TEST(deep)
{
	struct rlimit few = { .rlim_cur = 32, .rlim_max = 32 };

	ck_assert_int_eq(chdir("tree"), 0);
	for (int i = 0; i < 3000; i++) {
		touch("f");
		ck_assert_int_eq(mkdir("dddd", 0700), 0);
		ck_assert_int_eq(chdir("dddd"), 0);
	}
	ck_assert_int_eq(chdir(base), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	removes_all();
}
END_TEST

START_TEST(wide)
{
	char name[64];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "tree/d%d", i);
		ck_assert_int_eq(mkdir(name, 0700), 0);
		(void)snprintf(name, sizeof(name), "tree/d%d/sub", i);
		ck_assert_int_eq(mkdir(name, 0700), 0);
		(void)snprintf(name, sizeof(name), "tree/d%d/sub/f", i);
		touch(name);
	}
	removes_all();
}
END_TEST

/* Runs the body as nobody when we are root: root passes every permission. */
static void as_nobody(void (*body)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		body();
		return;
	}
	ck_assert_int_eq(chown(base, 65534, 65534), 0);
	ck_assert_int_eq(chown("tree", 65534, 65534), 0);
	pid = fork();
	if (pid == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(99);
		body();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void no_rights(void)
{
	(void)mkdir("tree/a", 0700);
	(void)mkdir("tree/a/b", 0700);
	(void)mkdir("tree/a/b/c", 0700);
	(void)mkdir("tree/empty", 0000);
	touch("tree/a/b/c/f");
	(void)chmod("tree/a/b/c", 0000);
	(void)chmod("tree/a/b", 0100);
	(void)chmod("tree/a", 0400);
	(void)chmod("tree", 0500);
	removes_all();
}

START_TEST(rights_taken_away)
{
	as_nobody(no_rights);
}
END_TEST

START_TEST(keeps_one)
{
	struct err e = { 0 };
	FD_AUTO dir = -1;

	touch("tree/owner");
	touch("tree/other");
	ck_assert_int_eq(mkdir("tree/a", 0700), 0);
	touch("tree/a/owner");
	dir = open("tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(tree_empty(dir, "owner", "tree", &e), 0);
	ck_assert(exists("tree/owner"));
	ck_assert(!exists("tree/other"));
	ck_assert(!exists("tree/a"));
}
END_TEST

/* In a mount namespace of its own, so that nothing shows outside. */
static void mounted(const char *source, const char *type, unsigned long flags)
{
	struct err e = { 0 };

	if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(77);
	touch("outside/kept");
	ck_assert_int_eq(mkdir("tree/a", 0700), 0);
	ck_assert_int_eq(mkdir("tree/a/mnt", 0700), 0);
	touch("tree/a/f");
	if (mount(source, "tree/a/mnt", type, flags, NULL) < 0)
		_exit(77);
	if (type)
		touch("tree/a/mnt/inner");
	ck_assert_int_eq(tree_remove("tree", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "unmount what is mounted there"));
	ck_assert(!exists("tree/a/f")); /* the rest is gone */
	ck_assert(exists("outside/kept"));
	ck_assert(!type || exists("tree/a/mnt/inner"));
	ck_assert_int_eq(tree_remove("tree/a/mnt", &e), -1); /* itself a mount point */
	ck_assert(exists("outside/kept"));
	ck_assert(!type || exists("tree/a/mnt/inner"));
	ck_assert_int_eq(umount2("tree/a/mnt", 0), 0);
	_exit(0);
}

static void in_child(const char *source, const char *type, unsigned long flags)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		mounted(source, type, flags);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		(void)fprintf(stderr, "test_tree: mounting is not permitted here: not tried\n");
	else
		ck_assert_int_eq(status, 0);
}

START_TEST(mount_points_stay)
{
	in_child("outside", NULL, MS_BIND);
	drop_base();
	make_base();
	in_child("none", "tmpfs", 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tree");
	TCase *t = tcase_create("tree");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, make_base, drop_base);
	tcase_add_test(t, plain);
	tcase_add_test(t, links_lead_nowhere);
	tcase_add_test(t, top_is_a_link);
	tcase_add_test(t, deep);
	tcase_add_test(t, wide);
	tcase_add_test(t, rights_taken_away);
	tcase_add_test(t, keeps_one);
	tcase_add_test(t, mount_points_stay);
	suite_add_tcase(s, t);
	return suite_run(s);
}
