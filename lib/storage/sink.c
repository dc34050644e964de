#include "lib/storage/sink.h"

static int add(void *ctx, const void *p, size_t n, struct err *e)
{
	struct buf *b = ctx;

	buf_add(b, p, n);
	return b->full ? err_set(e, ERR_REMOTE, "it is longer than %zu bytes", b->max) : 0;
}

static int empty(void *ctx, struct err *e)
{
	(void)e;
	buf_reset(ctx);
	return 0;
}

struct storage_sink sink_text(struct buf *text)
{
	return (struct storage_sink){ .write = add, .restart = empty, .ctx = text };
}
