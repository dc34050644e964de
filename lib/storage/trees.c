#include "lib/storage/trees.h"

#include "lib/base/xmem.h"
#include "lib/storage/storage.h"

#include <stdlib.h>
#include <string.h>

void trees_note(struct trees *t, const char *name)
{
	int64_t n = select_marked(name);

	if (n < 0)
		return;
	/* Room grows twofold, at each power of two. */
	if ((t->n & (t->n - 1)) == 0)
		t->v = xrealloc(t->v, t->n ? 2 * t->n : 1, sizeof(*t->v));
	t->v[t->n++] = (struct tree){ n ? xasprintf("%.*s/", (int)n, name) : xstrdup(""),
				      select_tree_of(name) };
}

/* Of two markers in one directory that of a dump comes first. */
static int compare(const void *a, const void *b)
{
	const struct tree *x = a, *y = b;
	int by = strcmp(x->path, y->path);

	return by ? by : (int)x->kind - (int)y->kind;
}

void trees_sort(struct trees *t)
{
	size_t kept = 0;

	if (t->n > 1)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	for (size_t i = 0; i < t->n; i++)
		if (kept && strcmp(t->v[kept - 1].path, t->v[i].path) == 0)
			free(t->v[i].path);
		else
			t->v[kept++] = t->v[i];
	t->n = kept;
}

void trees_free(struct trees *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].path);
	free(t->v);
	*t = (struct trees){ 0 };
}

static int by_path(const void *path, const void *tree)
{
	return strcmp(path, ((const struct tree *)tree)->path);
}

int64_t trees_hold(const struct trees *trees, const char *name, enum select_tree *kind)
{
	char part[STORAGE_NAME_MAX + 1] = "";

	if (trees->n == 0)
		return -1;
	for (size_t n = 0; n < sizeof(part) - 1; n++) {
		const struct tree *found = NULL;

		part[n] = '\0';
		if (n == 0 || name[n - 1] == '/')
			found = bsearch(part, trees->v, trees->n, sizeof(*trees->v), by_path);
		if (found) {
			*kind = found->kind;
			return (int64_t)n;
		}
		if (name[n] == '\0')
			break;
		part[n] = name[n];
	}
	return -1;
}
