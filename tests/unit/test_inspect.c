/* What is counted in a dump: rows in pieces of any size, dumps of other versions and databases. */
#include "lib/base/buf.h"
#include "lib/dump/inspect.h"
#include "lib/dump/lines.h"
#include "lib/dump/sqlstmt.h"
#include "tests/unit/pgdmp.h"
#include "tests/unit/suite.h"

#include <lzma.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BIG = 1 << 20 };

/* ---- one table's rows -------------------------------------------------------------- */

static const char rows[] = "1\t2026-02-17 01:58:42.5+02\tx\n"
			   "2\t2026-02-16 23:59:00+00\t\\N\n"
			   "\n"
			   "3\t\\N\t\\.\n"
			   "4\tinfinity\ty\n";

static void copy(struct tally *t, const char *p, size_t n)
{
	tally_copy(t, p, n, lines_count(p, n));
}

START_TEST(pieces)
{
	struct rowhash want = { 0 };

	for (const char *p = rows, *nl; (nl = strchr(p, '\n')) != NULL; p = nl + 1)
		rowhash_add(&want, p, (size_t)(nl - p));
	for (size_t step = 1; step < sizeof(rows); step++) {
		struct tally t = { 0 };

		tally_begin(&t, 1, true);
		for (size_t at = 0; at < sizeof(rows) - 1; at += step)
			copy(&t, rows + at,
			     sizeof(rows) - 1 - at < step ? sizeof(rows) - 1 - at : step);
		ck_assert_uint_eq(t.rows, 5);
		ck_assert_uint_eq(t.bytes, sizeof(rows) - 1);
		ck_assert(rowhash_equal(&t.hash, &want));
		ck_assert(t.found);
		ck_assert_int_eq(t.newest_ms, 1771286340000);
		tally_free(&t);
	}
}
END_TEST

static const struct {
	const char *text;
	int64_t ms; /* -1: no moment */
} moments[] = {
	{ "2026-02-17", 1771286400000 },
	{ "2026-02-17 00:00:00", 1771286400000 },
	{ "2026-02-17 02:00:00+02", 1771286400000 },
	{ "2026-02-16 18:30:00.123456-05:30", 1771286400123 },
	{ "infinity", -1 },
	{ "\\N", -1 },
	{ "", -1 },
	{ "0044-03-15 BC", -1 },
	{ "2026-02-17 00:00:00                              ", -1 },
};

START_TEST(moment)
{
	int64_t ms = -1;

	ck_assert(tally_moment(moments[_i].text, strlen(moments[_i].text), &ms) ==
		  (moments[_i].ms >= 0));
	if (moments[_i].ms >= 0)
		ck_assert_int_eq(ms, moments[_i].ms);
}
END_TEST

static const struct {
	const char *sql, *target;
	unsigned rows; /* no target: no INSERT */
} inserts[] = {
	{ "INSERT INTO public.t VALUES (1, 'a),(b')", "public.t", 1 },
	{ "INSERT INTO t (a, b) VALUES (1, (2)), (3, 4),\n(5, 6)", "t", 3 },
	{ "INSERT INTO \"a b\".\"c.d\" DEFAULT VALUES", "\"a b\".\"c.d\"", 1 },
	{ "INSERT INTO t (values_) OVERRIDING SYSTEM VALUE VALUES (1)", "t", 1 },
	{ "INSERT INTO t VALUES (1), (2) ON CONFLICT (a) DO NOTHING", "t", 2 },
	{ "INSERT INTO t SELECT 1", NULL, 0 },
	{ "SELECT 1", NULL, 0 },
	{ "INSERT INTO", NULL, 0 },
};

START_TEST(insert)
{
	const char *sql = inserts[_i].sql;
	uint64_t n = 0;
	char target[64];

	ck_assert(sqlstmt_insert(sql, strlen(sql), target, sizeof(target), &n) ==
		  (inserts[_i].target != NULL));
	if (inserts[_i].target == NULL)
		return;
	ck_assert_str_eq(target, inserts[_i].target);
	ck_assert_uint_eq(n, inserts[_i].rows);
}
END_TEST

START_TEST(names)
{
	char out[32];

	ck_assert(sqlstmt_plain_name("public.\"My \"\"T\"", "x", out, sizeof(out)));
	ck_assert_str_eq(out, "public.My \"T");
	ck_assert(sqlstmt_plain_name("Orders", "sales", out, sizeof(out)));
	ck_assert_str_eq(out, "sales.orders");
	ck_assert_int_eq(sqlstmt_copy_column("COPY t (a, \"B c\", d) FROM stdin", 32, "B c"), 1);
	ck_assert_int_eq(sqlstmt_copy_column("COPY t (a, \"B c\", d) FROM stdin", 32, "c"), -1);
}
END_TEST

/* ---- whole dumps ------------------------------------------------------------------- */

static struct inspected found;
static struct err error;

static int look(const char *p, size_t n, unsigned threads)
{
	const struct inspect_opts opts = { .threads = threads, .hashes = true };
	int fd = memfd_create("dump", MFD_CLOEXEC), r;
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	inspected_free(&found);
	found = (struct inspected){ 0 };
	error = (struct err){ 0 };
	r = inspect_path(path, &opts, &found, &error);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_msg(r == 0 || error.kind == ERR_BACKUP, "%s", error.msg);
	return r;
}

/* Every cut of it is found. */
static void whole_only(const struct buf *b)
{
	for (size_t n = 4; n < b->len; n++)
		ck_assert_msg(look(b->s, n, 1) < 0, "cut at %zu of %zu", n, b->len);
	ck_assert_msg(look(b->s, b->len, 1) == 0, "%s", error.msg);
}

static uint64_t rows_of(const char *name)
{
	for (size_t i = 0; i < found.rows.n; i++)
		if (strcmp(found.rows.v[i]->name, name) == 0 && found.rows.v[i]->whole)
			return found.rows.v[i]->tally.rows;
	ck_abort_msg("no table %s", name);
}

START_TEST(versions)
{
	BUF_AUTO b = BUF_INIT(BIG);
	const int minor = 12 + _i;

	pgdmp_header(&b, minor, 1, 0, 3);
	pgdmp_entry(&b, minor, 7, "ENCODING", "ENCODING", 2, "SET client_encoding = 'LATIN1';\n",
		    NULL, NULL);
	pgdmp_entry(&b, minor, 8, "TABLE DATA", "t", 3, "", "COPY public.t (a) FROM stdin;\n",
		    NULL);
	pgdmp_entry(&b, minor, 9, "TABLE DATA", "u", 3, "", NULL, NULL);
	pgdmp_block(&b, 8, "1\n2\n3\n\\.\n\n\n", 3);
	pgdmp_block(&b, 9, "INSERT INTO public.u VALUES (1),\n(2);\n\n\n", 7);
	for (unsigned threads = 1; threads < 4; threads++) {
		ck_assert_msg(look(b.s, b.len, threads) == 0, "%s", error.msg);
		ck_assert_uint_eq(rows_of("public.t"), 3);
		ck_assert_uint_eq(rows_of("public.u"), 2);
		ck_assert_str_eq(found.encoding, "LATIN1");
	}
	for (size_t n = b.len - 60; n < b.len; n++)
		ck_assert_msg(look(b.s, n, 2) < 0, "cut at %zu of %zu", n, b.len);
}
END_TEST

static const char mysql[] = "-- MySQL dump 10.13  Distrib 8.0.39, for Linux (x86_64)\n"
			    "/*!40101 SET NAMES utf8 */;\n"
			    "LOCK TABLES `t` WRITE;\n"
			    "INSERT INTO `t` VALUES (1,'a\\'),(b'),(2,'x''y');\n"
			    "UNLOCK TABLES;\n"
			    "-- Dump completed on 2018-01-15  1:56:53\n";

START_TEST(of_mysql)
{
	for (size_t n = 14; n < sizeof(mysql) - 2; n++)
		ck_assert_msg(look(mysql, n, 1) < 0 || found.note[0], "cut at %zu", n);
	ck_assert_msg(look(mysql, sizeof(mysql) - 1, 1) == 0, "%s", error.msg);
	ck_assert_uint_eq(rows_of("t"), 2);
	ck_assert_str_eq(found.note, "");
}
END_TEST

static void bson_text(struct buf *b, const char *name, const char *value)
{
	uint32_t n = (uint32_t)strlen(value) + 1;

	buf_addc(b, 2);
	buf_add(b, name, strlen(name) + 1);
	buf_add(b, &n, 4);
	buf_add(b, value, n);
}

static void bson(struct buf *b, const struct buf *fields)
{
	uint32_t n = (uint32_t)fields->len + 5;

	buf_add(b, &n, 4);
	buf_add(b, fields->s, fields->len);
	buf_addc(b, 0);
}

/* A namespace header; of an end with the CRC. */
static void mongo_header(struct buf *b, bool eof, uint64_t crc)
{
	BUF_AUTO f = BUF_INIT(1000);

	bson_text(&f, "db", "shop");
	bson_text(&f, "collection", "users");
	buf_add(&f,
		"\x08"
		"EOF",
		5);
	buf_addc(&f, eof);
	buf_add(&f,
		"\x12"
		"CRC",
		5);
	buf_add(&f, &crc, 8);
	bson(b, &f);
}

static void mongo(struct buf *b, uint64_t flaw)
{
	static const char document[] = "\x0e\0\0\0\x10_id\0\x01\0\0\0", end[] = "\xff\xff\xff\xff";
	uint64_t crc = 0;
	BUF_AUTO f = BUF_INIT(1000);

	buf_add(b, "\x6d\xe2\x99\x81", 4);
	bson_text(&f, "version", "0.1");
	bson(b, &f);
	buf_reset(&f);
	bson_text(&f, "db", "shop");
	bson_text(&f, "collection", "users");
	bson_text(&f, "type", "");
	bson(b, &f);
	buf_add(b, end, 4);
	mongo_header(b, false, 0);
	for (int i = 0; i < 3; i++) {
		buf_add(b, document, sizeof(document));
		crc = lzma_crc64((const uint8_t *)document, sizeof(document), crc);
	}
	buf_add(b, end, 4);
	mongo_header(b, true, crc ^ flaw);
	buf_add(b, end, 4);
}

START_TEST(of_mongo)
{
	BUF_AUTO b = BUF_INIT(BIG), flawed = BUF_INIT(BIG);

	/* The value that mongodump itself writes for this one document. */
	ck_assert(lzma_crc64((const uint8_t *)"\x0e\0\0\0\x10_id\0\x01\0\0\0", 14, 0) ==
		  0xf3ea61436a4459fe);
	mongo(&b, 0);
	whole_only(&b);
	ck_assert_uint_eq(rows_of("users"), 3);
	ck_assert_uint_eq(found.rows.v[0]->tally.bytes, 42);
	mongo(&flawed, 1);
	ck_assert_int_eq(look(flawed.s, flawed.len, 1), -1);
	ck_assert_ptr_nonnull(strstr(error.msg, "checksum of shop.users"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inspect");
	TCase *c = tcase_create("inspect");

	tcase_set_timeout(c, 120);
	tcase_add_test(c, pieces);
	tcase_add_loop_test(c, moment, 0, CASES(moments));
	tcase_add_loop_test(c, insert, 0, CASES(inserts));
	tcase_add_test(c, names);
	tcase_add_loop_test(c, versions, 0, 5);
	tcase_add_test(c, of_mysql);
	tcase_add_test(c, of_mongo);
	suite_add_tcase(s, c);
	return suite_run(s);
}
