#include "lib/dump/members.h"

#include <string.h>
#include <unistd.h>

/* SKIPPABLE: its last four bits are free. */
static const uint64_t SKIPPABLE = 0x184d2a50, ZSTD = 0xfd2fb528, LZ4 = 0x184d2204;

enum {
	ZSTD_BLOCK_MAX = 128 * 1024,
	LZ4_BLOCK_MAX = 4 * 1024 * 1024,
	BGZF_MAX = 64 * 1024,
};

/* A place in the file. */
struct place {
	int fd;
	uint64_t from_b, at_b;
};

/* The next n bytes, at most 8, as a number, the least significant first; passes over them. */
static bool take(struct place *p, unsigned n, uint64_t *value)
{
	unsigned char b[8];

	if (p->at_b - p->from_b > MEMBER_MAX_B || pread(p->fd, b, n, (off_t)p->at_b) != (ssize_t)n)
		return false;
	*value = 0;
	for (unsigned i = n; i > 0; i--)
		*value = *value << 8 | b[i - 1];
	p->at_b += n;
	return true;
}

/* Is the last of what was passed over really there? */
static bool ends_here(struct place *p, struct member *m)
{
	uint64_t last;

	m->end_b = p->at_b--;
	return take(p, 1, &last);
}

static bool skippable(struct place *p, struct member *m)
{
	uint64_t n;

	if (!take(p, 4, &n))
		return false;
	p->at_b += n;
	return ends_here(p, m);
}

/* 3.1.1.1: descriptor, window, dictionary, content size. */
static bool zstd_header(struct place *p, struct member *m, bool *checksum)
{
	static const unsigned dictionary_n[] = { 0, 1, 2, 4 }, size_n[] = { 0, 2, 4, 8 };
	uint64_t flags, window = 0, size = 0;
	unsigned n;
	bool single;

	if (!take(p, 1, &flags))
		return false;
	single = flags & 0x20;
	n = size_n[flags >> 6] + (single && flags >> 6 == 0);
	*checksum = flags & 4;
	if (!single && !take(p, 1, &window))
		return false;
	p->at_b += dictionary_n[flags & 3];
	if (n > 0 && !take(p, n, &size))
		return false;
	m->window_b = size;
	if (!single)
		m->window_b = ((uint64_t)8 + (window & 7)) << ((window >> 3) + 7);
	return true;
}

static bool zstd_frame(struct place *p, struct member *m)
{
	enum { RAW, REPEATED, COMPRESSED, RESERVED };
	uint64_t block;
	bool checksum;

	if (!zstd_header(p, m, &checksum))
		return false;
	do {
		unsigned kind;

		if (!take(p, 3, &block))
			return false;
		kind = block >> 1 & 3;
		if (kind == RESERVED || (kind == COMPRESSED && block >> 3 > ZSTD_BLOCK_MAX))
			return false;
		p->at_b += kind == REPEATED ? 1U : block >> 3;
	} while (!(block & 1));
	p->at_b += checksum ? 4U : 0U;
	return ends_here(p, m);
}

static bool lz4_frame(struct place *p, struct member *m)
{
	enum { DICTIONARY = 1, CONTENT_SUM = 4, CONTENT_SIZE = 8, BLOCK_SUMS = 16 };
	uint64_t flags, size;

	if (!take(p, 2, &flags))
		return false;
	p->at_b += (flags & CONTENT_SIZE ? 8U : 0U) + (flags & DICTIONARY ? 4U : 0U) + 1U;
	m->window_b = LZ4_BLOCK_MAX;
	while (take(p, 4, &size)) {
		if (size == 0) {
			p->at_b += flags & CONTENT_SUM ? 4U : 0U;
			return ends_here(p, m);
		}
		size &= 0x7fffffff; /* the highest bit: it is not compressed */
		if (size > LZ4_BLOCK_MAX)
			return false;
		p->at_b += size + (flags & BLOCK_SUMS ? 4U : 0U);
	}
	return false;
}

/* Of the extra fields it must be the first, as bgzip writes it. */
static bool bgzf_member(struct place *p, struct member *m)
{
	static const unsigned char begin[] = { 0x1f, 0x8b, 8, 4 }, field[] = { 'B', 'C', 2, 0 };
	enum { FIELD_AT = 12, SIZE_AT = 16 };
	unsigned char b[SIZE_AT];

	if (pread(p->fd, b, sizeof(b), (off_t)p->at_b) != (ssize_t)sizeof(b) ||
	    memcmp(b, begin, sizeof(begin)) != 0 || memcmp(b + FIELD_AT, field, sizeof(field)) != 0)
		return false;
	p->at_b += SIZE_AT;
	if (!take(p, 2, &m->end_b))
		return false;
	p->at_b = p->from_b + m->end_b + 1;
	m->window_b = BGZF_MAX;
	return ends_here(p, m);
}

bool member_at(int fd, const char *codec, uint64_t at_b, struct member *m)
{
	struct place p = { fd, at_b, at_b };
	uint64_t magic;

	*m = (struct member){ 0 };
	if (strcmp(codec, "gzip") == 0)
		return bgzf_member(&p, m);
	if (!take(&p, 4, &magic))
		return false;
	if (strcmp(codec, "lz4") == 0)
		return magic == LZ4 && lz4_frame(&p, m);
	if (strcmp(codec, "zstd") != 0)
		return false;
	if ((magic & ~(uint64_t)15) == SKIPPABLE)
		return skippable(&p, m);
	return magic == ZSTD && zstd_frame(&p, m);
}
