#ifndef LIB_PG_BASELINE_H
#define LIB_PG_BASELINE_H
/*
 * baseline: what a database held at the instant of a backup, in a file beside it
 * (docs/baseline.md): the backup's path with ".counts.json" behind it.
 */
#include "lib/base/err.h"

#include <jansson.h>

#define BASELINE_SUFFIX ".counts.json"

/* Where the baseline of a backup is. setting: a file, "none", "auto" or NULL: beside the backup's
 * path (NULL: not known), if it is there. NULL: there is none, and none was asked for. The
 * caller's. */
char *pg_baseline_find(const char *setting, const char *path);

/* Signs with the key (signature.h; NULL: not) and writes, so that the file is there whole or not at
 * all, and only its owner can read it: it holds keys of rows. */
int pg_baseline_write(json_t *baseline, const char *path, const char *key_file, struct err *e);

/* The caller's; NULL with *e: ERR_BACKUP when it is no baseline of a version that we know, when a
 * table, sequence or definition in it lacks what the comparison leans on, or, with a key, when it
 * is not signed by it. */
json_t *pg_baseline_read(const char *path, const char *key_file, struct err *e);
#endif
