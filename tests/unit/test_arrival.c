#include "lib/base/arrival.h"

#include "lib/base/io.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

static char path[64];
static int reader;
static struct arrival writer;
static struct err e;

static void begin(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/test_arrival.XXXXXX");
	fd = mkostemp(path, O_CLOEXEC);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_eq(arrival_begin(&writer, fd, &e), 0);
}

static void end(void)
{
	struct err ignored;

	(void)arrival_end(&writer, false, &ignored);
	io_close(&reader);
	(void)unlink(path);
}

START_TEST(what_is_there_is_told)
{
	ck_assert_int_eq(arrival_more(&writer, MIB, &e), 0);
	ck_assert_int_eq(arrival_wait(reader, 0, &e), MIB);
	ck_assert_int_eq(arrival_wait(reader, MIB - 1, &e), 1);
	ck_assert_int_eq(arrival_more(&writer, MIB, &e), 0);
	ck_assert_int_eq(arrival_wait(reader, MIB, &e), MIB);
}
END_TEST

START_TEST(whole_when_proven)
{
	ck_assert_int_eq(arrival_more(&writer, MIB, &e), 0);
	ck_assert_int_eq(arrival_end(&writer, true, &e), 0);
	ck_assert_int_eq(arrival_wait(reader, 0, &e), INT64_MAX);
	ck_assert_int_eq(arrival_wait(reader, 2 * MIB, &e), INT64_MAX);
	ck_assert_int_eq(arrival_prove(reader, &e), 0);
}
END_TEST

START_TEST(broken_when_not_proven)
{
	ck_assert_int_eq(arrival_more(&writer, MIB, &e), 0);
	ck_assert_int_eq(arrival_wait(reader, 0, &e), MIB);
	ck_assert_int_eq(arrival_end(&writer, false, &e), 0);
	/* Nobody can tell any more what was there. */
	ck_assert_int_eq(arrival_wait(reader, 0, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg, "did not come to a good end"));
	ck_assert_int_eq(arrival_prove(reader, &e), -1);
}
END_TEST

START_TEST(nothing_begun_is_nothing_to_end)
{
	struct arrival none = ARRIVAL_NONE;

	ck_assert_int_eq(arrival_end(&none, true, &e), 0);
}
END_TEST

/* A process that waits for a byte that is not there: its value tells how that ended. */
static pid_t wait_apart(uint64_t at_b, int ready)
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	io_close(&writer.fd); /* its lock is its parent's, too */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)alarm(60);
	(void)io_write_all(ready, "", 1);
	_exit(arrival_wait(fd, at_b, &e) > 0 ? 0 : 1);
}

static int outcome(pid_t pid)
{
	int status = -1;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(waits)
{
	int ready[2];
	char c;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = wait_apart(0, ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(arrival_more(&writer, MIB, &e), 0);
	ck_assert_int_eq(outcome(pid), 0);
	pid = wait_apart(MIB, ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(arrival_end(&writer, false, &e), 0);
	ck_assert_int_eq(outcome(pid), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arrival");
	TCase *t = tcase_create("arrival");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, what_is_there_is_told);
	tcase_add_test(t, whole_when_proven);
	tcase_add_test(t, broken_when_not_proven);
	tcase_add_test(t, nothing_begun_is_nothing_to_end);
	tcase_add_test(t, waits);
	suite_add_tcase(s, t);
	return suite_run(s);
}
