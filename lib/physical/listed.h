#ifndef LIB_PHYSICAL_LISTED_H
#define LIB_PHYSICAL_LISTED_H
/*
 * listed: where the manifest of a base backup is: the file backup_manifest in its directory, or,
 * for what pg_basebackup -Ft -D - has written, the last member of its only tar.
 */
#include "lib/physical/manifest.h"

struct backup;

/* dir is the open directory, which is where for messages; lone the name of the tar in it that alone
 * is the backup, NULL: the directory is. 1: it is in *m, the caller's to free; 0: there is none; -1
 * with *e. */
int listed_read(int dir, const char *where, const char *lone, struct manifest *m, struct err *e);

/* What it is called in the storage that lists the backup, a directory: the caller's to free. */
char *listed_name(const struct backup *b);
#endif
