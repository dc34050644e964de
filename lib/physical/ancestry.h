#ifndef LIB_PHYSICAL_ANCESTRY_H
#define LIB_PHYSICAL_ANCESTRY_H
/*
 * ancestry: the backups that an incremental one (pg_basebackup --incremental, PostgreSQL 17 and
 * later) builds on. Its label says where the backup that it was made against began, and on which
 * timeline; nobody says where that one lies. It is looked for where backups of one job lie: in the
 * same folder, whatever they are called there, and, where each has a folder of its own
 * (2026-02-17/base), under its name in the folders beside.
 *
 * pg_combinebackup holds the same positions against one another (PostgreSQL
 * src/bin/pg_combinebackup/pg_combinebackup.c, check_backup_label_files()).
 */
#include "lib/base/strv.h"
#include "lib/dump/keys.h"
#include "lib/physical/walneed.h"

/* More can hardly be meant, and a circle ends here. */
enum { ANCESTRY_MAX = 1000 };

/* Was child made against the backup that says *need? */
bool ancestry_fits(const struct walneed *child, const struct walneed *need);

/* The paths of all that the backup at path builds on, the full one first, without path itself: none
 * when it is a full one, no base backup at all, or does not say what it is, which others tell. keys
 * are for encrypted tars, and may be NULL. ERR_BACKUP: one is not there. */
int ancestry_find(const char *path, const struct keys *keys, struct strv *out, struct err *e);

/* The part of an ancestor's path by which people tell it from the others of the family: its last
 * one, or the last two where all have a folder of their own. In path. */
const char *ancestry_name(const char *ancestor, const char *youngest);

/* "a full backup and 2 incremental ones: full, monday and tuesday"; of many not all names. */
void ancestry_add_names(const struct strv *ancestors, const char *youngest, struct buf *out);

/* The paths of all, the full backup first. */
json_t *ancestry_members(const struct strv *ancestors, const char *youngest);
#endif
