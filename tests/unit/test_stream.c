#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/stream.h"
#include "tests/unit/memory.h"
#include "tests/unit/suite.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN = 3000, ROOM = 64 * 1024 };

/* Text that packs, but not to nothing: damage anywhere must hit something. */
static void fill(unsigned char *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		p[i] = i % 3 ? (unsigned char)('a' + (x >> 16) % 7) : (unsigned char)(x >> 24);
	}
}

static size_t pack_deflate(const void *in, size_t n, unsigned char *out, int bits)
{
	z_stream z = { 0 };
	size_t made;

	ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	memcpy(&z.next_in, &in, sizeof(z.next_in));
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = ROOM;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	made = z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	return made;
}

static size_t pack_gzip(const void *in, size_t n, unsigned char *out)
{
	return pack_deflate(in, n, out, MAX_WBITS + 16);
}

static size_t pack_zlib(const void *in, size_t n, unsigned char *out)
{
	return pack_deflate(in, n, out, MAX_WBITS);
}

static size_t pack_zstd(const void *in, size_t n, unsigned char *out)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t made;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(c, out, ROOM, in, n);
	ck_assert(!ZSTD_isError(made));
	ZSTD_freeCCtx(c);
	return made;
}

static size_t pack_lz4(const void *in, size_t n, unsigned char *out)
{
	LZ4F_preferences_t p = LZ4F_INIT_PREFERENCES;
	size_t made;

	p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	made = LZ4F_compressFrame(out, ROOM, in, n, &p);
	ck_assert(!LZ4F_isError(made));
	return made;
}

static size_t pack_xz(const void *in, size_t n, unsigned char *out)
{
	size_t made = 0;

	ck_assert_int_eq(
		lzma_easy_buffer_encode(3, LZMA_CHECK_CRC64, NULL, in, n, out, &made, ROOM),
		LZMA_OK);
	return made;
}

static size_t pack_bzip2(const void *in, size_t n, unsigned char *out)
{
	unsigned made = ROOM;
	char *from;

	memcpy(&from, &in, sizeof(from));
	ck_assert_int_eq(BZ2_bzBuffToBuffCompress((char *)out, &made, from, (unsigned)n, 9, 0, 0),
			 BZ_OK);
	return made;
}

static const struct packer {
	const char *name;
	const char *codec; /* NULL: by content */
	size_t (*pack)(const void *in, size_t n, unsigned char *out);
	size_t magic; /* a file cut before this many bytes is not recognised */
	bool padded;
} packers[] = {
	{ "gzip", NULL, pack_gzip, 3, true },     { "zstd", NULL, pack_zstd, 4, false },
	{ "lz4", NULL, pack_lz4, 4, false },      { "xz", NULL, pack_xz, 6, true },
	{ "bzip2", NULL, pack_bzip2, 10, false }, { "zlib", "zlib", pack_zlib, 0, false },
};
enum { PACKERS = sizeof(packers) / sizeof(packers[0]) };

struct result {
	unsigned char out[4 * PLAIN];
	size_t n;
	int status; /* 0: came to the end; -1: failed */
	struct err e;
	char compression[64], note[128];
	uint64_t in_b, out_b;
};

static void unpack_with(const unsigned char *p, size_t n, size_t step, struct stream_opts o,
			struct result *r)
{
	struct memory m = { p, n, step };
	struct stream_source source = { read_memory, &m };
	struct stream *s;
	ssize_t got;

	*r = (struct result){ .status = -1 };
	s = stream_open(&source, &o, &r->e);
	if (s == NULL)
		return;
	do {
		const unsigned char *q;

		got = stream_next(s, &q, &r->e);
		if (got > 0) {
			ck_assert_uint_le((size_t)got, sizeof(r->out) - r->n);
			memcpy(r->out + r->n, q, (size_t)got);
			r->n += (size_t)got;
		}
	} while (got > 0);
	r->status = (int)got;
	r->in_b = stream_in_b(s);
	r->out_b = stream_out_b(s);
	(void)snprintf(r->compression, sizeof(r->compression), "%s", stream_compression(s));
	(void)snprintf(r->note, sizeof(r->note), "%s", stream_note(s));
	if (got < 0) { /* a failed stream stays failed */
		struct err again = { 0 };

		ck_assert_int_eq(stream_read(s, r->out, 1, &again), -1);
		ck_assert_str_eq(again.msg, r->e.msg);
	}
	stream_close(s);
}

static void unpack(const struct packer *k, const unsigned char *p, size_t n, struct result *r)
{
	unpack_with(p, n, 1000, (struct stream_opts){ .codec = k->codec }, r);
}

static unsigned char plain[PLAIN], packed[2 * ROOM];
static struct result r;

START_TEST(whole)
{
	const struct packer *k = &packers[_i];
	static const size_t steps[] = { 1, 2, 7, 100, ROOM };
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		unpack_with(packed, n, steps[i], (struct stream_opts){ .codec = k->codec }, &r);
		ck_assert_msg(r.status == 0, "%s", r.e.msg);
		ck_assert_uint_eq(r.n, PLAIN);
		ck_assert_mem_eq(r.out, plain, PLAIN);
		ck_assert_str_eq(r.compression, k->name);
		ck_assert_str_eq(r.note, "");
		ck_assert_uint_eq(r.in_b, n);
		ck_assert_uint_eq(r.out_b, PLAIN);
	}
}
END_TEST

START_TEST(packed_nothing)
{
	const struct packer *k = &packers[_i];
	size_t n = k->pack("", 0, packed);

	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(cut_anywhere)
{
	const struct packer *k = &packers[_i];
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t cut = k->magic; cut < n; cut++) {
		unpack(k, packed, cut, &r);
		ck_assert_msg(r.status == -1, "%s cut at %zu of %zu", k->name, cut, n);
		ck_assert_int_eq(r.e.kind, ERR_BACKUP);
		ck_assert_msg(strstr(r.e.msg, "truncated") != NULL, "%s", r.e.msg);
		ck_assert(memcmp(r.out, plain, r.n) == 0);
	}
}
END_TEST

/* Adler-32, all that zlib has, is blind to some changes: one of these flips turns "gef" into
 * "fge", which has the same sum. */
static bool adler_is_blind(const struct packer *k)
{
	return strcmp(k->name, "zlib") == 0 && r.n == PLAIN &&
	       adler32(1, r.out, PLAIN) == adler32(1, plain, PLAIN);
}

/* A flipped bit is found, or harmless (the time in gzip's header): never other bytes. */
START_TEST(flipped_anywhere)
{
	const struct packer *k = &packers[_i];
	size_t n, found = 0;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	for (size_t i = 0; i < n * 8; i++) {
		packed[i / 8] ^= (unsigned char)(1u << i % 8);
		unpack(k, packed, n, &r);
		packed[i / 8] ^= (unsigned char)(1u << i % 8);
		if (r.status == 0 && i / 8 >= k->magic && !adler_is_blind(k))
			ck_assert_msg(r.n == PLAIN && memcmp(r.out, plain, PLAIN) == 0,
				      "%s: bit %zu of byte %zu", k->name, i % 8, i / 8);
		found += r.status != 0;
	}
	ck_assert_uint_gt(found, n * 7);
}
END_TEST

START_TEST(several_members)
{
	const struct packer *k = &packers[_i];
	size_t n;

	if (k->codec) /* one zlib stream is all there is: more is an error */
		return;
	fill(plain, PLAIN);
	n = k->pack(plain, 1000, packed);
	n += k->pack(plain + 1000, 0, packed + n);
	n += k->pack(plain + 1000, PLAIN - 1000, packed + n);
	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, PLAIN);
	ck_assert_mem_eq(r.out, plain, PLAIN);
}
END_TEST

START_TEST(something_behind)
{
	const struct packer *k = &packers[_i];
	size_t n;

	fill(plain, PLAIN);
	n = k->pack(plain, PLAIN, packed);
	memcpy(packed + n, "garbage", 7);
	unpack(k, packed, n + 7, &r);
	ck_assert_int_eq(r.status, -1);
	ck_assert_int_eq(r.e.kind, ERR_BACKUP);
	ck_assert_msg(strstr(r.e.msg, "foreign bytes") != NULL, "%s", r.e.msg);
	ck_assert_uint_eq(r.n, PLAIN);

	memset(packed + n, 0, 512);
	unpack(k, packed, n + 512, &r);
	ck_assert_int_eq(r.status, k->padded ? 0 : -1);
	ck_assert_str_eq(r.note, !k->padded ? ""
				 : strcmp(k->name, "gzip") == 0
					 ? "512 zero bytes follow the gzip data"
					 : "512 zero bytes follow the xz data");
}
END_TEST

START_TEST(twice)
{
	static unsigned char inner[ROOM];
	const struct packer *k = &packers[_i];
	char want[32];
	size_t n;

	fill(plain, PLAIN);
	n = pack_gzip(plain, PLAIN, inner);
	n = k->pack(inner, n, packed);
	unpack(k, packed, n, &r);
	ck_assert_msg(r.status == 0, "%s", r.e.msg);
	if (k->codec) { /* told what it is: what comes out is data, whatever it looks like */
		ck_assert_str_eq(r.compression, k->name);
		return;
	}
	ck_assert_mem_eq(r.out, plain, PLAIN);
	(void)snprintf(want, sizeof(want), "gzip in %s", k->name);
	ck_assert_str_eq(r.compression, want);
	ck_assert_msg(strstr(r.note, want) != NULL, "%s", r.note);
}
END_TEST

START_TEST(too_deep)
{
	static unsigned char other[ROOM];
	size_t n = pack_gzip("x", 1, packed);

	for (int i = 0; i < STREAM_DEPTH; i++) {
		memcpy(other, packed, n);
		n = pack_gzip(other, n, packed);
	}
	unpack(&packers[0], packed, n, &r);
	ck_assert_int_eq(r.status, -1);
	ck_assert_msg(strstr(r.e.msg, "more than 6 times") != NULL, "%s", r.e.msg);
}
END_TEST

START_TEST(limits)
{
	size_t n;

	fill(plain, PLAIN);
	n = pack_gzip(plain, PLAIN, packed);
	unpack_with(packed, n, ROOM, (struct stream_opts){ .max_out_b = PLAIN }, &r);
	ck_assert_int_eq(r.status, 0);
	unpack_with(packed, n, ROOM, (struct stream_opts){ .max_out_b = PLAIN - 1, .name = "f" },
		    &r);
	ck_assert_int_eq(r.e.kind, ERR_SYSTEM);
	ck_assert_str_eq(r.e.msg, "read f: more than 2999 bytes come out of it; raise MAX_UNPACKED "
				  "if that is right");
}
END_TEST

START_TEST(ratio)
{
	enum { BOMB = 80 * 1024 * 1024 };
	unsigned char *zeros = xcalloc(BOMB, 1);
	struct memory m = { packed, 0, ROOM };
	struct stream_source source = { read_memory, &m };
	struct stream_opts o = { .max_ratio = 1000 };
	struct err e = { 0 };
	const unsigned char *p;
	struct stream *s;
	ssize_t got;

	m.n = pack_zstd(zeros, BOMB, packed);
	s = stream_open(&source, &o, &e);
	ck_assert_ptr_nonnull(s);
	do
		got = stream_next(s, &p, &e);
	while (got > 0);
	ck_assert_int_eq(got, -1);
	ck_assert_int_eq(e.kind, ERR_SYSTEM);
	ck_assert_msg(strstr(e.msg, "more than 1000 to 1") != NULL, "%s", e.msg);
	stream_close(s);
	free(zeros);
}
END_TEST

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
	Suite *s = suite_create("stream");
	TCase *c = tcase_create("stream");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, whole, 0, PACKERS);
	tcase_add_loop_test(c, packed_nothing, 0, PACKERS);
	tcase_add_loop_test(c, cut_anywhere, 0, PACKERS);
	tcase_add_loop_test(c, flipped_anywhere, 0, PACKERS);
	tcase_add_loop_test(c, several_members, 0, PACKERS);
	tcase_add_loop_test(c, something_behind, 0, PACKERS);
	tcase_add_loop_test(c, twice, 0, PACKERS);
	tcase_add_test(c, too_deep);
	tcase_add_test(c, limits);
	tcase_add_test(c, ratio);
	tcase_add_loop_test(c, as_it_is, 0, CASES(not_packed));
	tcase_add_test(c, forced);
	tcase_add_test(c, skippable_first);
	tcase_add_test(c, peeking);
	tcase_add_test(c, paths);
	tcase_add_test(c, descriptors);
	suite_add_tcase(s, c);
	return suite_run(s);
}
