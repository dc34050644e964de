#ifndef LIB_RESTORE_WATCH_H
#define LIB_RESTORE_WATCH_H
/*
 * watch: disk and memory while a restore runs. What a dump turns into is known when it is too late,
 * so both are looked at all the time, from outside; other services live on the same disk, so the
 * last bit of it is never touched.
 */
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct watch {
	const char *dir;       /* the restore's own: its files, and its processes' place */
	uint64_t max_disk_b;   /* 0: what is free */
	uint64_t max_memory_b; /* of all its processes; 0: any */
	uint64_t free_b;       /* when it began */
	int64_t next_ms;       /* when to look closely again */
};

enum { WATCH_MS = 100 }; /* how often to ask */

/* Start from { .dir = ..., .max... }. */
void watch_begin(struct watch *w);

/* True when a limit is passed: why says which, how much there was and how much was taken. need_b:
 * what the restore was estimated to take; 0: not known. */
bool watch_over(struct watch *w, uint64_t need_b, struct buf *why);
#endif
