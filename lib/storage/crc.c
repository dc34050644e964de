#include "lib/storage/crc.h"

#include "lib/base/bytes.h"

#include <pthread.h>
#include <string.h>
#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#include <limits.h>
#endif

enum { STEP = 8, KINDS = 2 };

static const struct {
	uint64_t polynomial, mask;
} kinds[KINDS] = {
	[CRC_32C] = { 0x82f63b78, 0xffffffff }, [CRC_64NVME] = { 0x9a6c9329ac4bc9b5, UINT64_MAX }
};

/* tables[k][i][b]: what the byte b becomes i bytes later. */
static uint64_t tables[KINDS][STEP][256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill_tables(void)
{
	for (int k = 0; k < KINDS; k++) {
		for (unsigned b = 0; b < 256; b++) {
			uint64_t crc = b;

			for (int bit = 0; bit < 8; bit++)
				crc = crc & 1 ? crc >> 1 ^ kinds[k].polynomial : crc >> 1;
			tables[k][0][b] = crc;
		}
		for (int i = 1; i < STEP; i++)
			for (unsigned b = 0; b < 256; b++) {
				uint64_t crc = tables[k][i - 1][b];

				tables[k][i][b] = crc >> 8 ^ tables[k][0][crc & 0xff];
			}
	}
}

#ifdef __x86_64__
#ifdef HAVE_ISAL
enum { LONG = 256 };
#endif

/* The processor's own instruction for this polynomial, several times as fast; over longer pieces
 * ISA-L has several of them under way at a time. */
__attribute__((target("sse4.2"))) static uint64_t add_32c(uint64_t crc, const unsigned char *s,
							  size_t n)
{
	crc ^= kinds[CRC_32C].mask;
#ifdef HAVE_ISAL
	if (n >= LONG && n <= INT_MAX) {
		unsigned char *only_read; /* though it is no const of theirs */

		memcpy(&only_read, &s, sizeof(only_read));
		return crc32_iscsi(only_read, (int)n, (unsigned)crc) ^ kinds[CRC_32C].mask;
	}
#endif
	for (; n >= STEP; s += STEP, n -= STEP)
		crc = __builtin_ia32_crc32di(crc, bytes_le64(s));
	if (n & 4) {
		crc = __builtin_ia32_crc32si((uint32_t)crc, bytes_le32(s));
		s += 4;
	}
	if (n & 2) {
		crc = __builtin_ia32_crc32hi((uint32_t)crc, bytes_le16(s));
		s += 2;
	}
	if (n & 1)
		crc = __builtin_ia32_crc32qi((uint32_t)crc, *s);
	return crc ^ kinds[CRC_32C].mask;
}
#endif

uint64_t crc_add(enum crc_kind kind, uint64_t crc, const void *p, size_t n)
{
	const unsigned char *s = p;
	uint64_t(*t)[256] = tables[kind];

#ifdef __x86_64__
	if (kind == CRC_32C && __builtin_cpu_supports("sse4.2"))
		return add_32c(crc, p, n);
#endif
	(void)pthread_once(&once, fill_tables);
	crc ^= kinds[kind].mask;
	for (; n >= STEP; s += STEP, n -= STEP) {
		const uint64_t word = bytes_le64(s) ^ crc;

		crc = t[7][word & 0xff] ^ t[6][word >> 8 & 0xff] ^ t[5][word >> 16 & 0xff] ^
		      t[4][word >> 24 & 0xff] ^ t[3][word >> 32 & 0xff] ^ t[2][word >> 40 & 0xff] ^
		      t[1][word >> 48 & 0xff] ^ t[0][word >> 56];
	}
	for (; n > 0; s++, n--)
		crc = crc >> 8 ^ t[0][(crc ^ *s) & 0xff];
	return crc ^ kinds[kind].mask;
}

/* The product of two polynomials modulo that of the kind; the highest bit stands for x^0. */
static uint64_t multiply(enum crc_kind kind, uint64_t a, uint64_t b)
{
	uint64_t product = 0;

	for (uint64_t bit = kinds[kind].mask ^ kinds[kind].mask >> 1; bit != 0; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ kinds[kind].polynomial : b >> 1;
	}
	return product;
}

uint64_t crc_join(enum crc_kind kind, uint64_t before, uint64_t behind, uint64_t n)
{
	const uint64_t one = kinds[kind].mask ^ kinds[kind].mask >> 1;
	uint64_t shift = one, power = one >> STEP; /* of one byte */

	for (; n > 0; n >>= 1) {
		if (n & 1)
			shift = multiply(kind, shift, power);
		power = multiply(kind, power, power);
	}
	return multiply(kind, shift, before) ^ behind;
}
