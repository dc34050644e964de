/* What a source with a prefix means, pages that lead nowhere, and that memory does not grow. */
#include "lib/base/buf.h"
#include "lib/storage/driver.h"
#include "lib/storage/keyspace.h"
#include "tests/unit/suite.h"

#include <malloc.h>
#include <string.h>

/* A store of these keys, in pages of two. */
static const char *const store[] = {
	"pg-other", "pg/", "pg/a", "pg/b/c", "pg/b/d", "pg/bee", "x", "x.sha256", NULL,
};

static int get_page(void *server, const char *prefix, const char *token, keyspace_each *each,
		    void *each_ctx, struct buf *next, struct err *e)
{
	unsigned sent = 0;

	(void)server;
	for (size_t i = token[0] ? (size_t)(token[0] - '0') : 0; store[i]; i++) {
		const struct keyspace_entry entry = { store[i], "", 1, -1 };

		if (strncmp(store[i], prefix, strlen(prefix)) != 0)
			continue;
		if (sent++ == 2) {
			buf_addf(next, "%zu", i);
			return 0;
		}
		if (each(&entry, each_ctx, e) < 0)
			return -1;
	}
	return 0;
}

static int add_name(const struct storage_object *o, void *ctx, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s|", o->name);
	return 0;
}

static const struct {
	const char *prefix;
	const char *names;
	bool is_object;
	const char *base_name;
} cases[] = {
	{ "", "pg-other|pg/a|pg/b/c|pg/b/d|pg/bee|x|x.sha256|", false, "bucket" },
	{ "pg/", "a|b/c|b/d|bee|", false, "pg" },
	{ "pg", "a|b/c|b/d|bee|", false, "pg" },
	{ "pg/b", "c|d|", false, "b" },
	{ "pg/be", "bee|", false, "be" },
	{ "pg/a", "a|", true, "a" },
	{ "x", "x|", true, "x" },
	{ "x.", "x.sha256|", false, "x." },
	{ "pg/b/", "c|d|", false, "b" },
	{ "none", "", false, "none" },
};

START_TEST(prefixes)
{
	struct storage s = { .shown = (char[]){ "s3://bucket" } };
	struct keyspace k;
	BUF_AUTO names = BUF_INIT(1024);
	struct err e = { 0 };
	char *base;

	keyspace_init(&k, cases[_i].prefix);
	base = keyspace_base_name(&k, "bucket");
	ck_assert_str_eq(base, cases[_i].base_name);
	free(base);
	ck_assert_int_eq(keyspace_list(&k, &s, get_page, NULL, add_name, &names, &e), 0);
	ck_assert_str_eq(names.s, cases[_i].names);
	ck_assert_int_eq(s.is_object, cases[_i].is_object);
	keyspace_free(&k);
}
END_TEST

enum { SAME_TOKEN, SAME_KEY, NO_KEYS, FOREIGN, FAULTS };

/* Pages that would be asked for for ever. */
static int bad_page(void *server, const char *prefix, const char *token, keyspace_each *each,
		    void *each_ctx, struct buf *next, struct err *e)
{
	const int fault = *(const int *)server;
	const struct keyspace_entry entry = { fault == FOREIGN ? "other" : "pg/a", "", 1, -1 };

	(void)prefix;
	buf_addf(next, "%sx", fault == SAME_TOKEN ? "" : token);
	return fault == NO_KEYS ? 0 : each(&entry, each_ctx, e);
}

static const char *const complaints[FAULTS] = { "same page again", "same page again",
						"same page again", "not asked for" };

START_TEST(bad_pages)
{
	struct storage s = { .shown = (char[]){ "s3://bucket" } };
	struct keyspace k;
	BUF_AUTO names = BUF_INIT(1024);
	struct err e = { 0 };
	int fault = _i;

	keyspace_init(&k, "pg/");
	ck_assert_int_eq(keyspace_list(&k, &s, bad_page, &fault, add_name, &names, &e), -1);
	ck_assert_msg(strstr(e.msg, complaints[_i]) != NULL, "%s", e.msg);
	keyspace_free(&k);
}
END_TEST

enum { PAGES = 100, PAGE = 1000 };

struct count {
	unsigned keys;
	size_t after_first, after_last; /* bytes allocated */
};

static int many_page(void *server, const char *prefix, const char *token, keyspace_each *each,
		     void *each_ctx, struct buf *next, struct err *e)
{
	unsigned *page = server;
	char key[64];
	const struct keyspace_entry entry = { key, "\"e\"", 1, 1 };

	(void)prefix;
	(void)token;
	for (unsigned i = 0; i < PAGE; i++) {
		(void)snprintf(key, sizeof(key), "pg/%08u.dump", *page * PAGE + i);
		if (each(&entry, each_ctx, e) < 0)
			return -1;
	}
	if (++*page < PAGES)
		buf_addf(next, "%04u", *page);
	return 0;
}

static int count_key(const struct storage_object *o, void *ctx, struct err *e)
{
	struct count *c = ctx;

	(void)o;
	(void)e;
	c->keys++;
	if (c->keys == 2 * PAGE)
		c->after_first = mallinfo2().uordblks;
	else if (c->keys == PAGES * PAGE)
		c->after_last = mallinfo2().uordblks;
	return 0;
}

START_TEST(constant_memory)
{
	struct storage s = { .shown = (char[]){ "s3://bucket" } };
	struct keyspace k;
	struct count c = { 0 };
	unsigned page = 0;
	struct err e = { 0 };

	keyspace_init(&k, "pg/");
	ck_assert_int_eq(keyspace_list(&k, &s, many_page, &page, count_key, &c, &e), 0);
	ck_assert_uint_eq(c.keys, PAGES * PAGE);
	ck_assert_uint_eq(c.after_last, c.after_first);
	keyspace_free(&k);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keyspace");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, prefixes, 0, CASES(cases));
	tcase_add_loop_test(t, bad_pages, 0, FAULTS);
	tcase_add_test(t, constant_memory);
	suite_add_tcase(s, t);
	return suite_run(s);
}
