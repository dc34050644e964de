#ifndef LIB_BASE_HUMAN_H
#define LIB_BASE_HUMAN_H
/*
 * human: figures as people read them in the morning. Each returns out, which must hold
 * HUMAN_SIZE bytes. Independent of the locale.
 */
#include <stdint.h>

enum { HUMAN_SIZE = 48 };

/* Powers of 1000: 512 B, 1.5 kB, 18.2 GB, 180 GB. */
const char *human_bytes(uint64_t bytes, char out[HUMAN_SIZE]);

/* At most two units, rounded to the nearest: 12 ms, 0.8 s, 42 s, 2 min 20 s, 22 min, 4 h 12 min,
 * 26 h, 3 d 4 h (days from 48 hours on, as targets are said in hours). Not a number: "?". */
const char *human_duration(double seconds, char out[HUMAN_SIZE]);

/* 2,847,291 */
const char *human_count(int64_t n, char out[HUMAN_SIZE]);

/* A change as a share of what was: +0.4 %, -31 %, +1,200 %, 0 %. Not a number: "?". */
const char *human_change(double share, char out[HUMAN_SIZE]);
#endif
