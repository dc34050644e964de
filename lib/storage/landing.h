#ifndef LIB_STORAGE_LANDING_H
#define LIB_STORAGE_LANDING_H
/*
 * landing: a file, or a directory of files, that appears under its name whole or not at all.
 *
 * A file has no name while it is written (O_TMPFILE), so that nothing stays behind however the
 * process ends. What is to be resumed by the next run, directories, and files where the file system
 * knows no nameless ones, grow in a directory beside the target (partial.h).
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"
#include "lib/storage/partial.h"

#include <stdbool.h>

struct landing {
	int dir;          /* where it will appear */
	int fd;           /* the file being written; -1 for a tree */
	int tree;         /* the directory being filled; -1 for a file */
	char *path;       /* owned: what it will be called */
	const char *name; /* borrowed from path: its last part */
	struct partial partial;
	struct identity owner;
};

#define LANDING_NONE \
	{ \
		.dir = -1, .fd = -1, .tree = -1, .partial = PARTIAL_NONE \
	}

/* What an earlier run has left of it: see partial_open(). */
struct landing_past {
	const char *identity; /* "": of no use, begin anew */
	void (*has)(void *ctx, uint64_t file, uint64_t range);
	void *ctx;
};

/* dir must exist; name has no '/'. owner: who shall own it, when that is not us. past NULL: the
 * file is not to be resumed. */
int landing_file(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 const struct landing_past *past, struct err *e);
int landing_tree(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 const struct landing_past *past, struct err *e);

/* A descriptor, the caller's to close, of the file (member NULL) or of a file of the tree by its
 * path in it: what it leads through is made, as is the file, and what is in it stays. A path that
 * is not below the tree is refused (ERR_BACKUP). For any thread. */
int landing_open(const struct landing *l, const char *member, struct err *e);

/* Does a link that lies at member stay within its tree by what it says? */
bool landing_stays_within(const char *member, const char *target);

/* A symbolic link of the tree, that leads to within it. */
int landing_link(const struct landing *l, const char *member, const char *target, struct err *e);

/* On the disk, then under its name; what had it before is replaced. */
int landing_commit(struct landing *l, struct err *e);

/* Gives up what was not committed, and the descriptors; with keep, what can be resumed stays. */
void landing_drop(struct landing *l, bool keep);
#endif
