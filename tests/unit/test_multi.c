/* Compressed files of many members, unpacked by several threads: the same bytes as by one, the same
 * verdict on what is cut or damaged. */
#include "lib/base/xmem.h"
#include "lib/dump/members.h"
#include "lib/dump/multi.h"
#include "tests/unit/suite.h"

#include <lz4frame.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* A piece has at least 256 KiB packed. */
enum { MEMBER = 60000, MEMBERS = 40, ROOM = 4 << 20 };

static unsigned char plain[MEMBERS * MEMBER], packed[ROOM];
static size_t packed_n, ends[2 * MEMBERS];
static int members;

/* Half of it packs well, half not at all. */
static void fill(void)
{
	uint32_t x = 4711;

	for (size_t i = 0; i < sizeof(plain); i++) {
		x = x * 1103515245 + 12345;
		plain[i] = i & 64 ? 'a' : (unsigned char)(x >> 24);
	}
}

static size_t zstd_member(const unsigned char *p, size_t n, unsigned char *to)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t made;

	(void)ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(c, to, ROOM - packed_n, p, n);
	ck_assert(!ZSTD_isError(made));
	(void)ZSTD_freeCCtx(c);
	return made;
}

/* As pzstd does: a skippable frame with the length of the next, in the same member here. */
static size_t skippable_member(const unsigned char *p, size_t n, unsigned char *to)
{
	static const unsigned char skip[] = { 0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4 };

	memcpy(to, skip, sizeof(skip));
	ends[members++] = packed_n + sizeof(skip);
	return sizeof(skip) + zstd_member(p, n, to + sizeof(skip));
}

static size_t lz4_member(const unsigned char *p, size_t n, unsigned char *to)
{
	LZ4F_preferences_t how = { 0 };
	size_t made;

	how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	how.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
	how.frameInfo.contentSize = n;
	made = LZ4F_compressFrame(to, ROOM - packed_n, p, n, &how);
	ck_assert(!LZ4F_isError(made));
	return made;
}

static size_t bgzf_member(const unsigned char *p, size_t n, unsigned char *to)
{
	unsigned char extra[] = { 'B', 'C', 2, 0, 0, 0 };
	z_stream z = { 0 };
	gz_header h = { .extra = extra, .extra_len = sizeof(extra) };
	size_t made;

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	ck_assert_int_eq(deflateSetHeader(&z, &h), Z_OK);
	memcpy(&z.next_in, &p, sizeof(p));
	z.avail_in = (uInt)n;
	z.next_out = to;
	z.avail_out = (uInt)(ROOM - packed_n);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	made = z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	ck_assert_uint_le(made, 65536);
	to[16] = (unsigned char)((made - 1) & 0xff);
	to[17] = (unsigned char)((made - 1) >> 8);
	return made;
}

static const struct {
	const char *codec;
	size_t (*member)(const unsigned char *p, size_t n, unsigned char *to);
} forms[] = {
	{ "zstd", zstd_member },
	{ "zstd", skippable_member },
	{ "lz4", lz4_member },
	{ "gzip", bgzf_member },
};

static void pack(int form)
{
	fill();
	packed_n = 0;
	members = 0;
	for (size_t i = 0; i < MEMBERS; i++) {
		packed_n += forms[form].member(plain + i * MEMBER, MEMBER, packed + packed_n);
		ends[members++] = packed_n;
	}
}

struct result {
	unsigned char *p;
	size_t n;
	struct err e;
	char compression[32];
};

static void read_all(struct stream *s, struct result *r)
{
	ssize_t got = s ? 1 : -1;

	r->n = 0;
	r->p = xmalloc(sizeof(plain) + 1);
	(void)snprintf(r->compression, sizeof(r->compression), "%s",
		       s ? stream_compression(s) : "");
	while (got > 0 && r->n <= sizeof(plain)) {
		got = stream_read(s, r->p + r->n, sizeof(plain) + 1 - r->n, &r->e);
		r->n += got > 0 ? (size_t)got : 0;
	}
	stream_close(s);
}

static int file_of(size_t n)
{
	int fd = memfd_create("packed", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert(write(fd, packed, n) == (ssize_t)n);
	return fd;
}

/* By one thread and by several: what they agree on. */
static void both(size_t n, struct result *one, unsigned threads)
{
	struct result many = { 0 };
	struct err e = { 0 };
	int fd = file_of(n);
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*one = (struct result){ 0 };
	read_all(stream_open_path(path, NULL, &one->e), one);
	read_all(multi_open_path(path, NULL, threads, &e), &many);
	if (many.n == 0 && many.e.kind == ERR_NONE)
		many.e = e;
	(void)close(fd);
	ck_assert_msg(many.e.kind == one->e.kind, "%s / %s", one->e.msg, many.e.msg);
	ck_assert_str_eq(one->compression, many.compression);
	if (one->e.kind == ERR_NONE) {
		ck_assert_uint_eq(many.n, one->n);
		ck_assert_mem_eq(many.p, one->p, one->n);
	}
	free(many.p);
}

START_TEST(ends_told)
{
	struct member m = { 0 };
	int fd;

	pack(_i);
	fd = file_of(packed_n);
	for (int i = 0; i < members; i++) {
		ck_assert(member_at(fd, forms[_i].codec, m.end_b, &m));
		ck_assert_uint_eq(m.end_b, ends[i]);
	}
	ck_assert(!member_at(fd, forms[_i].codec, m.end_b, &m));
	(void)close(fd);
	for (size_t n = 0; n < ends[0]; n += n < 60 ? 1 : 1009) {
		fd = file_of(n);
		ck_assert(!member_at(fd, forms[_i].codec, 0, &m));
		(void)close(fd);
	}
}
END_TEST

START_TEST(whole)
{
	static const unsigned threads[] = { 1, 2, 3, 16 };
	struct result r;

	pack(_i);
	for (int k = 0; k < CASES(threads); k++) {
		both(packed_n, &r, threads[k]);
		ck_assert_int_eq(r.e.kind, ERR_NONE);
		ck_assert_uint_eq(r.n, sizeof(plain));
		ck_assert_mem_eq(r.p, plain, r.n);
		ck_assert_str_eq(r.compression, forms[_i].codec);
		free(r.p);
	}
}
END_TEST

START_TEST(cut)
{
	struct result r;

	pack(_i);
	for (int i = 0; i < members; i += 7) {
		both(ends[i] - 1, &r, 2);
		ck_assert_int_eq(r.e.kind, ERR_BACKUP);
		free(r.p);
		both(ends[i], &r, 2);
		ck_assert_int_eq(r.e.kind, ERR_NONE);
		free(r.p);
	}
}
END_TEST

START_TEST(damaged)
{
	struct result r;

	pack(_i);
	for (size_t i = 1; i < packed_n; i += packed_n / 23) {
		packed[i] ^= 0xff;
		both(packed_n, &r, 2);
		packed[i] ^= 0xff;
		free(r.p);
	}
}
END_TEST

START_TEST(followed)
{
	static const char *const tails[] = { "foreign", "\0\0\0\0\0\0\0" };

	pack(_i);
	for (int k = 0; k < CASES(tails); k++) {
		struct result r;

		memcpy(packed + packed_n, tails[k], 7);
		both(packed_n + 7, &r, 2);
		ck_assert_int_eq(r.e.kind, k == 1 && strcmp(forms[_i].codec, "gzip") == 0
						   ? ERR_NONE
						   : ERR_BACKUP);
		free(r.p);
	}
}
END_TEST

/* Threads that wait for room end when nobody reads any more. */
START_TEST(left_early)
{
	struct err e = { 0 };
	const unsigned char *p;
	struct stream *s;
	char path[64];
	int fd;

	pack(_i);
	fd = file_of(packed_n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	s = multi_open_path(path, NULL, 2, &e);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_gt(stream_next(s, &p, &e), 0);
	stream_close(s);
	(void)close(fd);
}
END_TEST

/* The same limit as for one thread. */
START_TEST(limited)
{
	const struct stream_opts opts = { .max_out_b = sizeof(plain) / 2 };
	struct err e = { 0 };
	const unsigned char *p;
	struct stream *s;
	char path[64];
	ssize_t n = 0;
	int fd;

	pack(_i);
	fd = file_of(packed_n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	s = multi_open_path(path, &opts, 2, &e);
	ck_assert_ptr_nonnull(s);
	while ((n = stream_next(s, &p, &e)) > 0)
		;
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(e.msg, "MAX_UNPACKED"));
	stream_close(s);
	(void)close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("multi");
	TCase *c = tcase_create("all");

	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, ends_told, 0, CASES(forms));
	tcase_add_loop_test(c, whole, 0, CASES(forms));
	tcase_add_loop_test(c, cut, 0, CASES(forms));
	tcase_add_loop_test(c, damaged, 0, CASES(forms));
	tcase_add_loop_test(c, followed, 0, CASES(forms));
	tcase_add_loop_test(c, left_early, 0, CASES(forms));
	tcase_add_loop_test(c, limited, 0, CASES(forms));
	suite_add_tcase(s, c);
	return suite_run(s);
}
