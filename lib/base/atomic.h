#ifndef LIB_BASE_ATOMIC_H
#define LIB_BASE_ATOMIC_H
/*
 * atomic: replace a file so that readers see the old bytes or the new, never half, and so
 * that the new ones are on the disk when it returns: temporary name beside the target,
 * fsync, checked close, rename, fsync of the directory. mode is what the file ends up with
 * (0600 for secrets and dumps, 0644 where another user reads it: a Prometheus text file).
 */
#include "lib/base/err.h"

#include <stddef.h>
#include <sys/types.h>

int atomic_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e);

/* Puts a directory's names on the disk, after a file in it was renamed or removed: 0, or -1 with
 * errno set. */
int atomic_sync_dir(const char *dir);
#endif
