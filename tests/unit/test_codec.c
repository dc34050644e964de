/* gzip and zlib data by ISA-L and by zlib: the same verdict, and the same bytes, whatever is
 * damaged.
 */
#include "lib/base/xmem.h"
#include "lib/dump/codec.h"
#include "tests/unit/suite.h"

#include <stdint.h>
#include <zlib.h>

enum { PLAIN = 20000, ROOM = 64 * 1024 };

/* Text that packs, with stretches that do not, for blocks of every kind. */
static void fill(unsigned char *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1103515245 + 12345;
		p[i] = i % 8000 < 3000 ? (unsigned char)(x >> 24)
				       : (unsigned char)('a' + (x >> 16) % 7);
	}
}

static const struct {
	int level, strategy;
	const char *name;
	bool zlib; /* RFC 1950, else gzip */
} ways[] = {
	{ 6, Z_DEFAULT_STRATEGY, NULL, false }, { 0, Z_DEFAULT_STRATEGY, "stored", false },
	{ 1, Z_FIXED, "fixed codes", false },   { 9, Z_HUFFMAN_ONLY, NULL, false },
	{ 6, Z_DEFAULT_STRATEGY, NULL, true },  { 0, Z_DEFAULT_STRATEGY, NULL, true },
};

static size_t pack(const unsigned char *in, size_t n, unsigned char *out, int way)
{
	z_stream z = { 0 };
	gz_header h = { .name = (Bytef[]){ "a name" }, .hcrc = 1 };
	size_t made;

	ck_assert_int_eq(deflateInit2(&z, ways[way].level, Z_DEFLATED,
				      ways[way].zlib ? MAX_WBITS : MAX_WBITS + 16, 8,
				      ways[way].strategy),
			 Z_OK);
	if (ways[way].name)
		ck_assert_int_eq(deflateSetHeader(&z, &h), Z_OK);
	memcpy(&z.next_in, &in, sizeof(z.next_in));
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = ROOM;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	made = z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	return made;
}

struct result {
	enum codec_step end; /* CODEC_MORE: it waits for more input */
	unsigned char out[ROOM];
	size_t n, taken;
};

static void unpack(const struct codec *c, const unsigned char *p, size_t n, size_t step,
		   struct result *r)
{
	void *state = c->open(NULL);
	size_t at = 0, window = step;
	bool idle, last;
	const char *why = "";

	r->n = 0;
	do {
		size_t k = window < n - at ? window : n - at;
		struct codec_io io = { p + at, k, r->out + r->n, ROOM - r->n, at + k == n };

		r->end = c->step(state, &io, &why);
		idle = io.in_n == k && ROOM - io.out_n == r->n;
		last = at + k == n;
		window = idle ? window + step : step; /* it asks for more at a time */
		at += k - io.in_n;
		r->n = ROOM - io.out_n;
	} while (r->end == CODEC_MORE && !(idle && last));
	r->taken = at;
	ck_assert_int_eq(*why == '\0', r->end == CODEC_MORE || r->end == CODEC_END);
	c->close(state);
}

static unsigned char plain[PLAIN], packed[ROOM];
static struct result one, two;

#ifdef HAVE_ISAL
#define BEST_GZIP codec_gzip_isal
#define BEST_ZLIB codec_zlib_isal
#else
#define BEST_GZIP codec_gzip
#define BEST_ZLIB codec_zlib
#endif
enum { WAYS = CASES(ways) };

static size_t make(int i)
{
	fill(plain, PLAIN);
	return pack(plain, PLAIN, packed, i);
}

static void both(int way, size_t n, size_t step)
{
	unpack(ways[way].zlib ? &codec_zlib : &codec_gzip, packed, n, step, &one);
	unpack(ways[way].zlib ? &BEST_ZLIB : &BEST_GZIP, packed, n, step, &two);
}

START_TEST(whole)
{
	static const size_t steps[] = { 1, 3, 100, ROOM };
	size_t n = make(_i);

	memcpy(packed + n, "garbage!", 8);
	for (int k = 0; k < CASES(steps); k++) {
		both(_i, n + 8, steps[k]);
		ck_assert_int_eq(one.end, CODEC_END);
		ck_assert_int_eq(two.end, CODEC_END);
		ck_assert_uint_eq(one.taken, n);
		ck_assert_uint_eq(two.taken, n);
		ck_assert_uint_eq(two.n, PLAIN);
		ck_assert_mem_eq(two.out, plain, PLAIN);
	}
}
END_TEST

START_TEST(cut)
{
	size_t n = make(_i);

	for (size_t k = 0; k < n; k += k < 50 || k + 50 > n ? 1 : 37) {
		both(_i, k, ROOM);
		ck_assert_int_eq(one.end, CODEC_MORE);
		ck_assert_int_eq(two.end, CODEC_MORE);
		ck_assert_mem_eq(two.out, plain, two.n);
	}
}
END_TEST

/* ISA-L takes a code that is not complete, where what is missing is not used: then CRC and length
 * are those of the right bytes. */
START_TEST(flipped)
{
	size_t n = make(_i);

	for (size_t k = ways[_i].zlib ? 0 : 2; k < n; k += k < 200 || k + 50 > n ? 1 : 41) {
		for (unsigned bit = 0; bit < 8; bit++) {
			packed[k] ^= (unsigned char)(1u << bit);
			both(_i, n, ROOM);
			packed[k] ^= (unsigned char)(1u << bit);
			ck_assert_msg(one.end == two.end ||
					      (one.end == CODEC_DAMAGED && two.end == CODEC_END),
				      "byte %zu bit %u: %u and %u", k, bit, one.end, two.end);
			if (two.end == CODEC_END) {
				ck_assert_uint_eq(two.n, PLAIN);
				ck_assert_mem_eq(two.out, plain, PLAIN);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("codec");
	TCase *c = tcase_create("gzip");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, whole, 0, WAYS);
	tcase_add_loop_test(c, cut, 0, WAYS);
	tcase_add_loop_test(c, flipped, 0, WAYS);
	suite_add_tcase(s, c);
	return suite_run(s);
}
