#ifndef LIB_BASE_TMPDIR_H
#define LIB_BASE_TMPDIR_H
/*
 * tmpdir: private temporary directories that cannot be orphaned.
 *
 * Each is mode 0700, named PARENT/backup-probes-XXXXXX, and holds a file "owner" (pid, its start
 * time, boot id, purpose) on which the owner keeps a flock(2). A directory whose lock is free
 * has no living owner: tmpdir_reap() removes it, and nothing else - neither a name nor an age
 * is ever enough.
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"

#include <limits.h>
#include <stdbool.h>

struct tmpdir {
	char path[PATH_MAX];
	int lock_fd; /* held until tmpdir_remove(); -1 when not ours */
};

/* parent NULL: $TMPDIR, else /tmp (or /var/tmp where /tmp is missing). The directory belongs to
 * *owner where it drops from root. */
int tmpdir_create(struct tmpdir *t, const char *parent, const char *purpose,
		  const struct identity *owner, struct err *e);

/* A file without a name, which ends with its descriptor, in $TMPDIR, else /tmp: for what does not
 * fit into memory. The caller's to close; -1 with *e. */
int tmpdir_file(struct err *e);

/* Removes the tree and gives up the lock. Removing what is gone already is no error. */
int tmpdir_remove(struct tmpdir *t, struct err *e);

/* Removes what dead owners left under parent. before (may be NULL) is called with each such
 * directory first, e.g. to stop a server that still runs in it. *removed counts them. */
int tmpdir_reap(const char *parent, void (*before)(const char *dir, void *ctx), void *ctx,
		unsigned *removed, struct err *e);
#endif
