#ifndef LIB_PHYSICAL_WALRECORD_H
#define LIB_PHYSICAL_WALRECORD_H
/*
 * walrecord: is each record of a WAL segment whole? A walk over the bytes of one segment, as they
 * come: page headers, lengths, the chain of xl_prev, the CRC-32C of every record, and the times of
 * commits. Pages and segments may cut a record anywhere: it is never put together, its checksum is
 * computed on the way, and what is left at the borders of segments is joined later (wal_join()), so
 * that segments are read in any order and memory is constant.
 *
 * Formats: PostgreSQL src/include/access/xlog_internal.h (page headers), xlogrecord.h (records),
 * xact.h (xl_xact_commit), catalog/pg_control.h (XLOG_SWITCH); the same in versions 10 to 18.
 * Little-endian hosts.
 */
#include "lib/base/err.h"
#include "lib/physical/wal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAL_EDGE = 64, WAL_PAGE_MAX = 64 * 1024 };

/* The part of a record on one side of a segment's border. */
struct wal_edge {
	uint64_t bytes; /* of the record; 0: there is none */
	uint32_t crc;   /* before a border: of what is behind the record's header; behind it: of all
			 * the bytes */
	unsigned char first[WAL_EDGE]; /* the first of them */
};

enum wal_fault {
	WAL_SOUND,
	WAL_NO_HEADER, /* the first page is none of a segment */
	WAL_BAD_PAGE,  /* a page of another place, version or timeline */
	WAL_BAD_LENGTH,
	WAL_BAD_CHAIN, /* xl_prev is not the record before */
	WAL_BAD_CRC,
	WAL_NOT_CONTINUED, /* a record that a page cut does not go on behind it */
	WAL_ENDS,          /* nothing but zeros where a record should begin */
	WAL_NOT_ZERO,      /* there is something behind XLOG_SWITCH */
	WAL_BAD_SIZE,
	WAL_FAULTS
};

/* What a walk found. */
struct wal_summary {
	struct wal_header header;
	enum wal_fault fault; /* the first one: nothing behind it was looked at */
	uint64_t fault_lsn;   /* of the record or page */
	uint32_t timeline;    /* of the last page that was looked at */
	bool switched;        /* XLOG_SWITCH ended it early */
	bool overwrites;      /* the record that the segment before began was given up */
	bool inside;          /* all of it is the middle of one record */
	uint64_t first_record, last_record; /* LSN of those that begin here; 0: none */
	uint64_t first_prev; /* what the first says of the one before; 0: not known */
	uint64_t head_left;  /* of the record that the segment before began */
	struct wal_edge head, tail;
	uint64_t commits;
	int64_t first_commit_ms, last_commit_ms; /* by their own clock; 0: none */
	uint64_t bytes;                          /* of the segment */
	uint64_t digest; /* of the checksums of its sound records: what a recovery reads is the same
			  * where this is, and the fault */
};

struct wal_walk;

/* A walk for one segment after the other: the caller's. */
struct wal_walk *wal_walk_new(void);
void wal_walk_free(struct wal_walk **w);
#define WAL_WALK_AUTO __attribute__((cleanup(wal_walk_free))) struct wal_walk

void wal_walk_begin(struct wal_walk *w);
void wal_walk_add(struct wal_walk *w, const unsigned char *p, size_t n);
void wal_walk_end(struct wal_walk *w, struct wal_summary *out);

/* "the checksum of the record is wrong" */
const char *wal_fault_text(enum wal_fault fault);

/* Do the two segments, one behind the other, fit together? Joins the record that the border cuts:
 * its checksum, and its commit, which counts for *after. WAL_SOUND, or what is wrong there. */
enum wal_fault wal_join(const struct wal_summary *before, struct wal_summary *after);
#endif
