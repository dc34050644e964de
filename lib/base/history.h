#ifndef LIB_BASE_HISTORY_H
#define LIB_BASE_HISTORY_H
/*
 * history: what earlier runs found. One append-only JSON Lines file for a label; one line, an
 * object with "record":"run", for each run (fields: docs/records.md; emit-report writes them).
 *
 * A path that is a directory, or ends in '/', means PATH/LABEL.jsonl, where every byte of the label
 * that is not a letter, a digit, '-', '_' or '.' becomes '_'. A missing directory is made, its
 * parent is not. Files are 0640, directories 0750: a monitoring user in the group may read.
 *
 * Appending holds an exclusive flock(2) on the file (waited for a minute at most), and returns when
 * the file and its directory are on the disk; what could not be written whole is taken back. A line
 * cut off by a crash is set aside by the newline that the next append puts first, and skipped by
 * readers. Every line gets the fields of a chain (chain.h), so that a history that is not what was
 * written is known (history_prove()).
 */
#include "lib/base/chain.h"
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* A run's line is at most this long; a longer one is refused when written and skipped when read. */
enum { HISTORY_LINE_MAX = 4 * 1024 * 1024 };

/* How a line is signed, and what the chain's head is with it. */
struct history_seal {
	const char *sign_key; /* a file (signature.h); NULL: not signed */
	struct chain_head head;
};

/* label "" means runs without one; seal may be NULL. */
int history_append(const char *path, const char *label, const json_t *run,
		   struct history_seal *seal, struct err *e);

/* Proves the label's file: chain_prove(). -1 with *e when it cannot be read, or is not there. */
int history_prove(const char *path, const char *label, const struct chain_visitor *visitor,
		  struct chain_proof *out, struct err *e);

/* The last `most` runs of the label, oldest first, as an array: the caller's. No file yet: an empty
 * array. NULL with *e when it cannot be read. *skipped (may be NULL) counts unreadable lines among
 * those looked at. The file is read from its end, no further than needed. */
json_t *history_load(const char *path, const char *label, size_t most, unsigned *skipped,
		     struct err *e);

/* For who needs a long past and little of each run: gives the label's runs to take(), the newest
 * first and each borrowed (it may take a reference), until it returns false. 0, also when there is
 * no file yet; -1 with *e. */
int history_walk(const char *path, const char *label, bool (*take)(json_t *run, void *to), void *to,
		 unsigned *skipped, struct err *e);

/* The same for all labels of one file, and of each run only the fields before its lists "stages"
 * and "checks", which are most of a line: ten times as fast over years of runs. */
int history_walk_heads(const char *file, bool (*take)(json_t *run, void *to), void *to,
		       unsigned *skipped, struct err *e);
#endif
