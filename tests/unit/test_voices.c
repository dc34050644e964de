#include "lib/base/voices.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "a: line" for each line, where a is the first who spoke, b the second ... */
struct heard {
	pid_t who[4];
	size_t n;
	struct buf text;
	size_t longest;
};

static void hear(void *ctx, pid_t who, const char *line)
{
	struct heard *h = ctx;
	size_t i = 0, n = strlen(line);

	while (i < h->n && h->who[i] != who)
		i++;
	ck_assert_uint_lt(i, 4);
	if (i == h->n)
		h->who[h->n++] = who;
	h->longest = n > h->longest ? n : h->longest;
	buf_addf(&h->text, "%c: %.60s\n", 'a' + (int)i, line);
}

static void listen_to(const char *script, struct heard *h)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(script), NULL };
	int fd[3] = { -1, -1, -1 }, ear = -1, status = -1;
	struct proc run = { .argv = argv, .fd = fd };
	struct err e = { 0 };
	pid_t pid;

	*h = (struct heard){ .text = BUF_INIT(4000) };
	ck_assert_msg(voices_open(&ear, &fd[2], &e) == 0, "%s", e.msg);
	pid = proc_spawn(&run, &e);
	ck_assert_msg(pid > 0, "%s", e.msg);
	io_close(&fd[2]);
	ck_assert_msg(voices_read(ear, hear, h, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(proc_wait(pid, &status, &e), 0);
	ck_assert_int_eq(status, 0);
	io_close(&ear);
	free(argv[2]);
}

static const struct {
	const char *script, *heard;
} SAID[] = {
	{ ":", "" },
	{ "echo one >&2; echo two >&2", "a: one\na: two\n" },
	{ "printf 'one\\n\\nthree' >&2", "a: one\na: \na: three\n" },
	/* Another process's line between the pieces of ours. */
	{ "exec >&2; printf 'pg_restore: '; (printf 'err'; printf 'or: damaged\\n'); echo finished",
	  "a: error: damaged\nb: pg_restore: finished\n" },
	{ "exec >&2; printf one; (printf two); (printf three); echo",
	  "a: one\nb: two\nc: three\n" },
};

START_TEST(each_writer_is_heard_by_itself)
{
	struct heard h;

	listen_to(SAID[_i].script, &h);
	ck_assert_str_eq(h.text.s, SAID[_i].heard);
	for (size_t i = 0; i < h.n; i++)
		ck_assert_int_gt(h.who[i], 0);
	buf_free(&h.text);
}
END_TEST

/* The beginning of a line is kept, and the next one is whole. */
START_TEST(endless_line)
{
	struct heard h;

	listen_to("exec >&2; head -c 300000 /dev/zero | tr '\\0' x; echo; echo next", &h);
	ck_assert_uint_eq(h.longest, VOICES_LINE_MAX);
	ck_assert_ptr_nonnull(strstr(h.text.s, ": next\n"));
	buf_free(&h.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("voices");
	TCase *t = tcase_create("voices");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, each_writer_is_heard_by_itself, 0,
			    (int)(sizeof(SAID) / sizeof(SAID[0])));
	tcase_add_test(t, endless_line);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
