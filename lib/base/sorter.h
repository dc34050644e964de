#ifndef LIB_BASE_SORTER_H
#define LIB_BASE_SORTER_H
/*
 * sorter: puts any number of records in order without holding them: 1 MiB of them is sorted at a
 * time and goes to a file without a name (tmpdir_file()); reading merges what is there. Memory
 * stays below 3 MiB, however many records there are; a few never touch the disk.
 *
 * A record is bytes, at an address fit for any integer. What compares or reads one may write into
 * it (to point a struct at the text behind it), but not change its order.
 */
#include "lib/base/err.h"

#include <stddef.h>

enum { SORTER_RECORD_MAX = 32 * 1024 };

typedef int sorter_compare(void *a, void *b); /* like qsort(3)'s */

struct sorter;

/* The caller's: sorter_free(). */
struct sorter *sorter_new(sorter_compare *compare);
void sorter_free(struct sorter **s);

/* Copies the record. */
int sorter_add(struct sorter *s, const void *record, size_t n, struct err *e);

/* Calls each for every record in order, as often as is liked, until one returns something else than
 * 0: that is returned. The record is valid during the call. Records may be added between two
 * rounds, not within one. */
int sorter_each(struct sorter *s, int (*each)(void *ctx, void *record, struct err *e), void *ctx,
		struct err *e);
#endif
