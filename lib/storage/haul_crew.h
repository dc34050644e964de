#ifndef LIB_STORAGE_HAUL_CREW_H
#define LIB_STORAGE_HAUL_CREW_H
/*
 * haul_crew: the threads of a haul, each with a connection of its own: which of them brings what,
 * and when; for haul.c alone. What they do with a range or a file is in haul_parts.h.
 */
#include "lib/storage/haul.h"

/* For pthread_create(3), arg being the haul: until there is nothing to begin any more. */
void *haul_work(void *arg);

/* What haul.c does for them: */

/* It failed, or is to give up. */
bool haul_stopped(const struct haul *h);

/* The first failure is that of all: at the file, h->n: at none of them. */
void haul_fail(struct haul *h, size_t at, const struct err *e);

/* With the lock held: all is known that decides how the file is brought. */
void haul_make_ready(struct haul *h, struct haul_file *f);
#endif
