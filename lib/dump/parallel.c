#include "lib/dump/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

struct parallel {
	size_t n, next;
	int (*work)(void *ctx, size_t i, struct err *e);
	void *ctx;
	pthread_mutex_t lock;
	size_t failed, first;
	struct err error; /* of the first */
};

unsigned parallel_threads(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)n;
}

static bool take(struct parallel *c, size_t *i)
{
	bool any;

	(void)pthread_mutex_lock(&c->lock);
	any = c->next < c->n;
	*i = c->next;
	c->next += any;
	(void)pthread_mutex_unlock(&c->lock);
	return any;
}

static void fail(struct parallel *c, size_t i, const struct err *e)
{
	(void)pthread_mutex_lock(&c->lock);
	if (c->failed == 0 || i < c->first) {
		c->first = i;
		c->error = *e;
	}
	c->failed++;
	(void)pthread_mutex_unlock(&c->lock);
}

static void *serve(void *parallel)
{
	struct parallel *c = parallel;
	size_t i;

	while (take(c, &i)) {
		struct err e = { 0 };

		if (c->work(c->ctx, i, &e) < 0)
			fail(c, i, &e);
	}
	return NULL;
}

size_t parallel_run(size_t n, unsigned threads, int (*work)(void *ctx, size_t i, struct err *e),
		    void *ctx, struct err *e)
{
	struct parallel c = { .n = n, .work = work, .ctx = ctx, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t others[PARALLEL_MAX];
	unsigned started = 0;

	while (started + 1 < threads && started + 1 < n && started < PARALLEL_MAX &&
	       pthread_create(&others[started], NULL, serve, &c) == 0)
		started++;
	(void)serve(&c);
	while (started > 0)
		(void)pthread_join(others[--started], NULL);
	(void)pthread_mutex_destroy(&c.lock);
	if (c.failed)
		*e = c.error;
	return c.failed;
}
