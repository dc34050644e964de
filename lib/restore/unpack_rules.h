#ifndef LIB_RESTORE_UNPACK_RULES_H
#define LIB_RESTORE_UNPACK_RULES_H
/*
 * unpack_rules: which names of a base backup belong into a data directory of ours (unpack.h), told
 * from the names alone, and where its links lead.
 */
#include "lib/base/strv.h"

#include <stdbool.h>

/* The places outside a plain backup that its links lead to, and that belong to it: tablespaces, and
 * its WAL. Only what looks like one: PG_15_202209061 in a tablespace, segments in pg_wal. */
void unpack_beside(const char *path, struct strv *out);

/* Does this file of a data directory stay behind? */
bool unpack_leaves(const char *path);

/* Is this a path that stays inside? */
bool unpack_safe(const char *path);

/* "pg_tblspc/16500": the OID, in path; NULL for any other. */
const char *unpack_tablespace(const char *path);
#endif
