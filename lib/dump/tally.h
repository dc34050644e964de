#ifndef LIB_DUMP_TALLY_H
#define LIB_DUMP_TALLY_H
/*
 * tally: what a look at the rows of one table says: how many, how many bytes, the newest moment in
 * one of its columns, the hash of them all (rowhash.h).
 *
 * COPY text (PostgreSQL, "COPY", File Formats, Text Format) may come in pieces that are cut
 * anywhere: every row ends with a line end, and nothing else is one; fields are parted by tabs.
 */
#include "lib/base/rowhash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_TIME = 48 };

struct tally {
	uint64_t rows, bytes; /* bytes of COPY text, or of the statements that insert */
	int time_field;       /* the column to look at, from 0; -1: none */
	bool found;           /* some row has a moment there */
	int64_t newest_ms;    /* one without a zone is taken for UTC */
	bool hashes;
	struct rowhash hash; /* its .rows is not used */
	/* Where the last piece ended: in which field, and what of it was there. */
	int field;
	unsigned char held_n;
	char held[TALLY_TIME];
	struct rowhash_line *line; /* owned; a row that was cut */
	bool in_line;
};

/* Rows are to be looked at for the column time_field (from 0), or for none (-1). */
void tally_begin(struct tally *t, int time_field, bool hashes);
void tally_free(struct tally *t);
/* The next bytes of COPY text, with so many line ends: rows only, not the end mark. */
void tally_copy(struct tally *t, const char *p, size_t n, uint64_t rows);
/* A statement of n bytes that inserts so many rows. */
void tally_insert(struct tally *t, uint64_t rows, size_t n);

/* A date or timestamp as PostgreSQL prints it with DateStyle ISO. False: none, or infinity, or
 * before the year 0. */
bool tally_moment(const char *s, size_t n, int64_t *ms);
#endif
