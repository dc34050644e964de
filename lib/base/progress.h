#ifndef LIB_BASE_PROGRESS_H
#define LIB_BASE_PROGRESS_H
/*
 * progress: one line on standard error, written over again and again: bytes so far, of how many,
 * the rate, the time left.
 */
#include <stdbool.h>
#include <stdint.h>

struct progress {
	int64_t begun_ms, shown_ms;
	bool shown;
};

/* Is it wanted: by --progress, or on a terminal without --quiet? */
bool progress_wanted(void);

/* The clock runs from here. */
void progress_begin(struct progress *p);
/* Shows it, a few times a second at most. total -1: not known. */
void progress_show(struct progress *p, uint64_t bytes, int64_t total);
/* Wipes the line. */
void progress_end(struct progress *p);
#endif
