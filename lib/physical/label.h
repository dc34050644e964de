#ifndef LIB_PHYSICAL_LABEL_H
#define LIB_PHYSICAL_LABEL_H
/*
 * label: backup_label, where recovery of a base backup begins, and its copy in a WAL archive,
 * SEGMENT.OFFSET.backup, which also says where it can end.
 *
 * Format: PostgreSQL src/backend/access/transam/xlogbackup.c (build_backup_content), lines
 * "KEY: value"; INCREMENTAL FROM LSN and TLI since PostgreSQL 17. Without this file a base backup
 * is silently corrupt: the server would start from the wrong checkpoint.
 */
#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct label {
	uint64_t start;      /* LSN of START WAL LOCATION */
	uint64_t checkpoint; /* LSN of CHECKPOINT LOCATION */
	uint64_t stop;       /* LSN of STOP WAL LOCATION, in a .backup file of the archive; 0: not
			      * said */
	uint32_t timeline;   /* START TIMELINE; 0: not said */
	/* Of an incremental backup: where the backup began that it was made against. 0: it is a
	 * full one. */
	uint64_t prior_start;
	uint32_t prior_timeline;
	int64_t started_ms;  /* START TIME, whose zone is taken when it is UTC or GMT; -1: not known
			      */
	int64_t stopped_ms;  /* STOP TIME; -1: not known */
	char start_file[25]; /* the segment's name */
	char method[32], from[32]; /* "streamed", "primary"; "" when not said */
	char text[256];            /* LABEL */
};

/* text is the whole file. ERR_BACKUP when a line that recovery needs is missing or no LSN. */
int label_parse(const char *text, size_t len, const char *name, struct label *l, struct err *e);
#endif
