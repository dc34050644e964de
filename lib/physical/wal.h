#ifndef LIB_PHYSICAL_WAL_H
#define LIB_PHYSICAL_WAL_H
/*
 * wal: names and pages of WAL segments.
 *
 * Format: PostgreSQL src/include/access/xlog_internal.h (names, page headers); little-endian hosts.
 * A segment is named TTTTTTTTLLLLLLLLSSSSSSSS: timeline, and its position in units of its size.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAL_NAME_SIZE = 25, WAL_PAGE_SIZE = 8192, WAL_HEADER_SIZE = 40 };

/* The segment's name for a position; size_b is that of segments. */
void wal_name(uint32_t timeline, uint64_t lsn, uint32_t size_b, char out[WAL_NAME_SIZE]);

/* The timeline and the position where the segment begins; false for any other name. */
bool wal_of_name(const char *name, uint32_t size_b, uint32_t *timeline, uint64_t *lsn);

/* What the first page of a segment says. */
struct wal_header {
	uint16_t magic; /* 0xD110: PostgreSQL 15 */
	uint32_t timeline;
	uint64_t lsn; /* where the segment begins */
	uint64_t system_identifier;
	uint32_t segment_size, block_size;
};

/* p holds at least WAL_HEADER_SIZE bytes. False: this is no first page of a segment. */
bool wal_header(const unsigned char *p, struct wal_header *h);

/* The server's major version that writes this magic; 0: none that is known here. */
int wal_major(uint16_t magic);

/* Is this the page of the segment whose first page is *h, at this position? Its timeline may be a
 * later one, when the timeline was switched in the segment: that before the switch was copied. */
bool wal_page(const unsigned char *p, const struct wal_header *h, uint64_t lsn);
#endif
