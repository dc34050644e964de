#include "lib/storage/trees.h"

#include "lib/base/xmem.h"
#include "lib/storage/storage.h"

#include <stdlib.h>
#include <string.h>

/* The first of these in the sorted list; -1: it is not in it. */
static int64_t find_text(const struct strv *sorted, const char *text)
{
	size_t low = 0, high = sorted->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(sorted->v[middle], text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sorted->n && strcmp(sorted->v[low], text) == 0 ? (int64_t)low : -1;
}

void trees_free(struct trees *t)
{
	strv_free(&t->paths);
	free(t->kinds);
}

void trees_find(struct trees *trees, const struct backup *objects, size_t n_objects)
{
	for (size_t i = 0; i < n_objects; i++) {
		const char *name = objects[i].name;
		int64_t n = select_marked(name);

		if (n == 0)
			strv_add(&trees->paths, "");
		else if (n > 0)
			strv_addf(&trees->paths, "%.*s/", (int)n, name);
	}
	strv_sort(&trees->paths);
	trees->kinds = xcalloc(trees->paths.n + 1, sizeof(*trees->kinds));
	for (size_t i = 0; i < n_objects; i++) {
		int64_t n = select_marked(objects[i].name), at;
		AUTO_FREE char *path =
			n > 0 ? xasprintf("%.*s/", (int)n, objects[i].name) : xstrdup("");

		at = n < 0 ? -1 : find_text(&trees->paths, path);
		if (at >= 0)
			trees->kinds[at] = select_tree_of(objects[i].name);
	}
}

int64_t trees_hold(const struct trees *trees, const char *name, enum select_tree *kind)
{
	char part[STORAGE_NAME_MAX + 1] = "";
	const struct strv *paths = &trees->paths;

	if (paths->n == 0)
		return -1;
	for (size_t n = 0; n < sizeof(part) - 1; n++) {
		int64_t at = n == 0 || name[n - 1] == '/' ? find_text(paths, part) : -1;

		if (at >= 0) {
			*kind = trees->kinds[at];
			return (int64_t)n;
		}
		if (name[n] == '\0')
			break;
		part[n] = name[n];
	}
	return -1;
}
