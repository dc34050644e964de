#ifndef LIB_RESTORE_SOURCE_H
#define LIB_RESTORE_SOURCE_H
/*
 * source: the backup that is to be restored: which one, what the records say about it, and how the
 * unprivileged user gets to read it.
 */
#include "lib/base/identity.h"
#include "lib/base/record.h"

#include <stdbool.h>
#include <stdint.h>

/* Start from SOURCE_INIT. */
struct source {
	char *path;         /* owned; absolute, or as it was told of early; NULL: none yet */
	char *kept, *label; /* owned: of one without a path, which its program restores: its
			     * source and its name (bring.h) */
	bool taken, modified;
	int64_t taken_ms;    /* when it was made, as its name says */
	int64_t modified_ms; /* when it was last written */
	uint64_t bytes;      /* of the file, or of all in the directory */
	int64_t arrives_ms;  /* since when it arrives, by utc_now_ms() */
	int arriving;        /* open, while fetch-latest still writes it (arrival.h); -1 */
	int64_t began_ms;    /* when fetch-latest began; 0: not known */
	double find_s;       /* how long it looked for it before; -1: not known */
	double fetch_s;      /* how long fetching it took; -1: not known */
};
#define SOURCE_INIT \
	{ \
		.arriving = -1, .find_s = -1, .fetch_s = -1 \
	}

/* Looks at a record of the input: a backup that says newest and has a path; one that is on its way;
 * how long it took. True: it can be restored while it arrives, so the rest of the input may wait.
 */
bool source_see(struct source *s, const struct record *r);

/* After the input: checks the path (given by the user: wins over the records; may be NULL) and
 * fills in what the file itself says. */
int source_settle(struct source *s, const char *given, struct err *e);

/* A path under which *who can read it: its own; for a file that he may not open "/dev/fd/N", which
 * stays open for our child processes (stream.h); for a directory, a copy in dir. The caller's to
 * free; NULL with *e. */
char *source_hand_over(const struct source *s, const struct identity *who, const char *dir,
		       struct err *e);

/* The N of such a "/dev/fd/N"; -1 for any other path. */
int source_fd(const char *path);

void source_free(struct source *s);
#endif
