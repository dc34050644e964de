#ifndef LIB_DUMP_TAR_H
#define LIB_DUMP_TAR_H
/*
 * tar: the members of a tar archive, one after the other, from a stream.
 *
 * Format: POSIX pax, "ustar Interchange Format", with sizes beyond 8 GiB in base 256 as GNU tar
 * and pg_dump write them (PostgreSQL src/port/tar.c). Names that are longer than a header holds
 * are not needed here.
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

enum { TAR_BLOCK = 512, TAR_NAME = 257 };

struct tar_member {
	char name[TAR_NAME];
	char type; /* '0' a file, '5' a directory, ... */
	uint64_t size_b;
};

/* Is this a header, with the right checksum? n < TAR_BLOCK is none. */
bool tar_header(const unsigned char *p, size_t n, struct tar_member *m);

/* 1: *m is next, its content follows in s; 0: the end, with its two zero blocks and nothing but
 * zeros behind; -1 with *e. */
int tar_next(struct stream *s, struct tar_member *m, struct err *e);

/* After the content was taken from s: passes over what fills up its last block. */
int tar_pad(struct stream *s, const struct tar_member *m, struct err *e);
#endif
