#include "lib/storage/pace.h"

#include <time.h>

enum { SECOND_US = 1000000, BURST_US = 100000, SLICE_US = 50000 };

void pace_begin(struct pace *p, uint64_t bytes_s)
{
	*p = (struct pace){ .lock = PTHREAD_MUTEX_INITIALIZER, .bytes_s = bytes_s };
}

void pace_end(struct pace *p)
{
	(void)pthread_mutex_destroy(&p->lock);
}

int64_t pace_ahead_us(struct pace *p, size_t n, int64_t now_us)
{
	int64_t wait;

	if (p->bytes_s == 0)
		return 0;
	(void)pthread_mutex_lock(&p->lock);
	if (p->free_at_us < now_us - BURST_US)
		p->free_at_us = now_us - BURST_US;
	p->free_at_us += (int64_t)((double)n * SECOND_US / (double)p->bytes_s);
	wait = p->free_at_us - now_us;
	(void)pthread_mutex_unlock(&p->lock);
	return wait > 0 ? wait : 0;
}

static int64_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000;
}

void pace_wait(struct pace *p, size_t n, const volatile sig_atomic_t *stop)
{
	int64_t until, left;

	if (p->bytes_s == 0)
		return;
	until = now();
	until += pace_ahead_us(p, n, until);
	while ((left = until - now()) > 0 && !(stop && *stop)) {
		if (left > SLICE_US)
			left = SLICE_US;
		(void)nanosleep(&(struct timespec){ .tv_nsec = left * 1000 }, NULL);
	}
}
