#ifndef LIB_STORAGE_SINK_H
#define LIB_STORAGE_SINK_H
/*
 * sink: where the bytes of an object go while they arrive, in order and without gaps.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stddef.h>

struct storage_stat;

struct storage_sink {
	/* -1 with *e stops the transfer; the error is handed on as it is. */
	int (*write)(void *ctx, const void *p, size_t n, struct err *e);
	/* All that was written is void, for the object was replaced meanwhile: the next write is
	 * the first byte of the range again. NULL: cannot, the transfer fails instead. */
	int (*restart)(void *ctx, struct err *e);
	void *ctx;
	/* What the answer that the first bytes come with says of the object, before them. May be
	 * NULL; not every storage calls it. */
	int (*describe)(void *ctx, const struct storage_stat *st, struct err *e);
};

/* All into text, which is to be empty; more than its ceiling is an error. */
struct storage_sink sink_text(struct buf *text);
#endif
