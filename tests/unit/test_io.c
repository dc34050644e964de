#include "lib/base/io.h"

#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static void make_file(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/test_io.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
}

static void drop_file(void)
{
	(void)unlink(path);
}

static void put(const char *bytes, size_t n)
{
	FD_AUTO fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	ck_assert_int_eq(io_write_all(fd, bytes, n), 0);
}

static const struct {
	const char *bytes;
	size_t len;
	const char *secret; /* NULL: refused */
	const char *why;
} SECRETS[] = {
	{ "s3cret\n", 7, "s3cret", NULL },
	{ "s3cret", 6, "s3cret", NULL },
	{ "s3cret\r\nnote\n", 13, "s3cret", NULL },
	{ " with blanks \n", 14, " with blanks ", NULL },
	{ "", 0, NULL, "first line is empty" },
	{ "\n", 1, NULL, "first line is empty" },
	{ "\nlater\n", 7, NULL, "first line is empty" },
	{ "a\0b\n", 4, NULL, "NUL" },
	{ "this one is too long for its buffer\n", 36, NULL, "larger than 20 bytes" },
};

START_TEST(secret)
{
	BUF_AUTO b = BUF_INIT(20);
	struct err e = { 0 };

	put(SECRETS[_i].bytes, SECRETS[_i].len);
	if (SECRETS[_i].secret) {
		ck_assert_int_eq(io_read_secret(path, &b, &e), 0);
		ck_assert_str_eq(b.s, SECRETS[_i].secret);
		ck_assert_uint_eq(b.len, strlen(SECRETS[_i].secret));
	} else {
		ck_assert_int_eq(io_read_secret(path, &b, &e), -1);
		ck_assert_ptr_nonnull(strstr(e.msg, SECRETS[_i].why));
		ck_assert_ptr_nonnull(strstr(e.msg, path));
	}
}
END_TEST

START_TEST(slurp_whole)
{
	static char big[100000];
	BUF_AUTO b = BUF_INIT(sizeof(big));
	struct err e = { 0 };

	memset(big, 'x', sizeof(big));
	put(big, sizeof(big));
	ck_assert_int_eq(io_slurp(path, &b, &e), 0);
	ck_assert_uint_eq(b.len, sizeof(big));
}
END_TEST

START_TEST(slurp_refuses)
{
	BUF_AUTO b = BUF_INIT(3);
	struct err e = { 0 };

	ck_assert_int_eq(io_slurp("/nonexistent/file", &b, &e), -1);
	ck_assert_str_eq(e.msg, "open /nonexistent/file: No such file or directory");
	ck_assert_int_eq(io_slurp("/tmp", &b, &e), -1);
	ck_assert_str_eq(e.msg, "read /tmp: Is a directory");
	put("four", 4);
	ck_assert_int_eq(io_slurp(path, &b, &e), -1);
}
END_TEST

START_TEST(write_reports)
{
	FD_AUTO full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(io_write_all(full, "x", 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(io_write_all(-1, "x", 1), -1);
	ck_assert_int_eq(io_write_all(-1, "x", 0), 0);
}
END_TEST

/* A non-blocking pipe that is full and drained slowly still gets every byte. */
START_TEST(write_nonblocking)
{
	static char bytes[300000], back[sizeof(bytes)];
	int p[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	memset(bytes, 'y', sizeof(bytes));
	pid = fork();
	if (pid == 0)
		_exit(io_write_all(p[1], bytes, sizeof(bytes)) < 0);
	io_close(&p[1]);
	ck_assert_int_eq(io_read_full(p[0], back, sizeof(back)), sizeof(back));
	ck_assert_int_eq(memcmp(bytes, back, sizeof(back)), 0);
	ck_assert_int_eq(io_read_full(p[0], back, 1), 0);
	io_close(&p[0]);
}
END_TEST

START_TEST(copies)
{
	static char big[100000];
	BUF_AUTO b = BUF_INIT(sizeof(big));
	char to[] = "/tmp/test_io.XXXXXX";
	FD_AUTO out = mkostemp(to, O_CLOEXEC);
	FD_AUTO in = -1, proc = -1;
	struct err e = { 0 };

	memset(big, 'z', sizeof(big));
	put(big, sizeof(big));
	in = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(io_copy(in, out), 0);
	ck_assert_int_eq(io_slurp(to, &b, &e), 0);
	ck_assert_uint_eq(b.len, sizeof(big));
	ck_assert_int_eq(io_copy(in, out), 0);                /* at its end: nothing more */
	proc = open("/proc/self/stat", O_RDONLY | O_CLOEXEC); /* from another file system */
	ck_assert_int_eq(ftruncate(out, 0) + lseek(out, 0, SEEK_SET), 0);
	ck_assert_int_eq(io_copy(proc, out), 0);
	buf_reset(&b);
	ck_assert_int_eq(io_slurp(to, &b, &e), 0);
	ck_assert_uint_gt(b.len, 10);
	ck_assert_int_eq(io_copy(-1, out), -1);
	ck_assert_int_eq(unlink(to), 0);
}
END_TEST

START_TEST(close_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	errno = EDOM;
	io_close(&fd);
	ck_assert_int_eq(fd, -1);
	io_close(&fd);
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("io");
	TCase *t = tcase_create("io");

	tcase_add_checked_fixture(t, make_file, drop_file);
	tcase_add_loop_test(t, secret, 0, CASES(SECRETS));
	tcase_add_test(t, slurp_whole);
	tcase_add_test(t, slurp_refuses);
	tcase_add_test(t, write_reports);
	tcase_add_test(t, write_nonblocking);
	tcase_add_test(t, copies);
	tcase_add_test(t, close_keeps_errno);
	suite_add_tcase(s, t);
	return suite_run(s);
}
