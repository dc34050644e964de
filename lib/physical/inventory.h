#ifndef LIB_PHYSICAL_INVENTORY_H
#define LIB_PHYSICAL_INVENTORY_H
/*
 * inventory: what lies in a base backup, before any of it is read: the files of a directory, or the
 * tars of a set.
 *
 * A set of tars is one when its base.tar is there: then nothing but tars belongs to it. What can be
 * told by names and sizes alone is found here: links that lead out of the backup, pipes, segments
 * of relations that are missing or short. What may not be looked into is found, too, and passed
 * over.
 */
#include "lib/physical/look.h"

/* One thing for a job to take: a file of a plain backup, or a whole tar. */
struct inventory_item {
	char *path;
	char *inside; /* tar: where its members belong, "pg_wal/"; NULL: a plain file */
	uint64_t bytes;
};

struct inventory {
	struct inventory_item *items;
	size_t n;
};

/* dir is the open directory; findings, and whether they are tars, go into s->out. The result is the
 * caller's. */
void inventory_take(int dir, struct look_shared *s, struct inventory *out);

/* Puts those first whose content says how the others are to be looked at, then the largest. */
void inventory_sort(struct inventory *l);

void inventory_free(struct inventory *l);
#define INVENTORY_AUTO __attribute__((cleanup(inventory_free))) struct inventory
#endif
