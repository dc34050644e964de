#ifndef LIB_BASE_TREE_H
#define LIB_BASE_TREE_H
/*
 * tree: removing directory trees that somebody hostile may have filled.
 *
 * Everything is relative to open descriptors: no symbolic link is followed, no mount point (bind
 * mounts included) is entered, no file outside changes, not even its mode. Any depth is removed
 * with a handful of descriptors: a directory found below is first moved up to the top.
 */
#include "lib/base/err.h"

/* rm -rf. What is gone already is no error. */
int tree_remove(const char *path, struct err *e);

/* The same for all that is in the open directory, but for the entry keep (NULL: for all). Goes on
 * past what cannot be removed and returns -1 with the first reason. path is for messages. */
int tree_empty(int dir, const char *keep, const char *path, struct err *e);

/* Opens dir/name as a directory for reading: -1 with errno set, ELOOP for a symbolic link, EXDEV
 * for a mount point. */
int tree_open(int dir, const char *name);
#endif
