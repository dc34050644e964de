#ifndef LIB_DUMP_AHEAD_H
#define LIB_DUMP_AHEAD_H
/*
 * ahead: a compressed stream unpacked by a thread of its own, some blocks ahead of who reads, so
 * that unpacking and looking at it go on at the same time. An uncompressed stream is read as it is.
 */
#include "lib/base/err.h"
#include "lib/dump/stream.h"

struct ahead;

/* s stays the caller's; nobody else may use it until ahead_close(). */
struct ahead *ahead_open(struct stream *s);
void ahead_close(struct ahead *a);
void ahead_close_auto(struct ahead **a);
#define AHEAD_AUTO __attribute__((cleanup(ahead_close_auto))) struct ahead

/* As stream_next(). */
ssize_t ahead_next(struct ahead *a, const unsigned char **p, struct err *e);
#endif
