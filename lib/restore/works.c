#include "lib/restore/works.h"

#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_B = 256 * 1024 };

/* ---- order -------------------------------------------------------------------------- */

static bool must_wait(const struct work *later, const struct work *earlier)
{
	/* Only the first one of a name may succeed. */
	if (later->makes && later->makes == earlier->makes)
		return true;
	if (later->shared && earlier->shared)
		return false;
	for (unsigned i = 0; i < later->n_on; i++)
		for (unsigned k = 0; k < earlier->n_on; k++)
			if (later->on[i] == earlier->on[k])
				return true;
	return false;
}

void works_add(struct works *l, struct work *w)
{
	struct work **end = &l->first;

	for (; *end; end = &(*end)->next) {
		struct work *before = *end;

		if (!must_wait(w, before))
			continue;
		before->then = xrealloc(before->then, before->n_then + 1, sizeof(struct work *));
		before->then[before->n_then++] = w;
		w->waits_for++;
	}
	*end = w;
	l->n++;
	l->copies += w->copy;
}

static uint64_t weight(const struct work *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->n_on; i++)
		sum += w->on[i]->bytes;
	return sum;
}

struct work *works_choose(const struct works *l)
{
	struct work *best = NULL;

	for (struct work *w = l->first; w; w = w->next) {
		if (w->begun || w->waits_for)
			continue;
		if (w->copy)
			return w;
		if (best == NULL || weight(w) > weight(best))
			best = w;
	}
	return best;
}

void works_done(struct works *l, struct work *w)
{
	struct work **at = &l->first;
	struct chunk *k;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	l->n--;
	l->copies -= w->copy;
	for (size_t i = 0; i < w->n_then; i++)
		w->then[i]->waits_for--;
	while ((k = work_take_data(w)) != NULL)
		works_forget(l, k);
	free(w->then);
	free(w->sql);
	free(w);
}

/* ---- data of a COPY ----------------------------------------------------------------- */

/* Where n bytes fit in behind what is there. */
static struct chunk *room(struct work *w, size_t n)
{
	struct chunk *k = w->last;
	size_t size = k == NULL && n < CHUNK_B ? n : n > CHUNK_B ? n : CHUNK_B;

	if (k && k->size - k->n >= n)
		return k;
	k = xmalloc(sizeof(*k) + size);
	*k = (struct chunk){ .size = size };
	if (w->last)
		w->last->next = k;
	else
		w->first = k;
	w->last = k;
	return k;
}

void works_put_data(struct works *l, struct work *copy, const char *p, size_t n)
{
	struct chunk *k = room(copy, n);

	memcpy(k->data + k->n, p, n);
	k->n += n;
	l->held_b += n;
	copy->on[0]->bytes += n;
}

bool work_has_data(const struct work *copy)
{
	return copy->over || (copy->first != NULL && copy->first != copy->last);
}

struct chunk *work_take_data(struct work *copy)
{
	struct chunk *k = copy->first;

	if (k == NULL)
		return NULL;
	copy->first = k->next;
	if (copy->first == NULL)
		copy->last = NULL;
	return k;
}

void works_forget(struct works *l, struct chunk *k)
{
	l->held_b -= k->n;
	free(k);
}
