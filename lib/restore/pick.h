#ifndef LIB_RESTORE_PICK_H
#define LIB_RESTORE_PICK_H
/*
 * pick: which entries of an archive are restored. All of them, but for
 *
 * - what acts outside the database (outside.h): pg_restore would run it;
 * - an extension that is to be skipped, with all that depends on it, and so on.
 */
#include "lib/base/strv.h"
#include "lib/dump/archive.h"
#include "lib/restore/mishap.h"

struct pick {
	bool *out; /* of each entry: left out; owned */
	size_t n_out;
};

/* skip: names of extensions. Each entry that is left out is noted in *m. */
void pick_entries(const struct archive *a, const struct strv *skip, struct pick *p,
		  struct mishaps *m);
void pick_free(struct pick *p);

/* The entries that are restored, as pg_restore --use-list reads them. */
int pick_write(const struct archive *a, const struct pick *p, const char *path, struct err *e);
#endif
