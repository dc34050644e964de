/* How a stream is opened and read. */
#include "tests/unit/unpack.h"

#include <sys/mman.h>
#include <unistd.h>

static unsigned char plain[PLAIN], packed[2 * ROOM];
static struct result r;

static const struct {
	const char *text;
	size_t n;
} not_packed[] = {
	{ "", 0 }, { "x", 1 }, { "\x1f", 1 }, { "\x1f\x8b", 2 }, { "BZh91AY&S", 9 }, { "--\n", 3 },
};

START_TEST(as_it_is)
{
	unpack_with((const unsigned char *)not_packed[_i].text, not_packed[_i].n, 1,
		    (struct stream_opts){ 0 }, &r);
	ck_assert_int_eq(r.status, 0);
	ck_assert_uint_eq(r.n, not_packed[_i].n);
	ck_assert_mem_eq(r.out, not_packed[_i].text, r.n);
	ck_assert_str_eq(r.compression, "none");
}
END_TEST

START_TEST(forced)
{
	size_t n;

	/* A large object that happens to be gzip stays what it is. */
	fill(plain, PLAIN);
	n = pack_gzip(plain, PLAIN, packed);
	unpack_with(packed, n, 10, (struct stream_opts){ .codec = "none" }, &r);
	ck_assert_int_eq(r.status, 0);
	ck_assert_uint_eq(r.n, n);
	unpack_with(packed, n, 10, (struct stream_opts){ .codec = "zstd" }, &r);
	ck_assert_msg(strstr(r.e.msg, "does not begin as zstd") != NULL, "%s", r.e.msg);
	unpack_with(packed, 0, 10, (struct stream_opts){ .codec = "gzip" }, &r);
	ck_assert_msg(strstr(r.e.msg, "it is empty") != NULL, "%s", r.e.msg);
	unpack_with(packed, 0, 10, (struct stream_opts){ .codec = "rar" }, &r);
	ck_assert_int_eq(r.e.kind, ERR_USAGE);
}
END_TEST

START_TEST(skippable_first)
{
	static const unsigned char skip[] = { 0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c' };
	size_t n = sizeof(skip);

	memcpy(packed, skip, n);
	n += pack_zstd("hello", 5, packed + n);
	unpack(&packers[1], packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, 5);
}
END_TEST

START_TEST(peeking)
{
	struct err e = { 0 };
	struct memory m = { packed, 0, 3 };
	struct stream_source source = { read_memory, &m };
	const unsigned char *p;
	unsigned char got[PLAIN];
	struct stream *s;

	fill(plain, PLAIN);
	m.n = pack_gzip(plain, PLAIN, packed);
	s = stream_open(&source, NULL, &e);
	ck_assert_int_eq(stream_peek(s, 100, &p, &e), 100);
	ck_assert_mem_eq(p, plain, 100);
	ck_assert_int_eq(stream_peek(s, STREAM_PEEK, &p, &e), PLAIN);
	ck_assert_uint_eq(stream_out_b(s), 0);
	ck_assert_int_eq(stream_read(s, got, 10, &e), 10);
	ck_assert_int_eq(stream_read(s, got + 10, PLAIN, &e), PLAIN - 10);
	ck_assert_mem_eq(got, plain, PLAIN);
	ck_assert_int_eq(stream_read(s, got, 1, &e), 0);
	stream_close(s);
}
END_TEST

START_TEST(paths)
{
	struct err e = { 0 };
	STREAM_AUTO *a = stream_open_path("/nonexistent/x", NULL, &e);
	STREAM_AUTO *b = NULL;

	ck_assert_ptr_null(a);
	ck_assert_str_eq(e.msg, "open /nonexistent/x: No such file or directory");
	b = stream_open_path("/dev/null", NULL, &e);
	ck_assert_ptr_null(b);
	ck_assert_str_eq(e.msg, "open /dev/null: not a regular file");
}
END_TEST

START_TEST(descriptors)
{
	struct err e = { 0 };
	int fd = memfd_create("t", MFD_CLOEXEC);
	char got[10];
	struct stream *s;

	ck_assert_int_eq(write(fd, "hello", 5), 5);
	ck_assert_int_eq(lseek(fd, 1, SEEK_SET), 1);
	s = stream_open_fd(fd, NULL, &e);
	ck_assert_int_eq(stream_read(s, got, 10, &e), 4);
	ck_assert_mem_eq(got, "ello", 4);
	stream_close(s);
	ck_assert_int_eq(close(fd), 0);
	s = stream_open_fd(fd, &(struct stream_opts){ .name = "gone" }, &e);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_str_eq(e.msg, "read gone: Bad file descriptor");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stream_use");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, as_it_is, 0, CASES(not_packed));
	tcase_add_test(c, forced);
	tcase_add_test(c, skippable_first);
	tcase_add_test(c, peeking);
	tcase_add_test(c, paths);
	tcase_add_test(c, descriptors);
	suite_add_tcase(s, c);
	return suite_run(s);
}
