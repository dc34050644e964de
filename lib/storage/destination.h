#ifndef LIB_STORAGE_DESTINATION_H
#define LIB_STORAGE_DESTINATION_H
/*
 * destination: where a backup is brought to, and whether it has room.
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"

#include <stdint.h>

/* The path that the backup will have in dir, which is made where it is missing (those above it are
 * not: a mistyped path must not be), such that owner gets through. NULL with *e also where here,
 * the backup's own path, is the same. The caller's to free(). */
char *destination_path(const char *dir, const char *name, const char *here,
		       const struct identity *owner, struct err *e);

/* Has dir room for so many bytes (-1: not known) when some of them are there already? */
int destination_room(const char *dir, const char *name, int64_t bytes, uint64_t there,
		     struct err *e);
#endif
