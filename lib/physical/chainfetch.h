#ifndef LIB_PHYSICAL_CHAINFETCH_H
#define LIB_PHYSICAL_CHAINFETCH_H
/*
 * chainfetch: of an incremental backup that was brought here, brings all that it builds on
 * (ancestry.h), from the same storage to the same directory, where ancestry_find() then finds it.
 *
 * Of a backup that is elsewhere its manifest tells where it began: one object to read, however it
 * is packed. The youngest are asked first.
 */
#include "lib/base/strv.h"
#include "lib/storage/fetch.h"

struct chainfetch {
	struct strv paths; /* of the ancestors here, the full one first: none for a full backup */
	uint64_t bytes;    /* of them */
	double seconds;
};

/* path: where the backup is now; plan: as it was fetched, with a directory. What --match and its
 * like left out is no less an ancestor. ERR_BACKUP: one is not there. */
int chainfetch_run(struct storage *s, const char *path, const struct fetch_plan *plan,
		   struct chainfetch *out, struct err *e);
void chainfetch_free(struct chainfetch *c);
#endif
