#include "lib/base/atomic.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static char file[96];

static void make_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test_atomic.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/target", dir);
}

static void drop_dir(void)
{
	(void)unlink(file);
	(void)rmdir(file);
	ck_assert_int_eq(rmdir(dir), 0); /* also proves that no temporary file stayed */
}

static void expect(const char *text, mode_t mode)
{
	BUF_AUTO b = BUF_INIT(1000);
	struct err e = { 0 };
	struct stat st;

	ck_assert_int_eq(io_slurp(file, &b, &e), 0);
	ck_assert_str_eq(b.s, text);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

START_TEST(replaces)
{
	struct err e = { 0 };

	(void)umask(077);
	ck_assert_int_eq(atomic_write(file, "one\n", 4, 0600, &e), 0);
	expect("one\n", 0600);
	ck_assert_int_eq(atomic_write(file, "two\n", 4, 0644, &e), 0);
	expect("two\n", 0644);
	ck_assert_int_eq(atomic_write(file, "", 0, 0600, &e), 0);
	expect("", 0600);
}
END_TEST

START_TEST(relative_name)
{
	struct err e = { 0 };

	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(atomic_write("target", "here\n", 5, 0600, &e), 0);
	expect("here\n", 0600);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(failed_write_keeps_old)
{
	struct rlimit small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY }, old;
	static char big[5000];
	struct err e = { 0 };

	ck_assert_int_eq(atomic_write(file, "old\n", 4, 0600, &e), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	ck_assert_int_eq(atomic_write(file, big, sizeof(big), 0600, &e), -1);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg, "write "));
	ck_assert_ptr_nonnull(strstr(e.msg, "File too large"));
	expect("old\n", 0600);
}
END_TEST

START_TEST(failed_rename_leaves_nothing)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkdir(file, 0700), 0);
	ck_assert_int_eq(atomic_write(file, "x", 1, 0600, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "replace "));
	ck_assert_ptr_nonnull(strstr(e.msg, file));
}
END_TEST

START_TEST(no_directory)
{
	struct err e = { 0 };

	ck_assert_int_eq(atomic_write("/nonexistent/f", "x", 1, 0600, &e), -1);
	ck_assert_str_eq(e.msg, "create a file beside /nonexistent/f: No such file or directory");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("atomic");
	TCase *t = tcase_create("atomic");

	tcase_add_checked_fixture(t, make_dir, drop_dir);
	tcase_add_test(t, replaces);
	tcase_add_test(t, relative_name);
	tcase_add_test(t, failed_write_keeps_old);
	tcase_add_test(t, failed_rename_leaves_nothing);
	tcase_add_test(t, no_directory);
	suite_add_tcase(s, t);
	return suite_run(s);
}
