#include "lib/base/history.h"

#include "lib/base/buf.h"
#include "tests/unit/json.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 10000 };

static char dir[64], file[128];

static void set_up(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test-history.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/h.jsonl", dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void tear_down(void)
{
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static json_t *run_of(const char *label, int n)
{
	return json_pack("{ss ss si}", "record", "run", "label", label, "n", n);
}

static int append(const char *path, const char *label, int n, struct err *e)
{
	json_t *run = run_of(label, n);
	const int r = history_append(path, label, run, NULL, e);

	json_decref(run);
	return r;
}

static void append_ok(const char *path, const char *label, int n)
{
	struct err e = { 0 };

	ck_assert_msg(append(path, label, n, &e) == 0, "%s", e.msg);
}

static void put(const char *text, size_t len)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

static void puts_into_file(const char *text)
{
	put(text, strlen(text));
}

/* The runs' numbers, as "1 2 3", and how many lines could not be read. */
static void expect(const char *path, const char *label, size_t most, const char *numbers,
		   unsigned bad)
{
	struct err e = { 0 };
	unsigned skipped = 99;
	json_t *runs = history_load(path, label, most, &skipped, &e), *run;
	BUF_AUTO got = BUF_INIT(4096);
	size_t i;

	ck_assert_msg(runs != NULL, "%s", e.msg);
	json_array_foreach(runs, i, run)
		buf_addf(&got, "%s%lld", i ? " " : "",
			 json_integer_value(json_object_get(run, "n")));
	ck_assert_str_eq(got.s, numbers);
	ck_assert_uint_eq(skipped, bad);
	json_decref(runs);
}

static void prove(struct chain_proof *p)
{
	struct err e = { 0 };

	ck_assert_msg(history_prove(file, "shop", NULL, p, &e) == 0, "%s", e.msg);
}

static void expect_chain(int64_t seq, size_t unchained, size_t aside)
{
	struct chain_proof p;

	prove(&p);
	ck_assert_msg(p.bad == 0, "line %zu: %s", p.bad, p.why);
	ck_assert_int_eq(p.head.seq, seq);
	ck_assert_uint_eq(p.unchained, unchained);
	ck_assert_uint_eq(p.aside, aside);
	ck_assert_uint_eq(p.loose, 0);
}

START_TEST(comes_back_in_order)
{
	expect(file, "shop", 10, "", 0);
	for (int i = 1; i <= 5; i++)
		append_ok(file, "shop", i);
	expect(file, "shop", 10, "1 2 3 4 5", 0);
	expect(file, "shop", 2, "4 5", 0);
	expect(file, "shop", 0, "", 0);
}
END_TEST

START_TEST(labels_are_kept_apart)
{
	json_t *unlabelled = json_of("{'record':'run','n':7}");
	struct err e = { 0 };

	append_ok(file, "shop", 1);
	append_ok(file, "crm", 2);
	append_ok(file, "shop", 3);
	ck_assert_int_eq(history_append(file, "", unlabelled, NULL, &e), 0);
	json_decref(unlabelled);
	expect(file, "shop", 10, "1 3", 0);
	expect(file, "crm", 1, "2", 0);
	expect(file, "", 10, "7", 0);
	expect(file, "sho", 10, "", 0);
}
END_TEST

START_TEST(a_directory_gives_a_file_to_each_label)
{
	char sub[128], path[192];

	append_ok(dir, "shop", 1);
	append_ok(dir, "../c r/m", 2);
	append_ok(dir, "_._c_r_m", 3);
	append_ok(dir, ".", 4);
	expect(dir, "shop", 10, "1", 0);
	expect(dir, "../c r/m", 10, "2", 0);
	expect(dir, "_._c_r_m", 10, "3", 0);
	(void)snprintf(path, sizeof(path), "%s/_._c_r_m.jsonl", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s/_.jsonl", dir);
	ck_assert_int_eq(access(path, F_OK), 0);
	(void)snprintf(sub, sizeof(sub), "%s/new/", dir);
	append_ok(sub, "shop", 5);
	expect(sub, "shop", 10, "5", 0);
}
END_TEST

START_TEST(long_labels_share_a_file_and_nothing_else)
{
	char a[256], b[256];

	memset(a, 'l', sizeof(a) - 1);
	a[sizeof(a) - 1] = '\0';
	memcpy(b, a, sizeof(b));
	b[250] = 'x';
	append_ok(dir, a, 1);
	append_ok(dir, b, 2);
	expect(dir, a, 10, "1", 0);
	expect(dir, b, 10, "2", 0);
}
END_TEST

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

/* Stops at the run that it is told, and counts. */
struct counter {
	json_int_t stop, last;
	int runs;
};

static bool count_until(json_t *run, void *to)
{
	struct counter *c = to;

	c->runs++;
	c->last = json_integer_value(json_object_get(run, "n"));
	return c->last != c->stop;
}

START_TEST(a_walk_goes_back_as_far_as_wanted)
{
	struct counter c = { .stop = 7 };
	struct err e;

	ck_assert_int_eq(history_walk(file, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 0);
	for (int i = 0; i < 10; i++)
		append_ok(file, i % 2 ? "shop" : "crm", i);
	ck_assert_int_eq(history_walk(file, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 2);
	ck_assert_int_eq(c.last, 7);
	c = (struct counter){ .stop = -1 };
	ck_assert_int_eq(history_walk(file, "shop", count_until, &c, NULL, &e), 0);
	ck_assert_int_eq(c.runs, 5);
	ck_assert_int_eq(c.last, 1);
	ck_assert_int_eq(history_walk("", "shop", count_until, &c, NULL, &e), -1);
}
END_TEST

START_TEST(a_torn_line_is_set_aside)
{
	append_ok(file, "shop", 1);
	puts_into_file("{\"record\":\"run\",\"label\":\"shop\",\"n\":2,\"che");
	expect(file, "shop", 10, "1", 1);
	append_ok(file, "shop", 3);
	expect(file, "shop", 10, "1 3", 1);
}
END_TEST

START_TEST(a_whole_line_without_its_newline_counts)
{
	puts_into_file("{\"record\":\"run\",\"label\":\"shop\",\"n\":1}");
	expect(file, "shop", 10, "1", 0);
	append_ok(file, "shop", 2);
	expect(file, "shop", 10, "1 2", 0);
}
END_TEST

START_TEST(garbage_is_skipped_and_counted)
{
	append_ok(file, "shop", 1);
	puts_into_file("not json\n"
		       "[1,2]\n"
		       "\n"
		       "{\"record\":\"run\",\"label\":\"shop\",\"label\":\"crm\",\"n\":8}\n"
		       "{\"record\":\"check\",\"label\":\"shop\",\"n\":9}\n"
		       "{\"n\":10}\n"
		       "\xff\xfe\n");
	put("\0\0\0\0\n", 5);
	append_ok(file, "shop", 2);
	expect(file, "shop", 10, "1 2", 5);
	expect(file, "shop", 1, "2", 0);
}
END_TEST

/* Lines of growing length, so that newlines fall on every side of the read chunks. */
START_TEST(lines_of_every_length_come_back)
{
	char want[16];

	for (int i = 0; i < 120; i++) {
		char *pad = malloc((size_t)i * 2500 + 1);
		json_t *run = run_of("shop", i);

		ck_assert_ptr_nonnull(pad);
		memset(pad, 'p', (size_t)i * 2500);
		pad[(size_t)i * 2500] = '\0';
		json_object_set_new(run, "pad", json_string(pad));
		ck_assert_int_eq(history_append(file, "shop", run, NULL, NULL), 0);
		json_decref(run);
		free(pad);
		(void)snprintf(want, sizeof(want), "%d", i);
		if (i % 29 == 0)
			expect(file, "shop", 1, want, 0);
	}
	expect(file, "shop", 3, "117 118 119", 0);
}
END_TEST

START_TEST(a_line_over_the_limit_is_neither_written_nor_read)
{
	const size_t n = HISTORY_LINE_MAX + 100000;
	struct err e = { 0 };
	json_t *run = run_of("shop", 9);
	char *pad = malloc(n + 1);

	ck_assert_ptr_nonnull(pad);
	memset(pad, 'p', n);
	pad[n] = '\0';
	json_object_set_new(run, "pad", json_string(pad));
	ck_assert_int_eq(history_append(file, "shop", run, NULL, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.msg, "longer than 4194304 bytes"));
	ck_assert_int_ne(access(file, F_OK), 0);

	put(pad, n);
	puts_into_file("\n");
	append_ok(file, "shop", 1);
	put(pad, n);
	puts_into_file("\n");
	append_ok(file, "shop", 2);
	put(pad, n);
	expect(file, "shop", 10, "1 2", 3);
	json_decref(run);
	free(pad);
}
END_TEST

/* 400 MB of which only the end may be touched: the rest is a hole, and memory is limited. */
START_TEST(a_huge_file_is_read_from_its_end)
{
	const off_t big = (off_t)400 * 1024 * 1024;
	const struct rlimit small = { 200UL << 20, 200UL << 20 };
	int status = 0;
	pid_t pid;

	puts_into_file("x\n");
	ck_assert_int_eq(truncate(file, big), 0);
	puts_into_file("\n");
	append_ok(file, "shop", 1);
	append_ok(file, "shop", 2);
	pid = fork();
	if (pid == 0) {
#ifndef __SANITIZE_ADDRESS__
		(void)setrlimit(RLIMIT_AS, &small);
#else
		(void)small;
#endif
		expect(file, "shop", 2, "1 2", 0);
		/* Beyond the two there is the hole: one line far over the limit, then "x". */
		expect(file, "shop", 3, "1 2", 2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
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
	runs = history_load(file, "shop", MANY, &skipped, &e);
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
	ck_assert_ptr_null(history_load(file, "shop", 10, NULL, &e));
	ck_assert_int_eq(append("/dev/null", "shop", 1, &e), -1);
	ck_assert_int_eq(append("", "shop", 1, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_null(history_load("/dev/null/x", "shop", 10, NULL, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "open history /dev/null/x: Not a directory"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history");
	TCase *c = tcase_create("history");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, comes_back_in_order);
	tcase_add_test(c, labels_are_kept_apart);
	tcase_add_test(c, a_directory_gives_a_file_to_each_label);
	tcase_add_test(c, long_labels_share_a_file_and_nothing_else);
	tcase_add_test(c, one_missing_directory_is_made);
	tcase_add_test(c, the_mode_of_an_existing_file_stays);
	tcase_add_test(c, a_walk_goes_back_as_far_as_wanted);
	tcase_add_test(c, a_torn_line_is_set_aside);
	tcase_add_test(c, a_whole_line_without_its_newline_counts);
	tcase_add_test(c, garbage_is_skipped_and_counted);
	tcase_add_test(c, lines_of_every_length_come_back);
	tcase_add_test(c, a_line_over_the_limit_is_neither_written_nor_read);
	tcase_add_test(c, a_huge_file_is_read_from_its_end);
	tcase_add_test(c, fifty_writers_at_once);
	tcase_add_test(c, a_full_disk_is_reported_and_leaves_no_half_line);
	tcase_add_test(c, rotation_while_waiting_is_noticed);
	tcase_add_test(c, what_is_no_regular_file_is_refused);
	suite_add_tcase(s, c);
	return suite_run(s);
}
