#ifndef LIB_BASE_BUF_H
#define LIB_BASE_BUF_H
/*
 * buf: a growing string with a hard ceiling.
 *
 * Invariants: s is never NULL and always NUL-terminated; len never exceeds max. An
 * append that does not fit whole changes nothing and sets the sticky flag full, so one
 * test at the end covers a whole sequence of appends. Memory that runs out ends the
 * process (see xmem.h).
 */
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *s;    /* owned; the shared empty string while cap is 0 */
	size_t len; /* bytes before the NUL */
	size_t cap; /* bytes allocated */
	size_t max; /* ceiling of len */
	bool full;  /* an append was refused */
};

extern char buf_empty[];
#define BUF_INIT(limit) \
	{ \
		.s = buf_empty, .max = (limit) \
	}

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Empties it, keeps the memory. */
void buf_reset(struct buf *b);

void buf_free(struct buf *b);
#define BUF_AUTO __attribute__((cleanup(buf_free))) struct buf

/* The same for a secret: it is overwritten first. */
void buf_wipe(struct buf *b);
#define SECRET_AUTO __attribute__((cleanup(buf_wipe))) struct buf
#endif
