#ifndef LIB_STORAGE_PARTIAL_H
#define LIB_STORAGE_PARTIAL_H
/*
 * partial: a fetch that is under way, so that the next run can go on with it when this one is
 * killed.
 *
 * DIR/.NAME.partial/ holds "content" (the file or the tree that grows) and "journal": a first line
 * with the machine's boot and the identity of what is being fetched, then a line "FILE RANGE" for
 * each range that was written. The journal is locked as long as its owner lives. Another run takes
 * it over only when the owner is dead, the directory is our user's alone, the identity is the same,
 * and the machine was not started anew (what a crash left of the page cache is not known). What is
 * taken over is digested again like what comes.
 *
 * The name begins with a dot and ends in .partial, so that no listing takes it for a backup.
 */
#include "lib/base/err.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct partial {
	char path[PATH_MAX]; /* "": there is none */
	int journal;         /* locked; -1 */
};

#define PARTIAL_NONE \
	{ \
		.journal = -1 \
	}

/* Makes the directory, or takes over the one that is there: then has() is called for each range.
 * identity "": is never taken over. When a living process is at work on the same name, another name
 * is chosen. dir is an absolute path. */
int partial_open(struct partial *p, const char *dir, const char *name, const char *identity,
		 void (*has)(void *ctx, uint64_t file, uint64_t range), void *ctx, struct err *e);

/* The range is in the file. Not to be called by several threads at once. */
int partial_note(const struct partial *p, uint64_t file, uint64_t range);

/* It is about to get its name: from now on nobody takes it over. (When the process dies between the
 * renaming and the removal, "content" is gone, or is what had the name before.) */
int partial_finish(const struct partial *p);

/* DIR/.NAME.partial/content */
char *partial_content(const struct partial *p);

/* Removes it. */
int partial_remove(struct partial *p, struct err *e);

/* Leaves it to the next run. */
void partial_leave(struct partial *p);

/* Removes what dead owners left in dir, but for the one of this name. Goes on past what cannot be
 * removed. */
void partial_reap(const char *dir, const char *name);
#endif
