#ifndef LIB_PHYSICAL_TARSET_H
#define LIB_PHYSICAL_TARSET_H
/*
 * tarset: the files of a base backup that pg_basebackup -Ft wrote: base.tar, OID.tar of each
 * tablespace, pg_wal.tar, each perhaps with a suffix that tells its compression.
 */

/* Where in the data directory the members of the tar of this name belong, the caller's to free:
 * "base.tar.gz" "", "16500.tar" "pg_tblspc/16500/", "pg_wal.tar.zst" "pg_wal/". NULL: it is no tar
 * of such a set. */
char *tarset_place(const char *name);
#endif
