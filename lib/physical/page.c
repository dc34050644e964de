#include "lib/physical/page.h"

#include "lib/base/bytes.h"

#include <string.h>

/* Offsets in the header. */
enum {
	CHECKSUM_AT = 8,
	FLAGS_AT = 10,
	LOWER_AT = 12,
	UPPER_AT = 14,
	SPECIAL_AT = 16,
	SIZE_AT = 18
};
enum { HEADER_N = 24, LAYOUT_VERSION = 4, FLAGS_KNOWN = 0x0007, ALIGNED = 8 };

enum { SUMS = 32, ROW = SUMS * 4, LANES = 8, VECTORS = SUMS / LANES };
typedef uint32_t vector __attribute__((vector_size(LANES * sizeof(uint32_t))));
static const uint32_t prime = 16777619;

/* checksum_impl.h: random numbers that the sums begin with. */
static const uint32_t seeds[SUMS] = {
	0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2,
	0x83E13D2C, 0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C,
	0xF718902A, 0x0B1C9CDB, 0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979,
	0xCCA6C0B2, 0x304A0979, 0x85AA43D4, 0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E,
	0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
};

/* One word into each sum. Those stay in registers this way: as arrays of words gcc keeps them in
 * memory, at a third of the speed. */
static inline __attribute__((always_inline)) void mix(vector sums[VECTORS],
						      const unsigned char *row)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < VECTORS; i++) {
		vector words;

		memcpy(&words, row + i * sizeof(words), sizeof(words));
		words ^= sums[i];
		sums[i] = words * prime ^ words >> 17;
	}
}

/* The sum of the page as if its checksum field were zero. Inlined into each caller, so that it is
 * compiled once for each kind of processor. */
static inline __attribute__((always_inline)) uint32_t fold(const unsigned char *page, size_t size)
{
	unsigned char row[ROW];
	vector sums[VECTORS];
	uint32_t all = 0;

	memcpy(sums, seeds, sizeof(sums));
	memcpy(row, page, ROW);
	memset(row + CHECKSUM_AT, 0, sizeof(uint16_t));
	mix(sums, row);
	for (size_t at = ROW; at < size; at += ROW)
		mix(sums, page + at);
	memset(row, 0, ROW);
	mix(sums, row);
	mix(sums, row);
	for (int i = 0; i < SUMS; i++)
		all ^= sums[i / LANES][i % LANES];
	return all;
}

static uint32_t fold_any(const unsigned char *page, size_t size)
{
	return fold(page, size);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint32_t fold_avx2(const unsigned char *page, size_t size)
{
	return fold(page, size);
}
#endif

uint16_t page_checksum(const unsigned char *page, size_t size, uint32_t block)
{
	uint32_t sum;

#ifdef __x86_64__
	sum = __builtin_cpu_supports("avx2") ? fold_avx2(page, size) : fold_any(page, size);
#else
	sum = fold_any(page, size);
#endif
	return (uint16_t)((sum ^ block) % 65535 + 1);
}

uint64_t page_lsn(const unsigned char *page)
{
	return (uint64_t)bytes_le32(page) << 32 | bytes_le32(page + 4);
}

uint16_t page_stored(const unsigned char *page)
{
	return bytes_le16(page + CHECKSUM_AT);
}

static bool all_zero(const unsigned char *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static bool header_sound(const unsigned char *page, size_t size)
{
	const unsigned lower = bytes_le16(page + LOWER_AT), upper = bytes_le16(page + UPPER_AT);
	const unsigned special = bytes_le16(page + SPECIAL_AT);

	return bytes_le16(page + SIZE_AT) == (size | LAYOUT_VERSION) &&
	       (bytes_le16(page + FLAGS_AT) & ~FLAGS_KNOWN) == 0 && lower >= HEADER_N &&
	       lower <= upper && upper <= special && special <= size && special % ALIGNED == 0;
}

enum page_state page_look(const unsigned char *page, size_t size, uint32_t block, bool checksums)
{
	if (bytes_le16(page + UPPER_AT) == 0 && all_zero(page, size))
		return PAGE_NEW;
	if (!header_sound(page, size))
		return PAGE_HEADER;
	if (checksums && page_stored(page) != page_checksum(page, size, block))
		return PAGE_CHECKSUM;
	return PAGE_SOUND;
}

/* Digits at *s: their value, *s behind them; false when there are none or too many. */
static bool number(const char **s, uint32_t *out)
{
	uint64_t n = 0;
	const char *p = *s;

	while (*p >= '0' && *p <= '9' && n <= UINT32_MAX)
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == *s || n > UINT32_MAX)
		return false;
	*out = (uint32_t)n;
	*s = p;
	return true;
}

/* "16400", "16400_fsm.1": OID, perhaps a fork, perhaps a segment. */
static bool relation(const char *s, uint32_t pages_per_segment, uint32_t *first_block)
{
	static const char *const forks[] = { "_fsm", "_vm", "_init" };
	uint32_t oid, segment = 0;

	if (!number(&s, &oid))
		return false;
	for (size_t i = 0; *s == '_' && i < sizeof(forks) / sizeof(*forks); i++)
		if (strncmp(s, forks[i], strlen(forks[i])) == 0)
			s += strlen(forks[i]);
	if (*s == '.') {
		s++;
		if (!number(&s, &segment))
			return false;
	}
	*first_block = segment * pages_per_segment;
	return *s == '\0';
}

/* Passes over "NUMBER/". */
static bool oid_folder(const char **s)
{
	uint32_t oid;

	return number(s, &oid) && *(*s)++ == '/';
}

bool page_file(const char *path, uint32_t pages_per_segment, uint32_t *first_block)
{
	if (strncmp(path, "global/", 7) == 0)
		return relation(path + 7, pages_per_segment, first_block);
	if (strncmp(path, "base/", 5) == 0) {
		path += 5;
		return oid_folder(&path) && relation(path, pages_per_segment, first_block);
	}
	if (strncmp(path, "pg_tblspc/", 10) == 0) {
		path += 10;
		if (!oid_folder(&path) || strncmp(path, "PG_", 3) != 0)
			return false;
		path = strchr(path, '/');
		if (path++ == NULL)
			return false;
		return oid_folder(&path) && relation(path, pages_per_segment, first_block);
	}
	return false;
}
