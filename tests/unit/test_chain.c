#include "lib/base/chain.h"

#include "lib/base/buf.h"
#include "lib/base/history.h"
#include "lib/base/io.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 8, FILE_MAX = 1024 * 1024 };

static char dir[64], file[128];

static void set_up(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test-chain.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/h.jsonl", dir);
}

static void tear_down(void)
{
	(void)unlink(file);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int append(int n)
{
	struct err e = { 0 };
	json_t *run = json_pack("{ss ss si sf}", "record", "run", "label", "shop", "n", n,
				"seconds", 1.0 / 3);
	HISTORY_AUTO *h = history_file_open(file);
	const int r = history_append(h, "shop", run, NULL, &e);

	json_decref(run);
	return r;
}

static void put(const char *bytes, size_t n, int how)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);

	ck_assert_int_eq(io_write_all(fd, bytes, n), 0);
	ck_assert_int_eq(close(fd), 0);
}

static void add(const char *text)
{
	put(text, strlen(text), O_APPEND);
}

static struct chain_proof prove(void)
{
	struct chain_proof p;
	HISTORY_AUTO *h = history_file_open(file);
	struct err e = { 0 };

	ck_assert_msg(history_prove(h, "shop", NULL, &p, &e) == 0, "%s", e.msg);
	return p;
}

static void expect_good(int64_t seq, size_t unchained, size_t aside, size_t loose)
{
	const struct chain_proof p = prove();

	ck_assert_msg(p.bad == 0, "line %zu: %s", p.bad, p.why);
	ck_assert_int_eq(p.head.seq, seq);
	ck_assert_uint_eq(p.unchained, unchained);
	ck_assert_uint_eq(p.aside, aside);
	ck_assert_uint_eq(p.loose, loose);
}

/* The file's lines, with their newlines; the last is an empty one. */
struct lines {
	struct buf all;
	const char *at[LINES + 8];
	size_t n;
};

static void read_lines(struct lines *l)
{
	struct err e = { 0 };

	*l = (struct lines){ .all = BUF_INIT(FILE_MAX) };
	ck_assert_int_eq(io_slurp(file, &l->all, &e), 0);
	for (const char *p = l->all.s; *p; p = strchr(p, '\n') + 1)
		l->at[l->n++] = p;
	l->at[l->n] = l->all.s + l->all.len;
}

static size_t length(const struct lines *l, size_t i)
{
	return (size_t)(l->at[i + 1] - l->at[i]);
}

/* What may be done to line i. Each writes the file anew. */
static void removed(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i] - l->all.s));
	buf_adds(out, l->at[i + 1]);
}

static void swapped(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i] - l->all.s));
	buf_add(out, l->at[i + 1], length(l, i + 1));
	buf_add(out, l->at[i], length(l, i));
	buf_adds(out, l->at[i + 2]);
}

static void doubled(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i + 1] - l->all.s));
	buf_adds(out, l->at[i]);
}

static void emptied(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i] - l->all.s));
	buf_addf(out, "\n%s", l->at[i + 1]);
}

static void made_garbage(const struct lines *l, size_t i, struct buf *out)
{
	buf_adds(out, l->all.s);
	out->s[l->at[i] - l->all.s] = '!';
}

static void figure_changed(const struct lines *l, size_t i, struct buf *out)
{
	char *n;

	buf_adds(out, l->all.s);
	n = strstr(out->s + (l->at[i] - l->all.s), "\"n\":");
	n[4] = (char)(n[4] == '9' ? '8' : n[4] + 1);
}

static void blank_added(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i] - l->all.s) + 1);
	buf_addf(out, " %s", l->at[i] + 1);
}

static void stranger_added(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i + 1] - l->all.s));
	buf_addf(out, "{\"record\":\"run\",\"label\":\"shop\",\"n\":1}\n%s", l->at[i + 1]);
}

static void garbage_added(const struct lines *l, size_t i, struct buf *out)
{
	buf_add(out, l->all.s, (size_t)(l->at[i + 1] - l->all.s));
	buf_addf(out, "garbage\n%s", l->at[i + 1]);
}

static const struct tampering {
	void (*with)(const struct lines *l, size_t i, struct buf *out);
	size_t names; /* the line that must be named, from i, counted from 1 */
} kinds[] = {
	{ removed, 1 },     { swapped, 1 },        { doubled, 2 },
	{ emptied, 1 },     { made_garbage, 1 },   { figure_changed, 1 },
	{ blank_added, 1 }, { stranger_added, 2 }, { garbage_added, 2 },
};

START_TEST(every_tampering_with_any_line_is_named)
{
	const struct tampering *kind = &kinds[_i];
	struct lines l;

	for (int i = 0; i < LINES; i++)
		ck_assert_int_eq(append(i), 0);
	expect_good(LINES, 0, 0, 0);
	read_lines(&l);
	/* At the very end only an anchor or a signature can tell. */
	for (size_t i = 0; i + 1 < LINES; i++) {
		BUF_AUTO changed = BUF_INIT(FILE_MAX);
		struct chain_proof p;

		kind->with(&l, i, &changed);
		ck_assert(!changed.full);
		put(changed.s, changed.len, O_TRUNC);
		p = prove();
		ck_assert_msg(p.bad == i + kind->names, "line %zu: named %zu: %s", i + 1, p.bad,
			      p.why);
		put(l.all.s, l.all.len, O_TRUNC);
		expect_good(LINES, 0, 0, 0);
	}
	buf_free(&l.all);
}
END_TEST

START_TEST(lines_of_a_time_before_the_chain_are_covered)
{
	static const char old[] = "{\"record\":\"run\",\"label\":\"shop\",\"n\":1}\n"
				  "torn {\n"
				  "{\"record\":\"run\",\"label\":\"shop\",\"n\":2}";
	struct lines l;

	add(old);
	ck_assert_int_eq(append(3), 0);
	ck_assert_int_eq(append(4), 0);
	expect_good(2, 3, 0, 0);
	read_lines(&l);
	for (size_t i = 0; i < 3; i++) {
		BUF_AUTO changed = BUF_INIT(FILE_MAX);

		removed(&l, i, &changed);
		put(changed.s, changed.len, O_TRUNC);
		ck_assert_uint_ne(prove().bad, 0);
	}
	buf_free(&l.all);
}
END_TEST

START_TEST(what_a_crash_left_is_vouched_for)
{
	ck_assert_int_eq(append(1), 0);
	add("{\"record\":\"run\",\"label\":\"shop\",\"n\":2,\"che");
	expect_good(1, 0, 0, 1);
	ck_assert_int_eq(append(3), 0);
	expect_good(2, 0, 1, 0);
	add("{");
	ck_assert_int_eq(append(4), 0);
	expect_good(3, 0, 2, 0);
}
END_TEST

/* A writer that is killed at its n-th system call: before it, or after it. */
static int killed_writer(int calls, int line)
{
	const pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
			_exit(3);
		_exit(append(line) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSTOPPED(status));
	for (int i = 0; i < calls; i++) {
		ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
	}
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return -1;
}

/* Stops twice at each call, so every gap between two calls is met. A line that the writer reported
 * is there for ever; what it did not may be there or not. */
START_TEST(a_kill_at_any_system_call_loses_nothing)
{
	int calls = 0, acknowledged = 0, ended;

	do {
		struct chain_proof p;

		calls++;
		ended = killed_writer(calls, calls);
		if (access(file, F_OK) == 0) {
			p = prove();
			ck_assert_msg(p.bad == 0 && p.loose == 0, "%d: %s", calls, p.why);
		}
		ck_assert_int_eq(append(0), 0);
		acknowledged++;
		p = prove();
		ck_assert_uint_eq(p.bad, 0);
		ck_assert_int_ge(p.head.seq, acknowledged);
	} while (ended < 0);
	ck_assert_int_eq(ended, 0);
	ck_assert_int_gt(calls, 20);
}
END_TEST

/* What a power loss may leave: any beginning of the line that was being written. */
START_TEST(a_line_cut_off_anywhere_stops_nothing)
{
	struct lines l;

	ck_assert_int_eq(append(1), 0);
	ck_assert_int_eq(append(2), 0);
	read_lines(&l);
	for (size_t cut = length(&l, 1) - 1; cut >= 3; cut -= 3) {
		const bool whole = cut + 1 >= length(&l, 1);

		put(l.all.s, length(&l, 0) + cut, O_TRUNC);
		ck_assert_int_eq(append(3), 0);
		ck_assert_int_eq(append(4), 0);
		expect_good(whole ? 4 : 3, 0, whole ? 0 : 1, 0);
	}
	buf_free(&l.all);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("chain");
	TCase *c = tcase_create("chain");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_loop_test(c, every_tampering_with_any_line_is_named, 0,
			    (int)(sizeof(kinds) / sizeof(kinds[0])));
	tcase_add_test(c, lines_of_a_time_before_the_chain_are_covered);
	tcase_add_test(c, what_a_crash_left_is_vouched_for);
	tcase_add_test(c, a_kill_at_any_system_call_loses_nothing);
	tcase_add_test(c, a_line_cut_off_anywhere_stops_nothing);
	suite_add_tcase(s, c);
	return suite_run(s);
}
