#ifndef LIB_STORAGE_TREES_H
#define LIB_STORAGE_TREES_H
/*
 * trees: which directories of a listing are one backup each (select_markers).
 */
#include "lib/storage/select.h"

#include <stddef.h>

struct tree {
	char *path; /* owned: "dir/", "" for the source itself */
	enum select_tree kind;
};

struct trees {
	struct tree *v; /* sorted by path */
	size_t n;
};

/* For each name of a listing, then once. */
void trees_note(struct trees *t, const char *name);
void trees_sort(struct trees *t);
void trees_free(struct trees *t);

/* The length of the outermost of the trees that the name lies in, and its kind; -1: in none. */
int64_t trees_hold(const struct trees *trees, const char *name, enum select_tree *kind);
#endif
