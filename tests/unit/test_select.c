#include "lib/base/utc.h"
#include "lib/storage/select.h"
#include "tests/unit/suite.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum select_class is;
} names[] = {
	{ "shop.dump", SELECT_BACKUP },
	{ "shop-20260217.sql.gz", SELECT_BACKUP },
	{ "a/b/shop.tar.zst", SELECT_BACKUP },
	{ "shop", SELECT_BACKUP },
	{ "x.tmp/shop.dump", SELECT_BACKUP },
	{ "tmp", SELECT_BACKUP },
	{ "20260217", SELECT_BACKUP },
	{ "3001.data", SELECT_BACKUP },
	{ "x3001.dat", SELECT_BACKUP },
	{ ".dat", SELECT_IN_PROGRESS },
	{ "shop.dump.tmp", SELECT_IN_PROGRESS },
	{ "shop.dump.PART", SELECT_IN_PROGRESS },
	{ "shop.dump.partial", SELECT_IN_PROGRESS },
	{ "shop.dump.incomplete", SELECT_IN_PROGRESS },
	{ "shop.dump~", SELECT_IN_PROGRESS },
	{ ".shop.dump", SELECT_IN_PROGRESS },
	{ "d/.shop.dump.Xy12", SELECT_IN_PROGRESS },
	{ "shop.dump.sha256", SELECT_SIDECAR },
	{ "shop.dump.SHA256SUM", SELECT_SIDECAR },
	{ "SHA256SUMS", SELECT_SIDECAR },
	{ "shop.dump.md5", SELECT_SIDECAR },
	{ "shop.dump.counts.json", SELECT_SIDECAR },
	{ "shop.dump.asc", SELECT_SIDECAR },
	{ "shop.dump.sig", SELECT_SIDECAR },
	{ "backup.log", SELECT_SIDECAR },
	{ "README", SELECT_SIDECAR },
	{ "notes.txt", SELECT_SIDECAR },
	{ "backup_manifest", SELECT_SIDECAR },
	{ "3001.dat", SELECT_PART },
	{ "3001.dat.gz", SELECT_PART },
	{ "blob_16500.dat.zst", SELECT_PART },
	{ "blobs.toc", SELECT_PART },
	{ "blobs_3001.toc", SELECT_PART },
	{ "000000010000000A000000FE", SELECT_PART },
	{ "000000010000000A000000FE.gz", SELECT_PART },
	{ "000000010000000A000000FE.partial", SELECT_PART },
	{ "000000010000000A000000FE.00000028.backup", SELECT_PART },
	{ "00000002.history", SELECT_PART },
	{ "000000010000000A000000FE-shop.dump", SELECT_BACKUP },
	{ "000000010000000A000000F.dump", SELECT_BACKUP },
};

START_TEST(classify)
{
	ck_assert_msg(select_classify(names[_i].name) == names[_i].is, "%s", names[_i].name);
}
END_TEST

static const struct {
	const char *name;
	int64_t directory;
} marked[] = {
	{ "toc.dat", 0 },
	{ "d/toc.dat", 1 },
	{ "a/bc/toc.dat.gz", 4 },
	{ "xtoc.dat", -1 },
	{ "d/xtoc.dat", -1 },
	{ "d/toc.dat/x", -1 },
	{ "global/pg_control", 0 },
	{ "b/global/pg_control", 1 },
	{ "pg_control", -1 },
	{ "base.tar", 0 },
	{ "b/base.tar.zst", 1 },
	{ "database.tar", -1 },
	{ "", -1 },
};

START_TEST(markers)
{
	ck_assert_int_eq(select_marked(marked[_i].name), marked[_i].directory);
}
END_TEST

static const struct {
	const char *name, *match, *exclude;
	bool wanted;
} globs[] = {
	{ "shop.dump", NULL, NULL, true },           { "shop.dump", "*.dump", NULL, true },
	{ "d/shop.dump", "shop.*", NULL, true },     { "d/shop.dump", "d/*", NULL, true },
	{ "a/b/shop.dump", "a/*.dump", NULL, true }, { "shop.dump", "*.sql", NULL, false },
	{ "shop.dump", "*.dump", "shop*", false },   { "shop.dump", NULL, "*.sql", true },
	{ "shop.dump", NULL, "*", false },
};

START_TEST(wanted)
{
	STRV_AUTO match = { 0 };
	STRV_AUTO exclude = { 0 };

	if (globs[_i].match)
		strv_add(&match, globs[_i].match);
	if (globs[_i].exclude)
		strv_add(&exclude, globs[_i].exclude);
	ck_assert_int_eq(select_wanted(globs[_i].name, &match, &exclude), globs[_i].wanted);
}
END_TEST

START_TEST(any_of_several)
{
	STRV_AUTO match = { 0 };
	STRV_AUTO exclude = { 0 };

	strv_add(&match, "*.sql");
	strv_add(&match, "*.dump");
	ck_assert(select_wanted("x.dump", &match, &exclude));
	ck_assert(!select_wanted("x.tar", &match, &exclude));
}
END_TEST

/* NULL is "not known". */
static const struct {
	const char *name, *modified, *order, *taken;
	bool disagrees;
} dates[] = {
	/* No time in the name */
	{ "shop.dump", "2026-02-17T02:00:00Z", "2026-02-17T02:00:00Z", NULL, false },
	{ "shop.dump", NULL, NULL, NULL, false },
	/* A time of day: when the dump began */
	{ "s-20260217_015842.dump", "2026-02-17T02:10:00Z", "2026-02-17T01:58:42Z",
	  "2026-02-17T01:58:42Z", false },
	{ "s-20260217_015842.dump", NULL, "2026-02-17T01:58:42Z", "2026-02-17T01:58:42Z", false },
	/* In local time, ahead of UTC: never younger than its modification */
	{ "s-20260217_003000.dump", "2026-02-16T22:40:00Z", "2026-02-17T00:30:00Z",
	  "2026-02-16T22:40:00Z", false },
	/* Copied within the day, later */
	{ "s-20260217_015842.dump", "2026-02-18T01:58:42Z", "2026-02-17T01:58:42Z",
	  "2026-02-17T01:58:42Z", false },
	{ "s-20260217_015842.dump", "2026-02-18T01:58:43Z", "2026-02-17T01:58:42Z",
	  "2026-02-17T01:58:42Z", true },
	{ "s-20260217_015842.dump", "2026-02-10T00:00:00Z", "2026-02-17T01:58:42Z",
	  "2026-02-17T01:58:42Z", true },
	/* A date alone, modified on that day in UTC, or in some time zone */
	{ "s-20260217.dump", "2026-02-17T23:59:59Z", "2026-02-17T00:00:00Z", NULL, false },
	{ "s-20260217.dump", "2026-02-16T10:00:00Z", "2026-02-17T00:00:00Z", NULL, false },
	{ "s-20260217.dump", "2026-02-18T14:00:00Z", "2026-02-17T00:00:00Z", NULL, false },
	/* Beyond any zone, though within a day */
	{ "s-20260217.dump", "2026-02-18T14:00:01Z", "2026-02-17T00:00:00Z", "2026-02-17T00:00:00Z",
	  false },
	{ "s-20260217.dump", "2026-02-19T00:00:00Z", "2026-02-17T00:00:00Z", "2026-02-17T00:00:00Z",
	  false },
	{ "s-20260217.dump", "2026-02-19T00:00:01Z", "2026-02-17T00:00:00Z", "2026-02-17T00:00:00Z",
	  true },
	{ "s-20260217.dump", NULL, "2026-02-17T00:00:00Z", "2026-02-17T00:00:00Z", false },
};

static int64_t moment(const char *s)
{
	int64_t ms = -1;

	if (s)
		ck_assert(utc_parse(s, &ms));
	return ms;
}

START_TEST(date)
{
	struct backup b = { .modified_ms = moment(dates[_i].modified) };

	b.name = strdup(dates[_i].name);
	select_date(&b);
	ck_assert_int_eq(b.order_ms, moment(dates[_i].order));
	ck_assert_int_eq(b.taken_ms, moment(dates[_i].taken));
	ck_assert_int_eq(select_disagrees(&b), dates[_i].disagrees);
	select_free(&b);
}
END_TEST

START_TEST(order)
{
	char a[] = "a", b[] = "b";
	struct backup v[] = {
		{ .name = b, .order_ms = 5, .modified_ms = 5 },
		{ .name = a, .order_ms = 5, .modified_ms = 5 },
		{ .name = a, .order_ms = 5, .modified_ms = 4 },
		{ .name = a, .order_ms = 4, .modified_ms = 9 },
		{ .name = a, .order_ms = -1, .modified_ms = -1 },
	};

	qsort(v, 5, sizeof(v[0]), select_compare);
	ck_assert_int_eq(v[0].order_ms, -1);
	ck_assert_int_eq(v[1].order_ms, 4);
	ck_assert_int_eq(v[2].modified_ms, 4);
	ck_assert_ptr_eq(v[3].name, a);
	ck_assert_ptr_eq(v[4].name, b);
}
END_TEST

static const struct {
	const char *name;
	bool is;
} pointers[] = {
	{ "latest", true },
	{ "LATEST.txt", true },
	{ "a/b/shop-latest.dump", true },
	{ "current.sql.gz", true },
	{ "shop_newest", true },
	{ "LATEST_BACKUP", true },
	{ "latest-20260217.dump", false },
	{ "translatest", false },
	{ "latest/x.dump", false },
	{ "shop.dump", false },
	{ "", false },
};

START_TEST(pointer)
{
	ck_assert_int_eq(select_pointer(pointers[_i].name), pointers[_i].is);
}
END_TEST

static const struct {
	enum select_tree tree;
	const char *path;
	bool belongs;
} belongings[] = {
	{ SELECT_DUMP, "toc.dat", true },         { SELECT_DUMP, "toc.dat.gz", true },
	{ SELECT_DUMP, "3001.dat.zst", true },    { SELECT_DUMP, "blobs_7.toc", true },
	{ SELECT_DUMP, "shop.dump", false },      { SELECT_DUMP, "sub/3001.dat", false },
	{ SELECT_DUMP, "toc.dat.tmp", false },    { SELECT_TARS, "base.tar.gz", true },
	{ SELECT_TARS, "pg_wal.tar", true },      { SELECT_TARS, "16384.tar.lz4", true },
	{ SELECT_TARS, "backup_manifest", true }, { SELECT_TARS, "other.tar", false },
	{ SELECT_TARS, "x/base.tar", false },     { SELECT_TARS, ".tar", false },
	{ SELECT_CLUSTER, "base/1/1259", true },
};

START_TEST(member)
{
	ck_assert_int_eq(select_member(belongings[_i].tree, belongings[_i].path),
			 belongings[_i].belongs);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("select");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, classify, 0, CASES(names));
	tcase_add_loop_test(t, markers, 0, CASES(marked));
	tcase_add_loop_test(t, wanted, 0, CASES(globs));
	tcase_add_test(t, any_of_several);
	tcase_add_loop_test(t, date, 0, CASES(dates));
	tcase_add_test(t, order);
	tcase_add_loop_test(t, pointer, 0, CASES(pointers));
	tcase_add_loop_test(t, member, 0, CASES(belongings));
	suite_add_tcase(s, t);
	return suite_run(s);
}
