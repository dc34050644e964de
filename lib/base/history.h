#ifndef LIB_BASE_HISTORY_H
#define LIB_BASE_HISTORY_H
/*
 * history: what earlier runs found. One append-only JSON Lines file for a label; one line, an
 * object with "record":"run", for each run (fields: doc in report/emit-report.c, which writes
 * them).
 *
 * A path that is a directory, or ends in '/', means PATH/LABEL.jsonl. Appending holds an exclusive
 * flock(2) on the file and syncs it; a line cut off by a crash is set aside by the newline that the
 * next append puts first, and skipped by readers.
 */
#include "lib/base/err.h"

#include <jansson.h>
#include <stddef.h>

int history_append(const char *path, const char *label, const json_t *run, struct err *e);

/* The last `most` runs of the label, oldest first, as an array: the caller's. No file yet: an empty
 * array. NULL with *e when it cannot be read. *skipped (may be NULL) counts unreadable lines. */
json_t *history_load(const char *path, const char *label, size_t most, unsigned *skipped,
		     struct err *e);
#endif
