#include "lib/base/history.h"

#include "tests/unit/histfile.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { MANY = 10000 };

START_TEST(one_missing_directory_is_made)
{
	struct err e = { 0 };
	char path[192];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/new/h.jsonl", dir);
	(void)umask(0077);
	append_ok(path, "shop", 1);
	expect(path, "shop", 10, "1", 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	*strrchr(path, '/') = '\0';
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0750);
	(void)snprintf(path, sizeof(path), "%s/a/b/h.jsonl", dir);
	ck_assert_int_eq(append(path, "shop", 1, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg, "/a/b/h.jsonl: No such file or directory"));
}
END_TEST

START_TEST(the_mode_of_an_existing_file_stays)
{
	struct stat st;

	puts_into_file("");
	ck_assert_int_eq(chmod(file, 0604), 0);
	append_ok(file, "shop", 1);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0604);
}
END_TEST

START_TEST(fifty_writers_at_once)
{
	const int writers = 50, each = 10;
	static bool seen[500];
	struct err e = { 0 };
	unsigned skipped = 0;
	json_t *runs, *run;
	size_t i;

	for (int w = 0; w < writers; w++) {
		const pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid > 0)
			continue;
		for (int n = 0; n < each; n++)
			if (append(file, "shop", w * each + n, NULL) < 0)
				_exit(1);
		_exit(0);
	}
	for (int w = 0; w < writers; w++) {
		int status = 0;

		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	runs = load(file, "shop", MANY, &skipped, &e);
	ck_assert_msg(runs != NULL, "%s", e.msg);
	ck_assert_uint_eq(json_array_size(runs), sizeof(seen));
	ck_assert_uint_eq(skipped, 0);
	json_array_foreach(runs, i, run) {
		const json_int_t n = json_integer_value(json_object_get(run, "n"));

		ck_assert(n >= 0 && n < (json_int_t)sizeof(seen) && !seen[n]);
		seen[n] = true;
	}
	json_decref(runs);
	expect_chain(500, 0, 0);
}
END_TEST

/* A file that may not grow further stands for a full disk: what fits is taken back. */
START_TEST(a_full_disk_is_reported_and_leaves_no_half_line)
{
	struct err e = { 0 };
	struct stat st;
	struct rlimit limit;
	int wrote;

	for (int i = 1; i <= 3; i++)
		append_ok(file, "shop", i);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_int_ne((int)(signal(SIGXFSZ, SIG_IGN) == SIG_ERR), 1);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = (rlim_t)st.st_size + 5;
	/* Under the limit nothing is asserted, for that would be written to a file, too. */
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	wrote = append(file, "shop", 4, &e);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	ck_assert_int_eq(wrote, -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg, "write history /tmp/"));
	ck_assert_ptr_nonnull(strstr(e.msg, "File too large"));
	expect(file, "shop", 10, "1 2 3", 0);
}
END_TEST

/* We hold the lock, the writer waits for it, the file is renamed away: the line belongs into the
 * new file and not into the rotated one. */
START_TEST(rotation_while_waiting_is_noticed)
{
	const struct timespec nap = { .tv_nsec = 200000000 };
	const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char rotated[192];
	struct stat st;
	int status = 0;
	pid_t pid;

	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(fd);
		_exit(append(file, "shop", 1, NULL) == 0 ? 0 : 1);
	}
	(void)nanosleep(&nap, NULL);
	(void)snprintf(rotated, sizeof(rotated), "%s.1", file);
	ck_assert_int_eq(rename(file, rotated), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	expect(file, "shop", 10, "1", 0);
	ck_assert_int_eq(stat(rotated, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused)
{
	struct err e = { 0 };

	ck_assert_int_eq(mkfifo(file, 0600), 0);
	ck_assert_int_eq(append(file, "shop", 1, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "no regular file"));
	ck_assert_ptr_null(load(file, "shop", 10, NULL, &e));
	ck_assert_int_eq(append("/dev/null", "shop", 1, &e), -1);
	ck_assert_int_eq(append("", "shop", 1, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_null(load("/dev/null/x", "shop", 10, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "open history /dev/null/x: Not a directory"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history_writers");
	TCase *c = tcase_create("history_writers");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, one_missing_directory_is_made);
	tcase_add_test(c, the_mode_of_an_existing_file_stays);
	tcase_add_test(c, fifty_writers_at_once);
	tcase_add_test(c, a_full_disk_is_reported_and_leaves_no_half_line);
	tcase_add_test(c, rotation_while_waiting_is_noticed);
	tcase_add_test(c, what_is_no_regular_file_is_refused);
	suite_add_tcase(s, c);
	return suite_run(s);
}
