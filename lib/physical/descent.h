#ifndef LIB_PHYSICAL_DESCENT_H
#define LIB_PHYSICAL_DESCENT_H
/*
 * descent: does each file that an incremental backup has in part go back to a whole one in those
 * that it builds on? Told from their manifests: what the server sent in part (INCREMENTAL.16400) it
 * knew from the manifest of the backup before, whole or in part (PostgreSQL
 * src/backend/backup/basebackup_incremental.c, GetFileBackupMethod()); pg_combinebackup needs that
 * file, and notices when it comes to it.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"

/* The check backup-chain of the youngest backup and its ancestors (ancestry.h). */
void descent_check(struct stage *st, const struct strv *ancestors, const char *youngest);
#endif
