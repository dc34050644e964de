#include "lib/base/buf.h"
#include "lib/dump/sniff.h"
#include "lib/dump/sniff_content.h"
#include "lib/dump/tar.h"
#include "tests/unit/pgdmp.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PLAIN_HEAD \
	"--\n-- PostgreSQL database dump\n--\n\n\\restrict xyz\n\n" \
	"-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)\n" \
	"-- Dumped by pg_dump version 16.1\n\n-- Started on 2026-02-17 01:58:42 UTC\n\n" \
	"SET statement_timeout = 0;\nSET client_encoding = 'LATIN1';\n\\connect shop\n"

static const struct {
	const char *text;
	size_t n; /* 0: strlen */
	enum dump_kind kind;
	const char *detail;
} contents[] = {
	{ "", 0, DUMP_EMPTY, "" },
	{ " \n\n", 0, DUMP_EMPTY, "" },
	{ PLAIN_HEAD, 0, DUMP_SQL, "" },
	{ "\xef\xbb\xbf" PLAIN_HEAD, 0, DUMP_SQL, "" },
	{ "--\r\n-- PostgreSQL database dump\r\n--\r\n", 0, DUMP_SQL, "" },
	{ "--\n-- PostgreSQL database cluster dump\n--\n", 0, DUMP_CLUSTER, "" },
	{ "-- my own\n\nBEGIN;\n-- PostgreSQL database dump\n", 0, DUMP_OTHER_SQL, "" },
	{ "/* a */ -- b\n\ninsert into t values (1);", 0, DUMP_OTHER_SQL, "" },
	{ "\\set x 1\nselect\n1;", 0, DUMP_OTHER_SQL, "" },
	{ "SETTING up", 0, DUMP_TEXT, "SETTING up" },
	{ "pg_dump: error: no\nmore\n", 0, DUMP_TEXT, "pg_dump: error: no" },
	{ "-- only a comment\n", 0, DUMP_TEXT, "-- only a comment" },
	{ "/* never closed", 0, DUMP_TEXT, "/* never closed" },
	{ "gr\xc3\xbc\xc3\x9f\x65\n", 0, DUMP_TEXT, "gr????e" },
	{ "<!DOCTYPE HTML><title>502 Bad\x1b Gateway</title>", 0, DUMP_HTML, "502 Bad? Gateway" },
	{ "\n <html><body>no title", 0, DUMP_HTML, "<html><body>no title" },
	{ "<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code><Message>m</Message>", 0, DUMP_XML,
	  "NoSuchKey" },
	{ "<Error><Code>cut", 0, DUMP_XML, "cut" },
	{ "<?xml version='1.0'?>\n<mysqldump>", 0, DUMP_MYSQL, "mysqldump --xml" },
	{ "-- MySQL dump 10.13  Distrib 8.0.39", 0, DUMP_MYSQL, "mysqldump" },
	{ "/*M!999999\\- enable the sandbox mode */ \n", 0, DUMP_MYSQL, "mariadb-dump" },
	{ "\x6d\xe2\x99\x81\x10", 0, DUMP_MONGO, "mongodump" },
	{ "PK\x03\x04", 0, DUMP_CONTAINER, "zip" },
	{ "\xff\xfe-\0-\0", 6, DUMP_TEXT, "text in UTF-16, as PowerShell's > writes it" },
	{ "\0\0\0\0", 4, DUMP_BINARY, "only zero bytes" },
	{ "\0", 1, DUMP_BINARY, "only zero bytes" },
	{ "abc\0def", 7, DUMP_BINARY, "" },
	{ "\x01\x02\x03\x04", 4, DUMP_BINARY, "" },
};

START_TEST(content)
{
	struct sniffed s = { .local_ms = -1 };
	size_t n = contents[_i].n ? contents[_i].n : strlen(contents[_i].text);

	sniff_content((const unsigned char *)contents[_i].text, n, &s);
	ck_assert_msg(s.kind == contents[_i].kind, "'%s': %s", contents[_i].text, sniff_format(&s));
	ck_assert_str_eq(s.detail, contents[_i].detail);
}
END_TEST

/* No prefix of anything may lead out of bounds (for the sanitizers) or to no kind. */
START_TEST(content_cut_anywhere)
{
	size_t n = contents[_i].n ? contents[_i].n : strlen(contents[_i].text);

	for (size_t k = 0; k <= n; k++) {
		struct sniffed s = { .kind = DUMP_KINDS };
		unsigned char *p = malloc(k ? k : 1);

		ck_assert_ptr_nonnull(p);
		memcpy(p, contents[_i].text, k);
		sniff_content(p, k, &s);
		ck_assert_int_ne(s.kind, DUMP_KINDS);
		free(p);
	}
}
END_TEST

START_TEST(origin_of_plain)
{
	struct sniffed s = { .local_ms = -1 };

	sniff_content((const unsigned char *)PLAIN_HEAD, strlen(PLAIN_HEAD), &s);
	ck_assert_str_eq(s.server_version, "15.20");
	ck_assert_str_eq(s.dump_version, "16.1");
	ck_assert_str_eq(s.encoding, "LATIN1");
	ck_assert_str_eq(s.database, "shop");
	ck_assert_int_eq(s.local_ms, 1771293522000);
}
END_TEST

static const struct {
	const char *first, *second;
	enum dump_kind kind;
} tars[] = {
	{ "toc.dat", "5.dat", DUMP_TAR },
	{ "shop/5.dat", "shop/toc.dat", DUMP_PACKED_DIRECTORY },
	{ "./toc.dat", "./5.dat", DUMP_PACKED_DIRECTORY },
	{ "shop/5.dat.gz", "shop/6.dat.gz", DUMP_PACKED_DIRECTORY },
	{ "shop/blob_7.dat", "shop/blobs.toc", DUMP_PACKED_DIRECTORY },
	{ "5.dat", "toc.dat", DUMP_PACKED_DIRECTORY },
	{ "x/5.data", "x/y", DUMP_BINARY },
	{ "backup_label", "base/1/2", DUMP_BASE_TAR },
	{ "./", "./PG_VERSION", DUMP_BASE_TAR },
	{ "etc/passwd", "etc/hosts", DUMP_BINARY },
};

START_TEST(tar)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct sniffed s = { 0 };
	struct tar_member m;
	char filler[700] = { 0 };

	pgdmp_tar(&b, tars[_i].first, filler, sizeof(filler));
	pgdmp_tar(&b, tars[_i].second, "", 0);
	ck_assert(tar_header((unsigned char *)b.s, b.len, &m));
	ck_assert(!tar_header((unsigned char *)b.s, TAR_BLOCK - 1, &m));
	sniff_tar((unsigned char *)b.s, b.len, &s);
	ck_assert_msg(s.kind == tars[_i].kind, "%s: %s", tars[_i].first, sniff_format(&s));
	b.s[0] = (char)(b.s[0] + 1);
	ck_assert(!tar_header((unsigned char *)b.s, b.len, &m));
}
END_TEST

static char dir[PATH_MAX];

static void make_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test_sniff.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	static const char *const names[] = { "toc.dat", "toc.dat.gz", "PG_VERSION", "x",
					     "x.gz",    "x.sql",      "x.sql.gz",   "x.zst",
					     "x.dump",  "x.dump.gz",  "x.tar",      "x.bak",
					     "x.custom" };
	char path[PATH_MAX + 32];

	for (int i = 0; i < CASES(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

static const char *put(const char *name, const void *p, size_t n)
{
	static char path[PATH_MAX + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(close(fd), 0);
	return path;
}

static const char *put_gz(const char *name, const void *p, unsigned n)
{
	const char *path = put(name, "", 0);
	gzFile g = gzopen(path, "w");

	ck_assert_int_eq(gzwrite(g, p, n), (int)n);
	ck_assert_int_eq(gzclose(g), Z_OK);
	return path;
}

static const struct {
	const char *name;
	bool gz, custom;
	const char *says;
} named[] = {
	{ "x", false, false, "" },         { "x", true, false, "" },
	{ "x.sql", false, false, "" },     { "x.sql", true, false, "not compressed" },
	{ "x.sql", false, true, "SQL" },   { "x.sql.gz", true, false, "" },
	{ "x.sql.gz", true, true, "SQL" }, { "x.sql.gz", false, false, "gzip" },
	{ "x.zst", true, false, "zstd" },  { "x.dump", false, true, "" },
	{ "x.dump", false, false, "" },    { "x.dump", true, true, "not compressed" },
	{ "x.tar", false, true, "tar" },   { "x.bak", true, true, "" },
	{ "x.custom", false, true, "" },   { "x.custom", false, false, "custom" },
	{ "x.dump.gz", true, true, "" },
};

START_TEST(name_and_content)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct sniffed s;
	struct err e = { 0 };
	const char *path;
	char text[SNIFF_TEXT];

	if (named[_i].custom) {
		pgdmp_header(&b, 14, 1, 1, 1);
		pgdmp_entry(&b, 14, 1, "ENCODING", "ENCODING", 2, "SET client_encoding = 'UTF8';\n",
			    NULL, NULL);
	} else {
		buf_adds(&b, PLAIN_HEAD);
	}
	path = named[_i].gz ? put_gz(named[_i].name, b.s, (unsigned)b.len)
			    : put(named[_i].name, b.s, b.len);
	ck_assert_msg(sniff_path(path, NULL, &s, &e) == 0, "%s", e.msg);
	ck_assert_int_eq(s.kind, named[_i].custom ? DUMP_CUSTOM : DUMP_SQL);
	ck_assert_str_eq(s.name_says, named[_i].says);
	ck_assert_str_eq(s.compression, named[_i].gz ? "gzip" : "none");
	ck_assert_int_eq(sniff_refuse(path, &s, &e), 0);
	ck_assert(sniff_has_end(&s));
	if (named[_i].custom) {
		ck_assert_str_eq(s.encoding, "UTF8");
		ck_assert_str_eq(
			sniff_describe(&s, text),
			named[_i].gz ? "custom archive 1.14 of PostgreSQL 15.20, gzip, all in gzip"
				     : "custom archive 1.14 of PostgreSQL 15.20, gzip");
	} else {
		ck_assert_str_eq(sniff_describe(&s, text),
				 named[_i].gz ? "plain SQL of PostgreSQL 15.20, gzip"
					      : "plain SQL of PostgreSQL 15.20");
	}
}
END_TEST

START_TEST(directories)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct sniffed s;
	struct err e = { 0 };

	ck_assert_int_eq(sniff_path(dir, NULL, &s, &e), 0);
	ck_assert_int_eq(s.kind, DUMP_EMPTY);
	put("x", "", 0);
	ck_assert_int_eq(sniff_path(dir, NULL, &s, &e), 0);
	ck_assert_int_eq(s.kind, DUMP_BINARY);
	ck_assert_int_eq(sniff_refuse(dir, &s, &e), -1);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	put("PG_VERSION", "15\n", 3);
	ck_assert_int_eq(sniff_path(dir, NULL, &s, &e), 0);
	ck_assert_int_eq(s.kind, DUMP_BASE_DIRECTORY);
	ck_assert_int_eq(sniff_refuse(dir, &s, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	pgdmp_header(&b, 16, 3, 3, 0);
	put_gz("toc.dat.gz", b.s, (unsigned)b.len);
	ck_assert_int_eq(sniff_path(dir, NULL, &s, &e), 0);
	ck_assert_int_eq(s.kind, DUMP_DIRECTORY);
	ck_assert_str_eq(s.packing, "zstd");
	/* The toc.dat alone is not the backup. */
	ck_assert_int_eq(sniff_path(put("toc.dat", b.s, b.len), NULL, &s, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	/* Cut in its header it cannot be told what it is. */
	put("toc.dat", b.s, 20);
	ck_assert_int_eq(sniff_path(dir, NULL, &s, &e), -1);
	ck_assert_int_eq(e.kind, ERR_BACKUP);
	ck_assert_int_eq(sniff_path("/nonexistent", NULL, &s, &e), -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sniff");
	TCase *c = tcase_create("content"), *f = tcase_create("files");

	tcase_add_loop_test(c, content, 0, CASES(contents));
	tcase_add_loop_test(c, content_cut_anywhere, 0, CASES(contents));
	tcase_add_test(c, origin_of_plain);
	tcase_add_loop_test(c, tar, 0, CASES(tars));
	tcase_add_checked_fixture(f, make_dir, remove_dir);
	tcase_add_loop_test(f, name_and_content, 0, CASES(named));
	tcase_add_test(f, directories);
	suite_add_tcase(s, c);
	suite_add_tcase(s, f);
	return suite_run(s);
}
