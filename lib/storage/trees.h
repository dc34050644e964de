#ifndef LIB_STORAGE_TREES_H
#define LIB_STORAGE_TREES_H
/*
 * trees: which directories of a listing are one backup each (select_markers).
 */
#include "lib/storage/select.h"

#include <stddef.h>

struct trees {
	struct strv paths;       /* as "dir/", "" for the source itself; sorted */
	enum select_tree *kinds; /* owned: of paths */
};

void trees_find(struct trees *trees, const struct backup *objects, size_t n_objects);
void trees_free(struct trees *t);
#define TREES_AUTO __attribute__((cleanup(trees_free))) struct trees

/* The length of the outermost of the trees that the name lies in, and its kind; -1: in none. */
int64_t trees_hold(const struct trees *trees, const char *name, enum select_tree *kind);
#endif
