#ifndef LIB_BASE_HUMAN_H
#define LIB_BASE_HUMAN_H
/*
 * human: figures as people read them in the morning. Each returns out, which must hold
 * HUMAN_SIZE bytes. Independent of the locale.
 */
#include <stdint.h>

enum { HUMAN_SIZE = 48 };

const char *human_bytes(uint64_t bytes, char out[HUMAN_SIZE]); /* 18.2 GB (powers of 1000) */
const char *
human_duration(double seconds,
	       char out[HUMAN_SIZE]); /* 0.8 s, 42 s, 22 min, 2 min 20 s, 4 h 12 min, 3 d 4 h */
const char *human_count(int64_t n, char out[HUMAN_SIZE]);     /* 2,847,291 */
const char *human_change(double share, char out[HUMAN_SIZE]); /* +0.4 %, -31 %, 0 % */
#endif
