#ifndef LIB_PHYSICAL_PAGE_H
#define LIB_PHYSICAL_PAGE_H
/*
 * page: is this a sound page of a relation file?
 *
 * Format: PostgreSQL src/include/storage/bufpage.h (header), checksum_impl.h (checksum: 32 FNV-1a
 * sums side by side, folded, mixed with the block number). Little-endian hosts.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_MIN = 1024, PAGE_SIZE_DEFAULT = 8192, PAGE_SIZE_MAX = 32768 };

enum page_state {
	PAGE_SOUND,
	PAGE_NEW,      /* all zero: allocated, never written */
	PAGE_HEADER,   /* the header contradicts itself */
	PAGE_CHECKSUM, /* the header is sound, the checksum is not that of the content */
};

/* The page's checksum as PostgreSQL would write it; size is a power of two in PAGE_MIN ..
 * PAGE_SIZE_MAX, block the number of the page in its relation's fork. */
uint16_t page_checksum(const unsigned char *page, size_t size, uint32_t block);

/* What is wrong, with (as the cluster has them) or without checksums. */
enum page_state page_look(const unsigned char *page, size_t size, uint32_t block, bool checksums);

/* The checksum that it was written with; 0, which none is: without. */
uint16_t page_stored(const unsigned char *page);

/* The WAL position of its last change. */
uint64_t page_lsn(const unsigned char *page);

/* Has a file of this name, relative to the data directory, pages? Then *first_block is the number
 * of its first: "base/5/1259", "base/5/16400_vm", "base/5/16400.2",
 * "pg_tblspc/16500/PG_15_202209061/5/16501". */
bool page_file(const char *path, uint32_t pages_per_segment, uint32_t *first_block);
#endif
