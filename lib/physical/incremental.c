#include "lib/physical/incremental.h"

#include "lib/base/bytes.h"
#include "lib/base/xmem.h"
#include "lib/storage/select.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC UINT32_C(0xd3ae1f0d)

void incremental_begin(struct incremental *r, uint32_t block_size, uint32_t segment_blocks)
{
	r->wrong = NULL;
	r->blocks = 0;
	r->at = 0;
	r->header_b = INCREMENTAL_HEAD;
	r->block_size = block_size;
	r->segment_blocks = segment_blocks;
}

/* The first three numbers are there: how long is the header? */
static void take_head(struct incremental *r)
{
	const uint32_t blocks = bytes_le32(r->piece + 4), length = bytes_le32(r->piece + 8);

	if (bytes_le32(r->piece) != MAGIC)
		r->wrong = "its magic number is wrong";
	else if (blocks > r->segment_blocks)
		r->wrong = "it counts more blocks than a segment has";
	else if (length > r->segment_blocks)
		r->wrong = "it names a length that no segment has";
	if (r->wrong != NULL || blocks == 0)
		return;
	r->blocks = blocks;
	r->numbers = xrealloc(r->numbers, blocks, sizeof(*r->numbers));
	r->header_b += 4 * (uint64_t)blocks;
	r->header_b += (r->block_size - r->header_b % r->block_size) % r->block_size;
}

static void take_number(struct incremental *r, uint32_t i)
{
	const uint32_t number = bytes_le32(r->piece);

	if (number >= r->segment_blocks)
		r->wrong = "it names a block that no segment has";
	else if (i > 0 && number <= r->numbers[i - 1])
		r->wrong = "its blocks are not in order";
	r->numbers[i] = number;
}

/* Where in the piece the byte at that place of the file belongs, and what it then completes. */
static void take_byte(struct incremental *r, unsigned char c)
{
	const uint64_t numbers_end = INCREMENTAL_HEAD + 4 * (uint64_t)r->blocks;

	if (r->at < INCREMENTAL_HEAD) {
		r->piece[r->at++] = c;
		if (r->at == INCREMENTAL_HEAD)
			take_head(r);
		return;
	}
	if (r->at < numbers_end) {
		r->piece[r->at % 4] = c;
		if (r->at % 4 == 3)
			take_number(r, (uint32_t)((r->at - INCREMENTAL_HEAD) / 4));
	}
	r->at++;
}

size_t incremental_take(struct incremental *r, const unsigned char *p, size_t n)
{
	size_t taken = 0;

	while (taken < n && r->wrong == NULL && r->at < r->header_b)
		take_byte(r, p[taken++]);
	return r->wrong ? n : taken;
}

void incremental_end(struct incremental *r, uint64_t file_b)
{
	if (r->wrong == NULL && r->at < r->header_b)
		r->wrong = "it ends in its header";
	else if (r->wrong == NULL && file_b != (r->blocks ? r->header_b : INCREMENTAL_HEAD) +
						       (uint64_t)r->blocks * r->block_size)
		r->wrong = "it does not have the blocks that its header counts";
}

void incremental_free(struct incremental *r)
{
	free(r->numbers);
	r->numbers = NULL;
}

/* Where the last part of a path begins. */
static const char *name_in(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *incremental_whole(const char *path)
{
	const char *name = name_in(path);

	if (strncmp(name, SELECT_IN_PART, strlen(SELECT_IN_PART)) != 0)
		return NULL;
	return xasprintf("%.*s%s", (int)(name - path), path, name + strlen(SELECT_IN_PART));
}

char *incremental_part(const char *path)
{
	const char *name = name_in(path);

	return xasprintf("%.*s" SELECT_IN_PART "%s", (int)(name - path), path, name);
}
