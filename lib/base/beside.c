#include "lib/base/beside.h"

#include "lib/base/xmem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct beside {
	pthread_t thread;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t moved;
	int (*work)(void *ctx, const void *p, size_t n, struct err *e); /* NULL: nothing to do */
	void *ctx;
	const void *p;
	size_t n;
	int rc;
	struct err e;
	bool over;
};

static void *run(void *arg)
{
	struct beside *b = arg;

	(void)pthread_mutex_lock(&b->lock);
	for (;;) {
		int rc;

		while (b->work == NULL && !b->over)
			(void)pthread_cond_wait(&b->moved, &b->lock);
		if (b->over)
			break;
		(void)pthread_mutex_unlock(&b->lock);
		rc = b->work(b->ctx, b->p, b->n, &b->e);
		(void)pthread_mutex_lock(&b->lock);
		b->rc = rc;
		b->work = NULL;
		(void)pthread_cond_broadcast(&b->moved);
	}
	(void)pthread_mutex_unlock(&b->lock);
	return NULL;
}

struct beside *beside_new(void)
{
	struct beside *b = xcalloc(1, sizeof(*b));

	(void)pthread_mutex_init(&b->lock, NULL);
	(void)pthread_cond_init(&b->moved, NULL);
	if (pthread_create(&b->thread, NULL, run, b) == 0)
		return b;
	(void)pthread_cond_destroy(&b->moved);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
	return NULL;
}

void beside_free(struct beside **b)
{
	if (*b == NULL)
		return;
	(void)pthread_mutex_lock(&(*b)->lock);
	(*b)->over = true;
	(void)pthread_cond_broadcast(&(*b)->moved);
	(void)pthread_mutex_unlock(&(*b)->lock);
	(void)pthread_join((*b)->thread, NULL);
	(void)pthread_cond_destroy(&(*b)->moved);
	(void)pthread_mutex_destroy(&(*b)->lock);
	free(*b);
	*b = NULL;
}

void beside_start(struct beside *b, int (*work)(void *ctx, const void *p, size_t n, struct err *e),
		  void *ctx, const void *p, size_t n)
{
	(void)pthread_mutex_lock(&b->lock);
	b->ctx = ctx;
	b->p = p;
	b->n = n;
	b->work = work;
	(void)pthread_cond_broadcast(&b->moved);
	(void)pthread_mutex_unlock(&b->lock);
}

int beside_wait(struct beside *b, struct err *e)
{
	int rc;

	(void)pthread_mutex_lock(&b->lock);
	while (b->work)
		(void)pthread_cond_wait(&b->moved, &b->lock);
	rc = b->rc;
	if (rc < 0)
		*e = b->e;
	(void)pthread_mutex_unlock(&b->lock);
	return rc;
}
