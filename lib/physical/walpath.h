#ifndef LIB_PHYSICAL_WALPATH_H
#define LIB_PHYSICAL_WALPATH_H
/*
 * walpath: which timeline WAL is on, at each position, on the way to one timeline.
 *
 * Format of a history file: PostgreSQL src/backend/access/transam/timeline.c, lines "PARENT<TAB>
 * SWITCHPOINT<TAB>REASON", oldest first; '#' begins a comment. The segment in which a timeline was
 * left is written again on the new one, from its beginning.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walpath_leg {
	uint32_t timeline;
	uint64_t from; /* LSN; where the leg before it ends */
};

struct walpath {
	struct walpath_leg *legs; /* oldest first; the last one is the timeline itself */
	size_t n;
};

/* text: of the history file of the timeline; NULL when there is none, then the timeline goes back
 * to the beginning. ERR_BACKUP for a damaged one, named name. The result is the caller's. */
int walpath_parse(const char *text, uint32_t timeline, const char *name, struct walpath *p,
		  struct err *e);
void walpath_free(struct walpath *p);
#define WALPATH_AUTO __attribute__((cleanup(walpath_free))) struct walpath

/* The timeline whose segment holds what begins at lsn. */
uint32_t walpath_at(const struct walpath *p, uint64_t lsn, uint32_t segment_b);

/* Does the way lead over this timeline at lsn? */
bool walpath_leads_over(const struct walpath *p, uint32_t timeline, uint64_t lsn);

/* Was a timeline left within the segment? */
bool walpath_forks_in(const struct walpath *p, uint64_t lsn, uint32_t segment_b);
#endif
