#ifndef LIB_STORAGE_PACE_H
#define LIB_STORAGE_PACE_H
/*
 * pace: a speed limit that several threads share.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

struct pace {
	pthread_mutex_t lock;
	uint64_t bytes_s;   /* 0: no limit */
	int64_t free_at_us; /* monotonic: when what was let through so far is paid for */
};

void pace_begin(struct pace *p, uint64_t bytes_s);
void pace_end(struct pace *p);

/* Returns when n more bytes may have passed, at once when *stop becomes other than 0. Up to a tenth
 * of a second's worth may come in one go. */
void pace_wait(struct pace *p, size_t n, const volatile sig_atomic_t *stop);

/* The same without a clock and without waiting: microseconds to wait from now on. */
int64_t pace_ahead_us(struct pace *p, size_t n, int64_t now_us);
#endif
