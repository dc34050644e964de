#ifndef LIB_BASE_BESIDE_H
#define LIB_BASE_BESIDE_H
/*
 * beside: a thread that does one thing while its owner does another with the same bytes.
 */
#include "lib/base/err.h"

#include <stddef.h>

struct beside;

/* NULL: no thread is to be had. The caller's: beside_free(), with nothing under way. */
struct beside *beside_new(void);
void beside_free(struct beside **b);

/* Begins work(ctx, p, n), which nobody else may touch until beside_wait() has returned what it
 * returned, with its *e. */
void beside_start(struct beside *b, int (*work)(void *ctx, const void *p, size_t n, struct err *e),
		  void *ctx, const void *p, size_t n);
int beside_wait(struct beside *b, struct err *e);
#endif
