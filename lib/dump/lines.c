#include "lib/dump/lines.h"

#include <stdbool.h>
#include <string.h>

/* GCC and clang make the best of what the processor has. */
typedef unsigned char vector __attribute__((vector_size(16)));
enum { LANES = 16 };
/* A lane counts one line end a step. */
_Static_assert(LINES_BLOCK % LANES == 0 && LINES_BLOCK / LANES < 256, "a lane would overflow");

static vector load(const char *p)
{
	vector v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static unsigned sum(vector v)
{
	unsigned n = 0;

	for (int i = 0; i < LANES; i++)
		n += v[i];
	return n;
}

/* Reads two bytes more than the block. False: there is something in it to be looked at. */
static bool plain_block(const char *p, uint64_t *lines)
{
	vector found = { 0 }, ends = { 0 };

	for (int i = 0; i < LINES_BLOCK; i += LANES) {
		const vector here = load(p + i);
		const vector end = (vector)(here == '\n');

		ends -= end;
		found |= (end & (vector)(load(p + i + 1) == '\\') &
			  (vector)(load(p + i + 2) == '.')) |
			 (vector)(here == 0);
	}
	if (sum(found) != 0)
		return false;
	*lines += sum(ends);
	return true;
}

size_t lines_plain(const char *p, size_t n, uint64_t *lines)
{
	size_t at = 0;

	while (n - at >= LINES_BLOCK + 2 && plain_block(p + at, lines))
		at += LINES_BLOCK;
	return at;
}

/* The line ends of a block, whatever else is in it. */
static unsigned count_block(const char *p)
{
	vector ends = { 0 };

	for (int i = 0; i < LINES_BLOCK; i += LANES)
		ends -= (vector)(load(p + i) == '\n');
	return sum(ends);
}

uint64_t lines_count(const char *p, size_t n)
{
	const char *const end = p + n;
	uint64_t lines = 0;

	for (; end - p >= LINES_BLOCK; p += LINES_BLOCK)
		lines += count_block(p);
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		lines++;
		p++;
	}
	return lines;
}
