#include "lib/restore/places.h"

#include "lib/base/xmem.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct place *look_up(struct places *p, const char *name)
{
	struct place *made = xcalloc(1, sizeof(*made));
	struct place **found;

	made->name = xstrdup(name);
	made->of = made;
	found = xchecked(tsearch(made, &p->tree, by_name));
	if (*found != made) {
		free(made->name);
		free(made);
	}
	return *found;
}

struct place *places_find(struct places *p, const char *name)
{
	return look_up(p, name)->of;
}

bool places_is_index(const struct places *p, const char *name)
{
	AUTO_FREE char *copy = xstrdup(name);
	const struct place key = { .name = copy };
	struct place *const *found = tfind(&key, &p->tree, by_name);

	return found && (*found)->of != *found;
}

const struct place *places_add_index(struct places *p, const char *name, struct place *table)
{
	struct place *index = look_up(p, name);

	index->of = table;
	return index;
}

static void drop(void *place)
{
	struct place *p = place;

	free(p->name);
	free(p);
}

void places_free(struct places *p)
{
	tdestroy(p->tree, drop);
	p->tree = NULL;
}
