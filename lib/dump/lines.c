#include "lib/dump/lines.h"

#include <stdbool.h>
#include <string.h>

/* GCC and clang make the best of it that the processor has: one instruction with AVX2, two without.
 * Vectors are not passed by value, for how that is done depends on the processor, too. */
typedef unsigned char vector __attribute__((vector_size(32)));
enum { LANES = 32 };
/* A lane counts one line end a step. */
_Static_assert(LINES_BLOCK % LANES == 0 && LINES_BLOCK / LANES < 256, "a lane would overflow");

/* Compiled once for each kind of processor. */
#define FOR_EACH static inline __attribute__((always_inline))

FOR_EACH unsigned sum(const vector *v)
{
	unsigned n = 0;

	for (int i = 0; i < LANES; i++)
		n += (*v)[i];
	return n;
}

/* Reads two bytes more than the block. False: there is something in it to be looked at. */
FOR_EACH bool plain_block(const char *p, uint64_t *lines)
{
	vector found = { 0 }, ends = { 0 };

	for (int i = 0; i < LINES_BLOCK; i += LANES) {
		vector here, next, third, end;

		memcpy(&here, p + i, sizeof(here));
		memcpy(&next, p + i + 1, sizeof(next));
		memcpy(&third, p + i + 2, sizeof(third));
		end = (vector)(here == '\n');
		ends -= end;
		found |= (end & (vector)(next == '\\') & (vector)(third == '.')) |
			 (vector)(here == 0);
	}
	if (sum(&found) != 0)
		return false;
	*lines += sum(&ends);
	return true;
}

FOR_EACH size_t plain_blocks(const char *p, size_t n, uint64_t *lines)
{
	size_t at = 0;

	while (n - at >= LINES_BLOCK + 2 && plain_block(p + at, lines))
		at += LINES_BLOCK;
	return at;
}

/* Whatever else is in them. */
FOR_EACH uint64_t count_blocks(const char *p, size_t blocks)
{
	uint64_t lines = 0;

	for (; blocks > 0; blocks--, p += LINES_BLOCK) {
		vector ends = { 0 };

		for (int i = 0; i < LINES_BLOCK; i += LANES) {
			vector here;

			memcpy(&here, p + i, sizeof(here));
			ends -= (vector)(here == '\n');
		}
		lines += sum(&ends);
	}
	return lines;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t plain_avx2(const char *p, size_t n, uint64_t *lines)
{
	return plain_blocks(p, n, lines);
}

__attribute__((target("avx2"))) static uint64_t count_avx2(const char *p, size_t blocks)
{
	return count_blocks(p, blocks);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
#else
#define plain_avx2 plain_blocks
#define count_avx2 count_blocks

static bool has_avx2(void)
{
	return false;
}
#endif

size_t lines_plain(const char *p, size_t n, uint64_t *lines)
{
	return has_avx2() ? plain_avx2(p, n, lines) : plain_blocks(p, n, lines);
}

uint64_t lines_count(const char *p, size_t n)
{
	const size_t blocks = n / LINES_BLOCK;
	const char *const end = p + n;
	uint64_t lines = has_avx2() ? count_avx2(p, blocks) : count_blocks(p, blocks);

	p += blocks * LINES_BLOCK;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		lines++;
		p++;
	}
	return lines;
}
