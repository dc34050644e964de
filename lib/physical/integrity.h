#ifndef LIB_PHYSICAL_INTEGRITY_H
#define LIB_PHYSICAL_INTEGRITY_H
/*
 * integrity: the verdicts on a base backup, made of what survey, manifest, control, label and
 * coverage found: the checks backup-manifest, backup-files (and backup-file for each of the first
 * that are bad), page-checksums, control-file, backup-label and backup-wal. Of an incremental
 * backup all that it builds on is looked at, too (ancestry.h), under its name, and their check is
 * backup-chain.
 */
#include "lib/base/stage.h"

#include <stdbool.h>

struct integrity_opts {
	unsigned jobs; /* threads */
	bool no_sums;  /* names and sizes only */
	bool no_pages; /* neither relations nor WAL */
	bool alone;    /* not what an incremental one builds on */
	bool no_wal;   /* what the backup needs of it comes from an archive */
};

/* path: a directory, plain or with a set of tars, or one tar. */
void integrity_check(struct stage *st, const char *path, const struct integrity_opts *config);
#endif
