#ifndef LIB_PHYSICAL_INCREMENTAL_H
#define LIB_PHYSICAL_INCREMENTAL_H
/*
 * incremental: INCREMENTAL.16400 and its like, a segment of a relation in an incremental backup: a
 * header that names the blocks that have changed since the backup before, then those blocks.
 *
 * Format: PostgreSQL src/backend/backup/basebackup_incremental.c (GetIncrementalHeaderSize()),
 * basebackup.c (sendFile()), src/bin/pg_combinebackup/reconstruct.c: little-endian numbers of 32
 * bits: a magic number, how many blocks follow, how many blocks the segment has at least (the
 * truncation length), then the number of each block in its segment, ascending; where blocks follow,
 * they begin at the next whole block.
 */
#include <stddef.h>
#include <stdint.h>

enum { INCREMENTAL_HEAD = 12 }; /* before the numbers */

/* Reads one header after another, in pieces of any size. Zeroed at first. */
struct incremental {
	const char *wrong; /* the first thing that is; NULL: nothing so far */
	uint32_t blocks;   /* that follow the header, and their numbers */
	uint32_t *numbers; /* owned */
	/* Its own. */
	uint32_t block_size, segment_blocks;
	uint64_t at, header_b;
	unsigned char piece[INCREMENTAL_HEAD];
};

/* The sizes are those of the cluster. */
void incremental_begin(struct incremental *r, uint32_t block_size, uint32_t segment_blocks);

/* Of the n bytes that come next in the file, so many belong to the header: 0 behind it. Once
 * something is wrong with it all are taken. */
size_t incremental_take(struct incremental *r, const unsigned char *p, size_t n);

/* The file has ended, after so many bytes: sets wrong when that is not where it should. */
void incremental_end(struct incremental *r, uint64_t file_b);

void incremental_free(struct incremental *r);

/* "base/5/INCREMENTAL.16400.1" -> "base/5/16400.1", the file that it is a part of: the caller's to
 * free. NULL: the name is not of such a file. */
char *incremental_whole(const char *path);

/* And back. */
char *incremental_part(const char *path);
#endif
