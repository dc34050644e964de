#ifndef LIB_BASE_ARRIVAL_H
#define LIB_BASE_ARRIVAL_H
/*
 * arrival: a regular file that one process writes while another one reads it, from its beginning,
 * behind what is there for good.
 *
 * The writer holds a lock (F_OFD_SETLK, fcntl(2)) on all that is not there yet, up to the end of
 * all files. It gives up the front as bytes arrive, and the rest at its end; the kernel does that
 * when it dies. So the reader waits without asking again and again, and misses no death. Whether
 * the end was a good one is in the file's mode: what its owner may not write any more is whole and
 * proven.
 *
 * Locks are between processes on one machine, or on one network file system with locks.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Start from ARRIVAL_NONE. */
struct arrival {
	int fd; /* owned; -1: there is none */
	uint64_t there_b, told_b;
};
#define ARRIVAL_NONE \
	{ \
		.fd = -1 \
	}

/* fd, open for writing, is the arrival's from now on; nothing of the file is there yet. */
int arrival_begin(struct arrival *a, int fd, struct err *e);

/* So many more bytes are there, and will not change. */
int arrival_more(struct arrival *a, uint64_t n, struct err *e);

/* proven: all of it is there and was found to be good. */
int arrival_end(struct arrival *a, bool proven, struct err *e);

/* The reader: waits until the byte at at_b is there: how many there are from it on; all bytes when
 * the file is whole. -1: it will not come. */
int64_t arrival_wait(int fd, uint64_t at_b, struct err *e);

/* Waits until all of it is there and proven. -1: it was not. */
int arrival_prove(int fd, struct err *e);
#endif
