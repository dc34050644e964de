#ifndef TESTS_UNIT_HISTFILE_H
#define TESTS_UNIT_HISTFILE_H
/*
 * histfile: a history in a file of a test's own, and what is to be in it. set_up() and tear_down()
 * are the fixture.
 */
#include "lib/base/buf.h"
#include "lib/base/history.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[128];

static inline void set_up(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test-history.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/h.jsonl", dir);
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void tear_down(void)
{
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline json_t *run_of(const char *label, int n)
{
	return json_pack("{ss ss si}", "record", "run", "label", label, "n", n);
}

static inline int append_run(const char *path, const char *label, const json_t *run, struct err *e)
{
	HISTORY_AUTO *h = history_file_open(path);

	return history_append(h, label, run, NULL, e);
}

static inline int append(const char *path, const char *label, int n, struct err *e)
{
	json_t *run = run_of(label, n);
	const int r = append_run(path, label, run, e);

	json_decref(run);
	return r;
}

static inline void append_ok(const char *path, const char *label, int n)
{
	struct err e = { 0 };

	ck_assert_msg(append(path, label, n, &e) == 0, "%s", e.msg);
}

static inline void put(const char *text, size_t len)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

static inline void puts_into_file(const char *text)
{
	put(text, strlen(text));
}

static inline json_t *load(const char *path, const char *label, size_t most, unsigned *skipped,
			   struct err *e)
{
	HISTORY_AUTO *h = history_file_open(path);

	return history_load(h, label, most, skipped, e);
}

/* The runs' numbers, as "1 2 3", and how many lines could not be read. */
static inline void expect(const char *path, const char *label, size_t most, const char *numbers,
			  unsigned bad)
{
	struct err e = { 0 };
	unsigned skipped = 99;
	json_t *runs = load(path, label, most, &skipped, &e), *run;
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

static inline void prove(struct chain_proof *p)
{
	struct err e = { 0 };

	HISTORY_AUTO *h = history_file_open(file);

	ck_assert_msg(history_prove(h, "shop", NULL, p, &e) == 0, "%s", e.msg);
}

static inline void expect_chain(int64_t seq, size_t unchained, size_t aside)
{
	struct chain_proof p;

	prove(&p);
	ck_assert_msg(p.bad == 0, "line %zu: %s", p.bad, p.why);
	ck_assert_int_eq(p.head.seq, seq);
	ck_assert_uint_eq(p.unchained, unchained);
	ck_assert_uint_eq(p.aside, aside);
	ck_assert_uint_eq(p.loose, 0);
}
#endif
