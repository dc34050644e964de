#include "lib/base/buf.h"
#include "lib/base/utc.h"
#include "lib/dump/archive.h"
#include "tests/unit/memory.h"
#include "tests/unit/pgdmp.h"
#include "tests/unit/suite.h"

static struct memory memory;

static struct stream *open_bytes(const char *p, size_t n)
{
	struct stream_source source = { read_memory, &memory };
	struct err e = { 0 };
	struct stream *s;

	memory = (struct memory){ p, n, 0 };
	s = stream_open(&source, &(struct stream_opts){ .name = "a", .codec = "none" }, &e);
	ck_assert_ptr_nonnull(s);
	return s;
}

enum { BIG = 1 << 20 };

/* A table, its data, large objects; format 1 custom, 3 directory or tar. */
static void write_archive(struct buf *b, int minor, int format, int packing)
{
	pgdmp_header(b, minor, format, packing, 3);
	pgdmp_entry(b, minor, 7, "TABLE", "t", 2, "CREATE TABLE public.t ();\n", NULL,
		    format == 1 ? NULL : "");
	pgdmp_entry(b, minor, 8, "TABLE DATA", "t", 3, "", "COPY public.t (a) FROM stdin;\n",
		    format == 1 ? NULL : "8.dat");
	pgdmp_entry(b, minor, 9, "BLOBS", "BLOBS", 3, NULL, NULL, format == 1 ? NULL : "blobs.toc");
}

static const struct {
	int minor, format, packing;
	const char *packed;
} versions[] = {
	{ 12, 1, 0, "none" }, { 12, 1, 1, "gzip" }, { 13, 3, 1, "gzip" },
	{ 14, 1, 1, "gzip" }, { 14, 3, 0, "none" }, { 15, 1, 2, "lz4" },
	{ 15, 3, 3, "zstd" }, { 16, 1, 3, "zstd" }, { 16, 3, 0, "none" },
};

START_TEST(all_versions)
{
	BUF_AUTO b = BUF_INIT(BIG);
	ARCHIVE_AUTO a = { 0 };
	STREAM_AUTO *s = NULL;
	struct err e = { 0 };
	char when[UTC_SIZE];
	const struct archive_entry *t;

	write_archive(&b, versions[_i].minor, versions[_i].format, versions[_i].packing);
	s = open_bytes(b.s, b.len);
	ck_assert_msg(archive_read(s, &a, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(a.header.minor, versions[_i].minor);
	ck_assert_int_eq(a.header.format, versions[_i].format);
	ck_assert_str_eq(archive_packing_name(a.header.packing), versions[_i].packed);
	ck_assert_str_eq(a.header.database, "shop");
	ck_assert_str_eq(a.header.server_version, "15.20 (Debian 15.20-0+deb12u1)");
	ck_assert_str_eq(utc_format(a.header.local_ms, when), "2026-02-17T01:58:42.000Z");
	ck_assert_uint_eq(a.n, 3);
	t = archive_entry_by_id(&a, 8);
	ck_assert_ptr_nonnull(t);
	ck_assert_str_eq(t->desc, "TABLE DATA");
	ck_assert_str_eq(t->tag, "t");
	ck_assert_str_eq(t->schema, "public");
	ck_assert_str_eq(t->owner, "alice");
	ck_assert_str_eq(t->copy, "COPY public.t (a) FROM stdin;\n");
	ck_assert_str_eq(t->file, versions[_i].format == 1 ? "" : "8.dat");
	ck_assert(t->has_data);
	ck_assert_int_eq(t->section, SECTION_DATA);
	ck_assert_uint_eq(t->n_depends, 1);
	ck_assert_int_eq(t->depends[0], 1);
	ck_assert(!t->offset_known);
	ck_assert_ptr_null(archive_entry_by_id(&a, 10));
	ck_assert_uint_eq(stream_out_b(s), b.len);
}
END_TEST

START_TEST(cut_anywhere)
{
	BUF_AUTO b = BUF_INIT(BIG);
	struct err e;

	write_archive(&b, versions[_i].minor, versions[_i].format, versions[_i].packing);
	for (size_t n = 0; n < b.len; n++) {
		ARCHIVE_AUTO a = { 0 };
		STREAM_AUTO *s = open_bytes(b.s, n);

		e = (struct err){ 0 };
		ck_assert_int_eq(archive_read(s, &a, &e), -1);
		ck_assert_int_eq(e.kind, ERR_BACKUP);
		ck_assert_msg(strstr(e.msg, "truncated") != NULL, "%zu: %s", n, e.msg);
	}
}
END_TEST

/* Whatever a byte becomes, reading ends, in a result or an error. */
START_TEST(any_byte_changed)
{
	BUF_AUTO b = BUF_INIT(BIG);
	static const unsigned char masks[] = { 0x01, 0x80, 0xff };
	struct err e;

	write_archive(&b, versions[_i].minor, versions[_i].format, versions[_i].packing);
	for (size_t i = 0; i < b.len * sizeof(masks); i++) {
		ARCHIVE_AUTO a = { 0 };
		STREAM_AUTO *s = NULL;
		size_t at = i / sizeof(masks);

		b.s[at] = (char)(b.s[at] ^ masks[i % sizeof(masks)]);
		s = open_bytes(b.s, b.len);
		e = (struct err){ 0 };
		if (archive_read(s, &a, &e) < 0)
			ck_assert_int_ne(e.kind, ERR_NONE);
		b.s[at] = (char)(b.s[at] ^ masks[i % sizeof(masks)]);
	}
}
END_TEST

static const struct {
	size_t at;
	char byte;
	enum err_kind kind;
	const char *says;
} wrong[] = {
	{ 0, 'X', ERR_BACKUP, "read a: not an archive of pg_dump" },
	{ 5, 2, ERR_SYSTEM, "archive version 2.14 is newer than 1.16" },
	{ 6, 17, ERR_SYSTEM, "archive version 1.17 is newer than 1.16" },
	{ 6, 11, ERR_SYSTEM, "archive version 1.11 is older than PostgreSQL 9.0" },
	{ 8, 0, ERR_BACKUP, "its size of numbers is impossible" },
	{ 8, 9, ERR_BACKUP, "its size of numbers is impossible" },
	{ 9, 16, ERR_BACKUP, "its size of numbers is impossible" },
	{ 10, 2, ERR_BACKUP, "its format is unknown" },
	{ 11, 2, ERR_BACKUP, "a number is out of range" },
};

START_TEST(refused)
{
	BUF_AUTO b = BUF_INIT(BIG);
	struct archive_header h;
	STREAM_AUTO *s = NULL;
	struct err e = { 0 };

	write_archive(&b, 14, 1, 1);
	b.s[wrong[_i].at] = wrong[_i].byte;
	s = open_bytes(b.s, b.len);
	ck_assert_int_eq(archive_read_header(s, &h, &e), -1);
	ck_assert_int_eq(e.kind, wrong[_i].kind);
	ck_assert_msg(strstr(e.msg, wrong[_i].says) != NULL, "%s", e.msg);
	archive_header_free(&h);
}
END_TEST

START_TEST(a_length_is_not_trusted)
{
	BUF_AUTO b = BUF_INIT(BIG);
	ARCHIVE_AUTO a = { 0 };
	STREAM_AUTO *s = NULL;
	struct err e = { 0 };

	pgdmp_header(&b, 14, 1, 0, INT32_MAX);
	pgdmp_int(&b, 1);
	pgdmp_int(&b, 0);
	pgdmp_int(&b, (256LL << 20) + 1);
	s = open_bytes(b.s, b.len);
	ck_assert_int_eq(archive_read(s, &a, &e), -1);
	ck_assert_msg(strstr(e.msg, "longer than 256 MiB") != NULL, "%s", e.msg);
}
END_TEST

START_TEST(blocks)
{
	BUF_AUTO b = BUF_INIT(BIG);
	ARCHIVE_AUTO a = { 0 };
	STREAM_AUTO *s = NULL;
	struct archive_block k;
	struct err e = { 0 };
	char got[4];
	int64_t oid;

	write_archive(&b, 14, 1, 0);
	pgdmp_block(&b, 8, "1\n\\.\n\n\n", 4);
	buf_addc(&b, 3);
	pgdmp_int(&b, 9);
	pgdmp_int(&b, -1); /* oid 4294967295 as an int */
	pgdmp_int(&b, 2);
	buf_adds(&b, "hi");
	pgdmp_int(&b, 0);
	pgdmp_int(&b, 0);
	s = open_bytes(b.s, b.len);
	ck_assert_int_eq(archive_read(s, &a, &e), 0);
	ck_assert_int_eq(archive_block_begin(s, &a.header, &k, &e), 1);
	ck_assert_int_eq(k.id, 8);
	ck_assert(!k.large_objects);
	ck_assert_int_eq(archive_chunk(s, &a.header, &e), 4);
	ck_assert_int_eq(stream_read(s, got, 4, &e), 4);
	ck_assert_mem_eq(got, "1\n\\.", 4);
	ck_assert_int_eq(archive_chunk(s, &a.header, &e), 3);
	ck_assert_int_eq(stream_skip(s, 3, &e), 3);
	ck_assert_int_eq(archive_chunk(s, &a.header, &e), 0);
	ck_assert_int_eq(archive_block_begin(s, &a.header, &k, &e), 1);
	ck_assert(k.large_objects);
	ck_assert_int_eq(archive_object_begin(s, &a.header, &oid, &e), 1);
	ck_assert_int_eq(oid, 4294967295);
	ck_assert_int_eq(archive_chunk(s, &a.header, &e), 2);
	ck_assert_int_eq(stream_skip(s, 2, &e), 2);
	ck_assert_int_eq(archive_chunk(s, &a.header, &e), 0);
	ck_assert_int_eq(archive_object_begin(s, &a.header, &oid, &e), 0);
	ck_assert_int_eq(archive_block_begin(s, &a.header, &k, &e), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("archive");
	TCase *c = tcase_create("archive");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, all_versions, 0, CASES(versions));
	tcase_add_loop_test(c, cut_anywhere, 0, CASES(versions));
	tcase_add_loop_test(c, any_byte_changed, 0, CASES(versions));
	tcase_add_loop_test(c, refused, 0, CASES(wrong));
	tcase_add_test(c, a_length_is_not_trusted);
	tcase_add_test(c, blocks);
	suite_add_tcase(s, c);
	return suite_run(s);
}
