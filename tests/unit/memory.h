#ifndef TESTS_UNIT_MEMORY_H
#define TESTS_UNIT_MEMORY_H
/* memory: bytes as a source of lib/dump/stream.h, which gives step of them at a time (0: any
 * number). */
#include "lib/dump/stream.h"

#include <string.h>

struct memory {
	const void *p;
	size_t n, step;
};

static ssize_t read_memory(void *ctx, void *p, size_t n, struct err *e)
{
	struct memory *m = ctx;

	(void)e;
	if (m->step && n > m->step)
		n = m->step;
	if (n > m->n)
		n = m->n;
	memcpy(p, m->p, n);
	m->p = (const char *)m->p + n;
	m->n -= n;
	return (ssize_t)n;
}
#endif
