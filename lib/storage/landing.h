#ifndef LIB_STORAGE_LANDING_H
#define LIB_STORAGE_LANDING_H
/*
 * landing: a file, or a directory of files, that appears under its name whole or not at all.
 *
 * A file has no name while it is written (O_TMPFILE), so that nothing stays behind however the
 * process ends. Directories, and files where the file system cannot do that, grow in a temporary
 * directory of their own (tmpdir.h), which the next landing in the same place removes when its
 * owner was killed.
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"
#include "lib/base/tmpdir.h"

#include <stdbool.h>

struct landing {
	int dir;            /* where it will appear */
	int fd;             /* the file being written; of a tree: its member being written, or -1 */
	int tree;           /* the directory being filled; -1 for a file */
	char *path;         /* owned: what it will be called */
	const char *name;   /* borrowed from path: its last part */
	struct tmpdir temp; /* temp.path is "" while there is none */
	struct identity owner;
};

/* dir must exist; name has no '/'. owner: who shall own it, when that is not us. */
int landing_file(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 struct err *e);
int landing_tree(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 struct err *e);

/* The next file of a tree, by its path in it, as fd; what it leads through is made. A path that is
 * not below the tree is refused (ERR_BACKUP). */
int landing_member(struct landing *l, const char *member, struct err *e);
int landing_member_done(struct landing *l, struct err *e);

/* On the disk, then under its name; what had it before is replaced. */
int landing_commit(struct landing *l, struct err *e);

/* Gives up what was not committed, and the descriptors. */
void landing_drop(struct landing *l);
#endif
