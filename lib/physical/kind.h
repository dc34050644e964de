#ifndef LIB_PHYSICAL_KIND_H
#define LIB_PHYSICAL_KIND_H
/*
 * kind: does a base backup that a storage lists build on another one? Of a directory the names in
 * it tell. Of a set of tars the beginning of its manifest is read: an incremental backup has files
 * that are there in part from the first database on, for nearly all of the catalogs are.
 */
#include "lib/storage/storage.h"

struct backup;

/* Sets b->in_part. A manifest that cannot be read tells nothing. */
void kind_ask(struct storage *s, struct backup *b);
#endif
