#ifndef TESTS_UNIT_UNPACK_H
#define TESTS_UNIT_UNPACK_H
/*
 * unpack: packs bytes in every form that a stream unpacks, and unpacks them in pieces, for the
 * tests of the stream.
 */
#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/stream.h"
#include "tests/unit/memory.h"
#include "tests/unit/suite.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdint.h>
#include <zlib.h>
#include <zstd.h>

enum { PLAIN = 3000, ROOM = 64 * 1024 };

/* Text that packs, but not to nothing: damage anywhere must hit something. */
static inline void fill(unsigned char *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		p[i] = i % 3 ? (unsigned char)('a' + (x >> 16) % 7) : (unsigned char)(x >> 24);
	}
}

static inline size_t pack_deflate(const void *in, size_t n, unsigned char *out, int bits)
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

static inline size_t pack_gzip(const void *in, size_t n, unsigned char *out)
{
	return pack_deflate(in, n, out, MAX_WBITS + 16);
}

static inline size_t pack_zlib(const void *in, size_t n, unsigned char *out)
{
	return pack_deflate(in, n, out, MAX_WBITS);
}

static inline size_t pack_zstd(const void *in, size_t n, unsigned char *out)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t made;

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	made = ZSTD_compress2(c, out, ROOM, in, n);
	ck_assert(!ZSTD_isError(made));
	ZSTD_freeCCtx(c);
	return made;
}

static inline size_t pack_lz4(const void *in, size_t n, unsigned char *out)
{
	LZ4F_preferences_t p = LZ4F_INIT_PREFERENCES;
	size_t made;

	p.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	made = LZ4F_compressFrame(out, ROOM, in, n, &p);
	ck_assert(!LZ4F_isError(made));
	return made;
}

static inline size_t pack_xz(const void *in, size_t n, unsigned char *out)
{
	size_t made = 0;

	ck_assert_int_eq(
		lzma_easy_buffer_encode(3, LZMA_CHECK_CRC64, NULL, in, n, out, &made, ROOM),
		LZMA_OK);
	return made;
}

static inline size_t pack_bzip2(const void *in, size_t n, unsigned char *out)
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

static inline void unpack_with(const unsigned char *p, size_t n, size_t step, struct stream_opts o,
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

static inline void unpack(const struct packer *k, const unsigned char *p, size_t n,
			  struct result *r)
{
	unpack_with(p, n, 1000, (struct stream_opts){ .codec = k->codec }, r);
}
#endif
