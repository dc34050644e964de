#ifndef LIB_STORAGE_WALK_H
#define LIB_STORAGE_WALK_H
/*
 * walk: what lies in a directory elsewhere, by the listings of its server: the files of its own
 * level, all of the directories that are a backup (select_markers), and what is in directories
 * named by a date; with storage_options.deep all of every directory.
 */
#include "lib/storage/storage.h"

enum { WALK_PAGE_MAX = 64 * 1024 * 1024 };

/* A file, a directory, or a symbolic link. */
struct walk_entry {
	const char *name; /* valid during the call, as is link */
	bool directory;
	int64_t bytes, modified_ms; /* -1: not said */
	const char *link;           /* NULL: it is none */
};

/* How a kind of server lists. */
struct walk_pages {
	/* The listing of a directory, by its name relative to the source ("": itself), as text. */
	int (*get)(struct storage *s, const char *below, struct buf *page, struct err *e);
	/* Calls each for the entries of the listing; when that returns -1 with *e, so does this. */
	int (*parse)(struct storage *s, const char *below, const struct buf *page,
		     int (*each)(const struct walk_entry *entry, void *ctx, struct err *e),
		     void *ctx, struct err *e);
	bool asks; /* listings tell no time: of files that matter the storage is asked for it */
};

/* page: that of the source itself. Calls each for what it finds. */
int walk(struct storage *s, const struct walk_pages *pages, const struct buf *page,
	 int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
	 struct err *e);
#endif
