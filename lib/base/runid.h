#ifndef LIB_BASE_RUNID_H
#define LIB_BASE_RUNID_H
/*
 * runid: the id that all records of one pipeline share: a ULID (github.com/ulid/spec), 48 bits of
 * milliseconds and 80 random bits in Crockford's base 32, so that ids sort by time.
 */
#include <stdint.h>

enum { RUN_ID_SIZE = 27 };

/* Returns out. */
const char *runid_make(int64_t now_ms, char out[RUN_ID_SIZE]);
#endif
