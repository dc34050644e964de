#ifndef LIB_DUMP_PARALLEL_H
#define LIB_DUMP_PARALLEL_H
/*
 * parallel: independent pieces of work on all processors.
 */
#include "lib/base/err.h"

#include <stddef.h>

/* As many as this process may run on, at most PARALLEL_MAX. */
enum { PARALLEL_MAX = 16 };
unsigned parallel_threads(void);

/* Calls work(ctx, i, e) for every i below n, each once, beginning in this order, on up to `threads`
 * threads; failures stop none of the others. How many failed, with the *e of the lowest such i. */
size_t parallel_run(size_t n, unsigned threads, int (*work)(void *ctx, size_t i, struct err *e),
		    void *ctx, struct err *e);
#endif
