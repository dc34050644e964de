#include "lib/base/tmpdir.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/tree.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char parent[64];

static void make_parent(void)
{
	(void)snprintf(parent, sizeof(parent), "/tmp/test_tmpdir.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(parent));
}

static void drop_parent(void)
{
	struct err e;

	ck_assert_int_eq(tree_remove(parent, &e), 0);
}

static void create(struct tmpdir *t)
{
	struct err e = { 0 };

	ck_assert_msg(tmpdir_create(t, parent, "testing", NULL, &e) == 0, "%s", e.msg);
}

/* What a crashed run leaves: a directory whose owner is dead. */
static void leave_behind(struct tmpdir *t)
{
	int p[2], status;
	pid_t pid;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		create(t);
		_exit(io_write_all(p[1], t, sizeof(*t)) < 0);
	}
	io_close(&p[1]);
	ck_assert_int_eq(io_read_full(p[0], t, sizeof(*t)), sizeof(*t));
	io_close(&p[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	t->lock_fd = -1;
}

static unsigned reap(void)
{
	struct err e = { 0 };
	unsigned n = 99;

	ck_assert_msg(tmpdir_reap(parent, NULL, NULL, &n, &e) == 0, "%s", e.msg);
	return n;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void rewrite_mark(const struct tmpdir *t, const char *text)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/owner", t->path);

	FD_AUTO fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
}

START_TEST(made_and_removed)
{
	BUF_AUTO mark = BUF_INIT(1000);
	struct tmpdir t;
	struct err e = { 0 };
	struct stat st;
	char path[PATH_MAX + 16];
	uint64_t start;

	create(&t);
	ck_assert_int_eq(strncmp(t.path, parent, strlen(parent)), 0);
	ck_assert_int_eq(stat(t.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/owner", t.path);
	ck_assert_int_eq(io_slurp(path, &mark, &e), 0);
	ck_assert(proctree_start(getpid(), &start));
	(void)snprintf(path, sizeof(path), "%d %ju ", (int)getpid(), (uintmax_t)start);
	ck_assert_int_eq(strncmp(mark.s, path, strlen(path)), 0);
	ck_assert_ptr_nonnull(strstr(mark.s, "\ntesting\n"));
	(void)snprintf(path, sizeof(path), "%s/sub", t.path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s", t.path);
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0);
	ck_assert(!exists(path));
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0); /* again: nothing to do */
}
END_TEST

START_TEST(removed_by_somebody_else)
{
	struct tmpdir t;
	struct err e = { 0 };

	create(&t);
	ck_assert_int_eq(tree_remove(t.path, &e), 0);
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0);
}
END_TEST

START_TEST(refused)
{
	struct tmpdir t;
	struct err e = { 0 };
	unsigned n;

	ck_assert_int_eq(tmpdir_create(&t, "/nonexistent", "x", NULL, &e), -1);
	ck_assert_str_eq(e.msg, "use the directory /nonexistent: No such file or directory; name "
				"another one with --work-dir");
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0); /* nothing was made */
	ck_assert_int_eq(tmpdir_create(&t, "/proc", "x", NULL, &e), -1);
	ck_assert_int_eq(tmpdir_reap("/nonexistent", NULL, NULL, &n, &e), -1);
}
END_TEST

START_TEST(parent_from_environment)
{
	struct tmpdir t;
	struct err e = { 0 };

	ck_assert_int_eq(setenv("TMPDIR", parent, 1), 0);
	ck_assert_int_eq(tmpdir_create(&t, NULL, "x", NULL, &e), 0);
	ck_assert_int_eq(strncmp(t.path, parent, strlen(parent)), 0);
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0);
	ck_assert_int_eq(setenv("TMPDIR", "", 1), 0);
	ck_assert_int_eq(tmpdir_create(&t, NULL, "x", NULL, &e), 0);
	ck_assert_int_eq(strncmp(t.path, "/tmp/", 5), 0);
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0);
}
END_TEST

START_TEST(given_to_its_owner)
{
	const struct passwd *pw = getpwnam("nobody");
	struct identity who = { .drops = true };
	struct tmpdir t;
	struct err e = { 0 };
	struct stat st;

	ck_assert_ptr_nonnull(pw);
	who.uid = pw->pw_uid;
	who.gid = pw->pw_gid;
	ck_assert_int_eq(tmpdir_create(&t, parent, "x", &who, &e), 0);
	ck_assert_int_eq(stat(t.path, &st), 0);
	ck_assert_uint_eq(st.st_uid, pw->pw_uid);
	ck_assert_int_eq(tmpdir_remove(&t, &e), 0);
}
END_TEST

static void count_call(const char *dir, void *ctx)
{
	ck_assert(exists(dir));
	++*(int *)ctx;
}

START_TEST(reaps_the_dead_only)
{
	struct tmpdir alive, dead;
	struct err e = { 0 };
	unsigned removed;
	int calls = 0;

	create(&alive);
	leave_behind(&dead);
	ck_assert_int_eq(tmpdir_reap(parent, count_call, &calls, &removed, &e), 0);
	ck_assert_uint_eq(removed, 1);
	ck_assert_int_eq(calls, 1);
	ck_assert(!exists(dead.path));
	ck_assert(exists(alive.path));
	ck_assert_uint_eq(reap(), 0);
	ck_assert_int_eq(tmpdir_remove(&alive, &e), 0);
}
END_TEST

/* The owner is dead, but a child of it works on and still holds the lock. */
START_TEST(spares_what_a_child_still_uses)
{
	struct tmpdir t;
	int status;
	pid_t pid;

	create(&t);
	pid = fork();
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	io_close(&t.lock_fd);
	rewrite_mark(&t, "999999999 1 no-such-boot\nx\n");
	ck_assert_uint_eq(reap(), 0);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_uint_eq(reap(), 1);
	ck_assert(!exists(t.path));
}
END_TEST

/* The lock got lost, the owner is alive all the same; and a process that merely has its id. */
START_TEST(the_mark_is_a_second_witness)
{
	BUF_AUTO boot = BUF_INIT(100);
	struct tmpdir t;
	struct err e = { 0 };
	uint64_t start;
	char text[256];

	leave_behind(&t);
	ck_assert_int_eq(io_slurp("/proc/sys/kernel/random/boot_id", &boot, &e), 0);
	ck_assert(proctree_start(getpid(), &start));
	(void)snprintf(text, sizeof(text), "%d %ju %sx\n", (int)getpid(), (uintmax_t)start, boot.s);
	rewrite_mark(&t, text);
	ck_assert_uint_eq(reap(), 0);
	(void)snprintf(text, sizeof(text), "%d %ju %sx\n", (int)getpid(), (uintmax_t)start + 1,
		       boot.s);
	rewrite_mark(&t, text);
	ck_assert_uint_eq(reap(), 1);
	leave_behind(&t);
	(void)snprintf(text, sizeof(text), "%d %ju other-boot\nx\n", (int)getpid(),
		       (uintmax_t)start);
	rewrite_mark(&t, text);
	ck_assert_uint_eq(reap(), 1);
}
END_TEST

static const struct {
	const char *dir, *mark;
	bool link; /* the mark is a symbolic link to a file that would do */
} NOT_OURS[] = {
	{ "backup-probes-abcdef", NULL, false },     /* no mark: maybe just being made */
	{ "backup-probes-abcdef", "other", false },  /* another file */
	{ "backup-probes-abcdef", "owner", true },   /* a link to a mark */
	{ "backup-probes-abcdefg", "owner", false }, /* one character too many */
	{ "backup-probes-abcde", "owner", false },   /* one too few */
	{ "backup-probes", "owner", false },         /* no random part */
	{ "my-backup-probes-abc", "owner", false },  /* another beginning */
};

START_TEST(names_are_not_enough)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", parent, NOT_OURS[_i].dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(chdir(path), 0);
	if (NOT_OURS[_i].link) {
		FD_AUTO fd = open("real", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(symlink("real", NOT_OURS[_i].mark), 0);
	} else if (NOT_OURS[_i].mark) {
		FD_AUTO fd = open(NOT_OURS[_i].mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		ck_assert_int_ge(fd, 0);
	}
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_uint_eq(reap(), 0);
	ck_assert(exists(path));
}
END_TEST

/* A directory that is a link to a dead one elsewhere, and the mark of another user. */
START_TEST(strangers_are_left_alone)
{
	struct tmpdir t;
	char path[PATH_MAX + 16], moved[256];

	leave_behind(&t);
	(void)snprintf(moved, sizeof(moved), "%s/elsewhere", parent);
	ck_assert_int_eq(rename(t.path, moved), 0);
	ck_assert_int_eq(symlink(moved, t.path), 0);
	ck_assert_uint_eq(reap(), 0);
	ck_assert(exists(moved));
	if (geteuid() != 0)
		return;
	leave_behind(&t);
	(void)snprintf(path, sizeof(path), "%s/owner", t.path);
	ck_assert_int_eq(chown(path, 65534, 65534), 0);
	ck_assert_uint_eq(reap(), 0);
	ck_assert(exists(t.path));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tmpdir");
	TCase *t = tcase_create("tmpdir");

	tcase_add_checked_fixture(t, make_parent, drop_parent);
	tcase_add_test(t, made_and_removed);
	tcase_add_test(t, removed_by_somebody_else);
	tcase_add_test(t, refused);
	tcase_add_test(t, parent_from_environment);
	if (geteuid() == 0)
		tcase_add_test(t, given_to_its_owner);
	tcase_add_test(t, reaps_the_dead_only);
	tcase_add_test(t, spares_what_a_child_still_uses);
	tcase_add_test(t, the_mark_is_a_second_witness);
	tcase_add_loop_test(t, names_are_not_enough, 0, CASES(NOT_OURS));
	tcase_add_test(t, strangers_are_left_alone);
	suite_add_tcase(s, t);
	return suite_run(s);
}
