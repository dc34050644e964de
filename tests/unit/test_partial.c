/* What is taken over from a run that died, and what never is. */
#include "lib/base/buf.h"
#include "lib/storage/partial.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/test-partial.XXXXXX";
static struct buf seen = BUF_INIT(256);

static void has(void *ctx, uint64_t file, uint64_t range)
{
	(void)ctx;
	buf_addf(&seen, "%d:%d ", (int)file, (int)range);
}

static const char *open_as(struct partial *p, const char *identity)
{
	struct err e = { 0 };

	buf_reset(&seen);
	ck_assert_msg(partial_open(p, dir, "x", identity, has, NULL, &e) == 0, "%s", e.msg);
	return seen.s;
}

static void put(const struct partial *p, const char *text)
{
	char path[PATH_MAX + 16];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/journal", p->path);
	f = fopen(path, "ae");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(taken_over)
{
	struct partial p;
	struct err e;

	ck_assert_str_eq(open_as(&p, "id"), "");
	ck_assert_int_eq(partial_note(&p, 0, 3), 0);
	ck_assert_int_eq(partial_note(&p, 12, 1), 0);
	/* A line that was cut off, and rubbish. */
	put(&p, "x\n1 2 3\n-1 2\n7 7");
	partial_leave(&p);
	ck_assert_str_eq(open_as(&p, "id"), "0:3 12:1 ");
	partial_leave(&p);
	/* Another version, and then the first again: it is gone. */
	ck_assert_str_eq(open_as(&p, "other"), "");
	partial_leave(&p);
	ck_assert_str_eq(open_as(&p, "id"), "");
	ck_assert_int_eq(partial_note(&p, 0, 3), 0);
	partial_leave(&p);
	/* What has got its name, or is about to. */
	ck_assert_str_eq(open_as(&p, "id"), "0:3 ");
	ck_assert_int_eq(partial_finish(&p), 0);
	partial_leave(&p);
	ck_assert_str_eq(open_as(&p, "id"), "");
	partial_leave(&p);
	/* What nothing identifies is never the same. */
	ck_assert_str_eq(open_as(&p, ""), "");
	ck_assert_int_eq(partial_note(&p, 0, 3), 0);
	partial_leave(&p);
	ck_assert_str_eq(open_as(&p, ""), "");
	ck_assert_int_eq(partial_remove(&p, &e), 0);
}
END_TEST

START_TEST(busy)
{
	struct partial p, q;
	char path[PATH_MAX];

	(void)open_as(&p, "id");
	(void)open_as(&q, "id");
	ck_assert_str_ne(p.path, q.path);
	/* Neither is reaped while its owner lives. */
	partial_reap(dir, "other");
	ck_assert_int_eq(access(p.path, F_OK), 0);
	ck_assert_int_eq(access(q.path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s", q.path);
	partial_leave(&q);
	partial_reap(dir, "x");
	ck_assert_int_ne(access(path, F_OK), 0);
	(void)snprintf(path, sizeof(path), "%s", p.path);
	partial_leave(&p);
	partial_reap(dir, "x");
	ck_assert_int_eq(access(path, F_OK), 0);
	partial_reap(dir, "other");
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

/* A directory that others may write to could hold anything. */
START_TEST(not_trusted)
{
	struct partial p;
	struct err e;
	char path[PATH_MAX];

	(void)open_as(&p, "id");
	ck_assert_int_eq(partial_note(&p, 0, 3), 0);
	(void)snprintf(path, sizeof(path), "%s", p.path);
	partial_leave(&p);
	ck_assert_int_eq(chmod(path, 0770), 0);
	ck_assert_str_eq(open_as(&p, "id"), "");
	ck_assert_str_ne(p.path, path);
	ck_assert_int_eq(partial_remove(&p, &e), 0);
	ck_assert_int_eq(chmod(path, 0700), 0);
	partial_reap(dir, "other");
	/* Nor is a directory of that name ours that has no journal of ours. */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	partial_reap(dir, "other");
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("partial");
	TCase *c = tcase_create("partial");
	int status;

	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	tcase_add_test(c, taken_over);
	tcase_add_test(c, busy);
	tcase_add_test(c, not_trusted);
	suite_add_tcase(s, c);
	status = suite_run(s);
	buf_free(&seen);
	return rmdir(dir) == 0 ? status : EXIT_FAILURE;
}
