#include "lib/base/schedule.h"

#include "lib/base/xmem.h"

#include <stdlib.h>

enum { LEAST = 3 };

void schedule_add(struct schedule *s, int64_t at_ms)
{
	s->at_ms = xrealloc(s->at_ms, s->n + 1, sizeof(*s->at_ms));
	s->at_ms[s->n++] = at_ms;
}

void schedule_free(struct schedule *s)
{
	free(s->at_ms);
	*s = (struct schedule){ 0 };
}

static int ascending(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

bool schedule_interval(struct schedule *s, int64_t *ms)
{
	int64_t *gaps = xcalloc(s->n + 1, sizeof(*gaps));
	size_t n = 0;

	if (s->n > 0)
		qsort(s->at_ms, s->n, sizeof(*s->at_ms), ascending);
	for (size_t i = 1; i < s->n; i++)
		if (s->at_ms[i] > s->at_ms[i - 1])
			gaps[n++] = s->at_ms[i] - s->at_ms[i - 1];
	if (n + 1 >= LEAST) {
		qsort(gaps, n, sizeof(*gaps), ascending);
		*ms = gaps[n / 2];
	}
	free(gaps);
	return n + 1 >= LEAST;
}
