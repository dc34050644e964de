/* Objects become backups: over a storage that is a table. */
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/catalog.h"
#include "lib/storage/driver.h"
#include "tests/unit/suite.h"

#include <string.h>

enum { OBJECTS_MAX = 8 };

/* What the storage holds: "name@modified", 10 bytes each. */
static const char *const *table;
static bool fails;

static int list(struct storage *s,
		int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		struct err *e)
{
	(void)s;
	for (size_t i = 0; i < OBJECTS_MAX && table[i]; i++) {
		const char *at = strchr(table[i], '@');
		AUTO_FREE char *name = xstrndup(table[i], (size_t)(at - table[i]));
		struct storage_object o = { name, 10, -1, "\"e\"", NULL };

		ck_assert(utc_parse(at + 1, &o.modified_ms));
		if (each(&o, ctx, e) < 0)
			return -1;
	}
	return fails ? err_set(e, ERR_REMOTE, "cut off") : 0;
}

static const struct storage_driver driver = { .form = "table", .list = list };
static char shown[] = "table://", base_name[] = "shop-20260213.dir";

static const struct {
	const char *objects[OBJECTS_MAX];
	bool is_object;
	const char *backups; /* "name:bytes:files " oldest first */
	const char *none;    /* what is said where there are none */
	const char *doubtful;
} cases[] = {
	{ { NULL }, false, "", "no backup in table://: nothing is there", NULL },
	{ { "b@2026-02-17T00:00:00Z", "a@2026-02-18T00:00:00Z" },
	  false,
	  "b:10:0 a:10:0 ",
	  NULL,
	  NULL },
	{ { "x.tmp@2026-02-17T00:00:00Z", "x.md5@2026-02-17T00:00:00Z",
	    "x.txt@2026-02-17T00:00:00Z", "d/1.dat@2026-02-17T00:00:00Z",
	    "x.no@2026-02-17T00:00:00Z" },
	  false,
	  "",
	  "no backup in table://: of 5 files, 1 were not asked for by --match and --exclude, 1 "
	  "have "
	  "names of unfinished files, 2 are sidecars or texts, 1 are parts of a dump without its "
	  "toc.dat, or WAL",
	  NULL },
	/* A directory-format dump, whatever order its files come in, between its neighbours */
	{ { "d-x@2026-02-16T00:00:00Z", "d/toc.dat@2026-02-15T00:00:00Z",
	    "d.x@2026-02-14T00:00:00Z", "d/3001.dat@2026-02-17T00:00:00Z",
	    "d/x.tmp@2026-02-15T00:00:00Z" },
	  false,
	  "d.x:10:0 d-x:10:0 d:20:2 ",
	  NULL,
	  NULL },
	/* Nested ones belong to the outermost */
	{ { "b/PG_VERSION@2026-02-17T00:00:00Z", "b/global/pg_control@2026-02-17T00:00:00Z",
	    "b/base/1/toc.dat@2026-02-17T00:00:00Z", "c/base.tar.gz@2026-02-18T00:00:00Z",
	    "c/pg_wal.tar.gz@2026-02-18T00:00:00Z" },
	  false,
	  "b:30:3 c:20:2 ",
	  NULL,
	  NULL },
	/* The source itself */
	{ { "toc.dat@2026-02-13T05:00:00Z", "3001.dat@2026-02-13T05:00:00Z" },
	  false,
	  "shop-20260213.dir:20:2 ",
	  NULL,
	  NULL },
	/* A directory still being copied is none */
	{ { "d.tmp/toc.dat@2026-02-17T00:00:00Z", "d.no/toc.dat@2026-02-17T00:00:00Z" },
	  false,
	  "",
	  "no backup in table://: of 2 files, 1 were not asked for by --match and --exclude, 1 "
	  "have "
	  "names of unfinished files",
	  NULL },
	/* One named object is a backup, whatever it is called */
	{ { "x.tmp@2026-02-13T05:00:00Z" }, true, "shop-20260213.dir:10:0 ", NULL, NULL },
	/* Names and times at odds: the newest by name, else the last one modified */
	{ { "s-20260217@2026-02-17T00:00:00Z", "s-20260210@2026-02-20T00:00:00Z" },
	  false,
	  "s-20260210:10:0 s-20260217:10:0 ",
	  NULL,
	  "s-20260210" },
	{ { "s-20260217@2026-02-10T00:00:00Z", "s-20260210@2026-02-10T00:00:00Z" },
	  false,
	  "s-20260210:10:0 s-20260217:10:0 ",
	  NULL,
	  "s-20260217" },
};

static void load(struct catalog *c, struct storage *s, int i)
{
	STRV_AUTO match = { 0 };
	STRV_AUTO exclude = { 0 };
	struct err e = { 0 };

	strv_add(&exclude, "*.no");
	table = cases[i].objects;
	*s = (struct storage){ .driver = &driver,
			       .shown = shown,
			       .base_name = base_name,
			       .is_object = cases[i].is_object };
	ck_assert_int_eq(
		catalog_load(c, s, &(struct catalog_filter){ .match = &match, .exclude = &exclude },
			     &e),
		0);
}

static int print(void *ctx, struct backup *b, struct err *e)
{
	(void)e;
	buf_addf(ctx, "%s:%lld:%lld ", b->name, (long long)b->bytes, (long long)b->files);
	return 0;
}

START_TEST(backups)
{
	BUF_AUTO got = BUF_INIT(1024);
	BUF_AUTO none = BUF_INIT(1024);
	CATALOG_AUTO c = { 0 };
	const struct backup *doubtful;
	struct err e = { 0 };
	struct storage s;

	load(&c, &s, _i);
	ck_assert_int_eq(catalog_each(&c, print, &got, &e), 0);
	ck_assert_str_eq(got.s, cases[_i].backups);
	ck_assert_int_eq(c.newest != NULL, c.n > 0);
	if (cases[_i].none) {
		catalog_explain_none(&c, &s, &none);
		ck_assert_str_eq(none.s, cases[_i].none);
	}
	doubtful = catalog_doubtful(&c);
	ck_assert_int_eq(doubtful != NULL, cases[_i].doubtful != NULL);
	if (doubtful)
		ck_assert_str_eq(doubtful->name, cases[_i].doubtful);
}
END_TEST

static void expect_members(int i, const char *expected)
{
	BUF_AUTO got = BUF_INIT(1024);
	CATALOG_AUTO c = { 0 };
	struct members m;
	struct err e = { 0 };
	struct storage s;

	load(&c, &s, i);
	ck_assert_int_eq(catalog_members(&c, c.newest, &m, &e), 0);
	for (size_t k = 0; k < m.n; k++)
		buf_addf(&got, "%s ", m.v[k].name + m.skip);
	ck_assert_str_eq(got.s, expected);
	members_free(&m);
}

START_TEST(members)
{
	expect_members(3, "3001.dat toc.dat ");
	expect_members(5, "3001.dat toc.dat ");
}
END_TEST

START_TEST(presence)
{
	STRV_AUTO names = { 0 };
	CATALOG_AUTO c = { 0 };
	struct err e = { 0 };
	struct storage s;
	bool there[2];

	load(&c, &s, 2);
	strv_add(&names, "x.md5");
	strv_add(&names, "x.sha256");
	ck_assert_int_eq(catalog_present(&c, &names, there, &e), 0);
	ck_assert(there[0] && !there[1]);
}
END_TEST

START_TEST(one_is_kept)
{
	BUF_AUTO got = BUF_INIT(1024);
	CATALOG_AUTO c = { 0 };
	struct err e = { 0 };
	struct storage s;

	load(&c, &s, 3);
	ck_assert_int_eq(catalog_keep(&c, "nothing", &e), 0);
	ck_assert_uint_eq(c.n, 3);
	ck_assert_int_eq(catalog_keep(&c, "d-x", &e), 1);
	ck_assert_int_eq(catalog_each(&c, print, &got, &e), 0);
	ck_assert_str_eq(got.s, "d-x:10:0 ");
	ck_assert_str_eq(c.newest->name, "d-x");
	ck_assert_uint_eq(c.n, 1);
}
END_TEST

START_TEST(a_listing_that_fails_is_none)
{
	STRV_AUTO none = { 0 };
	CATALOG_AUTO c = { 0 };
	struct storage s = { .driver = &driver, .shown = shown, .base_name = base_name };
	struct err e = { 0 };

	table = cases[1].objects;
	fails = true;
	ck_assert_int_eq(catalog_load(&c, &s,
				      &(struct catalog_filter){ .match = &none, .exclude = &none },
				      &e),
			 -1);
	fails = false;
	ck_assert_str_eq(e.msg, "cut off");
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("catalog");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, backups, 0, CASES(cases));
	tcase_add_test(t, members);
	tcase_add_test(t, presence);
	tcase_add_test(t, one_is_kept);
	tcase_add_test(t, a_listing_that_fails_is_none);
	suite_add_tcase(s, t);
	return suite_run(s);
}
