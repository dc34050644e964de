#include "lib/base/buf.h"
#include "lib/dump/complete.h"
#include "tests/unit/pgdmp.h"
#include "tests/unit/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BIG = 1 << 20 };

#define ROWS "1\tone\n2\t\\N\n\\.\n\n\n"
#define INSERTS \
	"INSERT INTO public.u VALUES (1, 'a;\n\n\n');\nINSERT INTO public.u VALUES (2);\n\n\n"

static char dir[PATH_MAX], path[PATH_MAX + 300];

static const char *at(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *name, const void *p, size_t n)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(close(fd), 0);
}

static void make_dir(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/test_complete.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void empty_dir(void)
{
	DIR *d = opendir(dir);
	struct dirent *f;

	ck_assert_ptr_nonnull(d);
	while ((f = readdir(d)) != NULL)
		(void)unlink(at(f->d_name));
	ck_assert_int_eq(closedir(d), 0);
}

static void remove_dir(void)
{
	empty_dir();
	ck_assert_int_eq(rmdir(dir), 0);
}

/* Two tables, one of them with INSERTs, and two large objects. where: file names are needed. */
static void toc(struct buf *b, int minor, int format, int packing)
{
	bool where = format != 1;

	pgdmp_header(b, minor, format, packing, minor < 16 ? 6 : 5);
	pgdmp_entry(b, minor, 7, "TABLE", "t", 2, "CREATE TABLE public.t ();\n", NULL,
		    where ? "" : NULL);
	pgdmp_entry(b, minor, 8, "TABLE DATA", "t", 3, "", "COPY public.t (a) FROM stdin;\n",
		    where ? "8.dat" : NULL);
	pgdmp_entry(b, minor, 9, "TABLE DATA", "u", 3, "", NULL, where ? "9.dat" : NULL);
	if (minor < 16) {
		pgdmp_entry(b, minor, 11, "BLOB", "501", 2, "lo", NULL, where ? "" : NULL);
		pgdmp_entry(b, minor, 12, "BLOB", "502", 2, "lo", NULL, where ? "" : NULL);
	} else {
		pgdmp_entry(b, minor, 11, "BLOB METADATA", "501..502", 2, "501\n502\n", NULL,
			    where ? "" : NULL);
	}
	pgdmp_entry(b, minor, 10, "BLOBS", "BLOBS", 3, NULL, NULL,
		    where ? (minor < 16 ? "blobs.toc" : "blobs_10.toc") : NULL);
}

static void objects_block(struct buf *b, bool both)
{
	buf_addc(b, 3);
	pgdmp_int(b, 10);
	for (int oid = 501; oid <= (both ? 502 : 501); oid++) {
		pgdmp_int(b, oid);
		pgdmp_int(b, 5);
		buf_adds(b, "hello");
		pgdmp_int(b, 0);
	}
	pgdmp_int(b, 0);
}

static void write_custom(struct buf *b, int minor)
{
	toc(b, minor, 1, 0);
	pgdmp_block(b, 8, ROWS, 4);
	pgdmp_block(b, 9, INSERTS, 7);
	objects_block(b, true);
}

static void write_tar(struct buf *b, int minor)
{
	static const char list[] = "501 blob_501.dat\n502 blob_502.dat\n";
	BUF_AUTO t = BUF_INIT(BIG);
	char zeros[1024] = { 0 };

	toc(&t, minor, 3, 0);
	pgdmp_tar(b, "toc.dat", t.s, t.len);
	pgdmp_tar(b, "8.dat", ROWS, strlen(ROWS));
	pgdmp_tar(b, "9.dat", INSERTS, strlen(INSERTS));
	pgdmp_tar(b, "blob_501.dat", "hello", 5);
	pgdmp_tar(b, "blob_502.dat", "", 0);
	pgdmp_tar(b, minor < 16 ? "blobs.toc" : "blobs_10.toc", list, strlen(list));
	pgdmp_tar(b, "restore.sql", "--\n", 3);
	buf_add(b, zeros, sizeof(zeros));
}

static void write_gz(const char *name, const char *data)
{
	gzFile g = gzopen(at(name), "w");

	ck_assert_int_eq(gzwrite(g, data, (unsigned)strlen(data)), (int)strlen(data));
	ck_assert_int_eq(gzclose(g), Z_OK);
}

static void write_directory(int minor)
{
	static const char list[] = "501 blob_501.dat\n502 blob_502.dat\n";
	BUF_AUTO t = BUF_INIT(BIG);

	toc(&t, minor, 3, 1);
	write_file("toc.dat", t.s, t.len);
	write_gz("8.dat.gz", ROWS);
	write_file("9.dat", INSERTS, strlen(INSERTS));
	write_gz("blob_501.dat.gz", "hello");
	write_gz("blob_502.dat.gz", "");
	write_file(minor < 16 ? "blobs.toc" : "blobs_10.toc", list, strlen(list));
}

static struct complete found;
static struct err error;

static int check(const char *name)
{
	struct sniffed what;

	error = (struct err){ 0 };
	found = (struct complete){ 0 };
	if (name[0])
		at(name);
	else
		(void)snprintf(path, sizeof(path), "%s", dir);
	if (sniff_path(path, NULL, &what, &error) < 0)
		return -1;
	return complete_check(path, &what, NULL, &found, &error);
}

static void whole(const char *name)
{
	ck_assert_msg(check(name) == 0, "%s", error.msg);
	ck_assert_uint_eq(found.tables, 2);
	ck_assert_uint_eq(found.objects, 2);
	ck_assert_str_eq(found.note, "");
}

static void broken(const char *name, const char *says)
{
	ck_assert_int_eq(check(name), -1);
	ck_assert_msg(error.kind == ERR_BACKUP, "%s", error.msg);
	ck_assert_msg(strstr(error.msg, says) != NULL, "%s", error.msg);
}

/* Cuts the file at every byte: each cut must be found. */
static void cut_anywhere(const char *backup, const char *file)
{
	struct stat st;

	ck_assert_int_eq(stat(at(file), &st), 0);
	for (off_t n = st.st_size - 1; n >= 0; n--) {
		ck_assert_int_eq(truncate(at(file), n), 0);
		ck_assert_msg(check(backup) < 0, "%s cut at %d of %d", file, (int)n,
			      (int)st.st_size);
		ck_assert_msg(error.kind == ERR_BACKUP, "%s", error.msg);
	}
}

static const int minors[] = { 12, 13, 14, 15, 16 };

START_TEST(custom)
{
	BUF_AUTO b = BUF_INIT(BIG);

	write_custom(&b, minors[_i]);
	write_file("x", b.s, b.len);
	whole("x");
	cut_anywhere("x", "x");
}
END_TEST

START_TEST(tar)
{
	BUF_AUTO b = BUF_INIT(BIG);

	write_tar(&b, minors[_i]);
	write_file("x", b.s, b.len);
	whole("x");
	cut_anywhere("x", "x");
}
END_TEST

START_TEST(directory)
{
	const char *list = minors[_i] < 16 ? "blobs.toc" : "blobs_10.toc";
	const char *const files[] = { "toc.dat",         "8.dat.gz",        "9.dat",
				      "blob_501.dat.gz", "blob_502.dat.gz", list };

	for (int k = 0; k < CASES(files); k++) {
		write_directory(minors[_i]);
		whole("");
		cut_anywhere("", files[k]);
		ck_assert_int_eq(unlink(at(files[k])), 0);
		ck_assert_int_eq(check(""), -1);
		ck_assert_int_eq(error.kind, ERR_BACKUP);
	}
}
END_TEST

static const struct {
	const char *at; /* insert or change here: the text before which .. */
	size_t cut;     /* bytes taken out from there */
	const char *put;
	const char *says;
} changed_tars[] = {
	{ "8.dat", 1024, "", "parts are missing, first the data of public.t" },
	{ "blob_501.dat", 1024, "", "1 of 2 large objects are missing, first 501" },
	{ "blobs.toc", 1024, "", "first BLOBS BLOBS" },
	{ "502 blob_502.dat\n", 8, "503 blob", "is no line of a list" },
	{ "502 blob_502.dat\n", 1, "x", "is no line of a list" },
	{ "502 blob_502.dat\n", 16, "501 blob_501.dat",
	  "1 of 2 large objects are missing, first 502" },
	{ "\\.\n", 1, "x", "the data of public.t (8.dat) ends after 16 bytes without" },
	{ "INSERT INTO public.u VALUES (2)", 6, "'NSERT", "the data of public.u (9.dat)" },
	{ "restore.sql", 1, "R", "no tar header" },
};

START_TEST(tar_changed)
{
	BUF_AUTO b = BUF_INIT(BIG), c = BUF_INIT(BIG);
	char *p;
	size_t k;

	write_tar(&b, 14);
	/* The last one, for names are in toc.dat, too; a member's name begins a block. */
	k = b.len;
	do
		p = b.s + --k;
	while ((k % 512 && changed_tars[_i].cut == 1024) ||
	       memcmp(p, changed_tars[_i].at, strlen(changed_tars[_i].at)) != 0);
	buf_add(&c, b.s, k);
	buf_adds(&c, changed_tars[_i].put);
	buf_add(&c, p + changed_tars[_i].cut, b.len - k - changed_tars[_i].cut);
	write_file("x", c.s, c.len);
	broken("x", changed_tars[_i].says);
}
END_TEST

START_TEST(custom_changed)
{
	BUF_AUTO b = BUF_INIT(BIG);

	toc(&b, 14, 1, 0);
	pgdmp_block(&b, 9, INSERTS, 100);
	objects_block(&b, true);
	write_file("x", b.s, b.len);
	broken("x", "incomplete: 1 of 3 parts are missing, first the data of public.t");

	pgdmp_block(&b, 9, INSERTS, 100);
	write_file("x", b.s, b.len);
	broken("x", "the data of public.u comes twice");

	buf_reset(&b);
	toc(&b, 14, 1, 0);
	pgdmp_block(&b, 7, ROWS, 100);
	write_file("x", b.s, b.len);
	broken("x", "belongs to nothing");

	buf_reset(&b);
	toc(&b, 14, 1, 0);
	pgdmp_block(&b, 8, "1\n\\.\n\n", 100);
	write_file("x", b.s, b.len);
	broken("x", "the data of public.t has no end mark");

	buf_reset(&b);
	toc(&b, 14, 1, 0);
	pgdmp_block(&b, 8, ROWS, 4);
	pgdmp_block(&b, 9, INSERTS, 100);
	objects_block(&b, false);
	write_file("x", b.s, b.len);
	broken("x", "1 of 2 large objects are missing, first 502");

	buf_reset(&b);
	write_custom(&b, 14);
	buf_addc(&b, 'x');
	write_file("x", b.s, b.len);
	broken("x", "no data block");
}
END_TEST

/* As pg_dump 17 leaves it on its standard output. */
START_TEST(custom_ends_in_its_contents_again)
{
	BUF_AUTO head = BUF_INIT(BIG), contents = BUF_INIT(BIG), b = BUF_INIT(BIG);
	size_t before;

	pgdmp_header(&head, 16, 1, 0, 5);
	before = head.len - 5; /* the number of entries */
	toc(&contents, 16, 1, 0);
	write_custom(&b, 16);
	buf_add(&b, contents.s + before, contents.len - before);
	write_file("x", b.s, b.len);
	whole("x");
	write_file("x", b.s, b.len - 1);
	broken("x", "truncated");
	b.s[b.len - contents.len + before + 6]++;
	write_file("x", b.s, b.len);
	broken("x", "not its contents again");
	b.s[b.len - contents.len + before + 6]--;
	buf_addc(&b, 'x');
	write_file("x", b.s, b.len);
	broken("x", "not its contents again");
}
END_TEST

START_TEST(directory_changed)
{
	int fd;

	write_directory(14);
	fd = open(at("toc.dat"), O_WRONLY | O_APPEND | O_CLOEXEC);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	ck_assert_int_eq(close(fd), 0);
	broken("", "bytes follow the end of toc.dat");

	write_directory(14);
	write_file("blobs.toc", "501 ../passwd\n", 14);
	broken("", "is no line of a list");

	/* Without compression nothing tells that a large object is whole. */
	write_directory(14);
	ck_assert_int_eq(unlink(at("blob_501.dat.gz")), 0);
	write_file("blob_501.dat", "hel", 3);
	ck_assert_int_eq(check(""), 0);
	ck_assert_msg(strstr(found.note, "not proven") != NULL, "%s", found.note);
}
END_TEST

/* The limit is on what comes out of all files together, and zero is none. */
START_TEST(directory_limited)
{
	struct stream_opts limits = { 0 };
	struct sniffed what;
	uint64_t all = 0;

	write_directory(14);
	ck_assert_int_eq(sniff_path(dir, NULL, &what, &error), 0);
	while (complete_check(dir, &what, &limits, &found, &error) == 0) {
		limits.max_out_b = limits.max_out_b ? limits.max_out_b - 1 : found.data_b;
		all = found.data_b;
	}
	ck_assert_int_eq(error.kind, ERR_SYSTEM);
	ck_assert_msg(strstr(error.msg, "raise MAX_UNPACKED") != NULL, "%s", error.msg);
	/* No single file is that long. */
	ck_assert_uint_gt(limits.max_out_b, strlen(ROWS) + strlen(INSERTS));
	ck_assert_uint_le(limits.max_out_b, all);
}
END_TEST

START_TEST(directory_packed_afterwards)
{
	static const char list[] = "501 blob_501.dat\n502 blob_502.dat\n";
	BUF_AUTO t = BUF_INIT(BIG);
	gzFile g;

	write_directory(14);
	toc(&t, 14, 3, 1);
	ck_assert_int_eq(unlink(at("toc.dat")), 0);
	g = gzopen(at("toc.dat.gz"), "w");
	ck_assert_int_eq(gzwrite(g, t.s, (unsigned)t.len), (int)t.len);
	ck_assert_int_eq(gzclose(g), Z_OK);
	ck_assert_int_eq(unlink(at("blobs.toc")), 0);
	write_gz("blobs.toc.gz", list);
	whole("");
	cut_anywhere("", "toc.dat.gz");
	ck_assert_int_eq(unlink(at("toc.dat.gz")), 0);
}
END_TEST

START_TEST(nothing_in_it)
{
	BUF_AUTO b = BUF_INIT(BIG);

	pgdmp_header(&b, 14, 1, 1, 1);
	pgdmp_entry(&b, 14, 7, "TABLE", "t", 2, "CREATE TABLE public.t ();\n", NULL, NULL);
	write_file("x", b.s, b.len);
	ck_assert_msg(check("x") == 0, "%s", error.msg);
	ck_assert_uint_eq(found.tables, 0);
}
END_TEST

#define SCRIPT \
	"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nCREATE TABLE t ();\n" \
	"COPY t FROM stdin;\n1\n\\.\n\n\nSELECT 'x';\n" \
	"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n"

START_TEST(script)
{
	write_file("x", SCRIPT "\n", strlen(SCRIPT) + 1);
	ck_assert_msg(check("x") == 0, "%s", error.msg);
	ck_assert_uint_eq(found.tables, 1);
	ck_assert_str_eq(found.note, "");
	/* Cut by its last byte or two nothing is lost; but it is seen. */
	write_file("x", SCRIPT, strlen(SCRIPT));
	ck_assert_msg(check("x") == 0, "%s", error.msg);
	ck_assert_str_eq(found.note, "the empty line at its very end is missing: cut there?");
	write_file("x", SCRIPT, strlen(SCRIPT) - 1);
	cut_anywhere("x", "x");

	write_gz("x", SCRIPT "\n");
	ck_assert_msg(check("x") == 0, "%s", error.msg);
	cut_anywhere("x", "x");

	write_file("x", SCRIPT "\nSELECT 1;\n", strlen(SCRIPT) + 11);
	broken("x", "something was added after");
}
END_TEST

START_TEST(not_ours)
{
	write_file("x", "SELECT 1;\n", 10);
	ck_assert_int_eq(check("x"), 0);
	ck_assert_str_eq(found.note,
			 "not made by pg_dump: no end mark could prove that it is whole");
	write_file("x", "SELECT 'a", 9);
	broken("x", "truncated");
	write_file("x", "<html>", 6);
	broken("x", "HTML page");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("complete");
	TCase *c = tcase_create("complete");

	tcase_set_timeout(c, 120);
	tcase_add_checked_fixture(c, make_dir, remove_dir);
	tcase_add_loop_test(c, custom, 0, CASES(minors));
	tcase_add_loop_test(c, tar, 0, CASES(minors));
	tcase_add_loop_test(c, directory, 0, CASES(minors));
	tcase_add_loop_test(c, tar_changed, 0, CASES(changed_tars));
	tcase_add_test(c, custom_changed);
	tcase_add_test(c, custom_ends_in_its_contents_again);
	tcase_add_test(c, directory_changed);
	tcase_add_test(c, directory_limited);
	tcase_add_test(c, directory_packed_afterwards);
	tcase_add_test(c, nothing_in_it);
	tcase_add_test(c, script);
	tcase_add_test(c, not_ours);
	suite_add_tcase(s, c);
	return suite_run(s);
}
