#include "lib/dump/ahead.h"

#include "lib/base/xmem.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Who waits is woken for so many blocks at once: to be woken costs more than to look at one. */
enum { BLOCKS = 8, BATCH = BLOCKS / 2 };

struct block {
	unsigned char *of; /* what is in it */
	const unsigned char *p;
	ssize_t n; /* 0: the end; -1: it failed */
};

struct ahead {
	struct stream *s;
	bool threaded;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct block ring[BLOCKS];
	size_t made, taken; /* blocks; the one at `taken` is being looked at while .holding */
	bool holding, over, stop;
	struct err error;
};

/* A free block, or NULL: nobody wants any more. */
static struct block *wait_free(struct ahead *a)
{
	struct block *b;

	(void)pthread_mutex_lock(&a->lock);
	while (a->made - a->taken == BLOCKS && !a->stop)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	b = a->stop ? NULL : &a->ring[a->made % BLOCKS];
	(void)pthread_mutex_unlock(&a->lock);
	return b;
}

static void *unpack(void *ahead)
{
	struct ahead *a = ahead;
	struct block *b;
	ssize_t n = 1;

	while (n > 0 && (b = wait_free(a)) != NULL) {
		struct err e = { 0 };

		n = stream_exchange(a->s, &b->of, &b->p, &e);
		(void)pthread_mutex_lock(&a->lock);
		b->n = n;
		a->made++;
		if (n < 0)
			a->error = e;
		if (n <= 0 || a->made - a->taken >= BATCH)
			(void)pthread_cond_signal(&a->changed);
		(void)pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct ahead *ahead_open(struct stream *s)
{
	struct ahead *a = xcalloc(1, sizeof(*a));

	a->s = s;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->changed, NULL);
	if (strcmp(stream_compression(s), "none") == 0)
		return a;
	for (int i = 0; i < BLOCKS; i++)
		a->ring[i].of = xmalloc(STREAM_BLOCK);
	a->threaded = pthread_create(&a->thread, NULL, unpack, a) == 0;
	return a;
}

void ahead_close(struct ahead *a)
{
	if (a == NULL)
		return;
	if (a->threaded) {
		(void)pthread_mutex_lock(&a->lock);
		a->stop = true;
		(void)pthread_cond_signal(&a->changed);
		(void)pthread_mutex_unlock(&a->lock);
		(void)pthread_join(a->thread, NULL);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(a->ring[i].of);
	(void)pthread_cond_destroy(&a->changed);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}

void ahead_close_auto(struct ahead **a)
{
	ahead_close(*a);
}

ssize_t ahead_next(struct ahead *a, const unsigned char **p, struct err *e)
{
	const struct block *b = NULL;

	if (!a->threaded)
		return stream_next(a->s, p, e);
	(void)pthread_mutex_lock(&a->lock);
	if (a->holding && !a->over) {
		a->taken++;
		if (a->made - a->taken <= BATCH)
			(void)pthread_cond_signal(&a->changed);
	}
	while (a->made == a->taken)
		(void)pthread_cond_wait(&a->changed, &a->lock);
	b = &a->ring[a->taken % BLOCKS];
	a->holding = true;
	a->over = b->n <= 0;
	if (b->n < 0)
		*e = a->error;
	(void)pthread_mutex_unlock(&a->lock);
	*p = b->p;
	return b->n;
}
