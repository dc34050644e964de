#ifndef LIB_STORAGE_CATALOG_H
#define LIB_STORAGE_CATALOG_H
/*
 * catalog: what backups a source holds: its objects put together (the files of a directory-format
 * dump are one backup), sorted out (select.h) and ordered by age.
 *
 * A source that names one object is that backup, whatever it is called. Other names for a backup
 * (latest.dump: a symbolic link, a copy, or a text with its name) are not listed as backups, but as
 * pointers.
 *
 * Objects and backups are kept by sorters (lib/base/sorter.h): memory does not grow with their
 * number, but with that of the directories that are one backup each, and of the pointers.
 */
#include "lib/storage/pointers.h"
#include "lib/storage/select.h"
#include "lib/storage/storage.h"
#include "lib/storage/trees.h"

struct sorter;

struct catalog_filter {
	const struct strv *match, *exclude; /* globs: select_wanted() */
	int64_t as_of_ms;                   /* none that is younger; 0: all */
	uint64_t nth;                       /* only the Nth newest; 0: all */
};

struct catalog {
	uint64_t n;            /* backups */
	struct backup *newest; /* of them: owned; NULL: there is none */
	uint64_t n_objects;    /* that were listed */
	struct pointers pointers;
	uint64_t in_progress, sidecars, parts, unwanted, later; /* no backups, by reason */
	uint64_t before_nth; /* backups there were, of which none was the Nth */
	/* Its own. */
	struct sorter *objects, *backups; /* by name; by age */
	struct trees trees;
	struct backup *touched; /* owned: the last that was modified; NULL: the newest */
	bool kept;              /* of the backups only the newest counts */
};

/* The caller's also after an error: catalog_free(). */
int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e);
void catalog_free(struct catalog *c);
#define CATALOG_AUTO __attribute__((cleanup(catalog_free))) struct catalog

/* Calls each for every backup, oldest first; when it returns -1 with *e, so does this. The backup
 * is valid during the call, and each may change what is said of it for so long. */
int catalog_each(const struct catalog *c, int (*each)(void *ctx, struct backup *b, struct err *e),
		 void *ctx, struct err *e);

/* Drops all but the backup that is called so, or the newest that lies in the folder that is called
 * so. 1; 0 where there is none, -1 with *e. */
int catalog_keep(struct catalog *c, const char *name, struct err *e);

/* Do name and modification time of the newest disagree by more than a day, or those of the last one
 * that was modified? Then that one, else NULL. */
const struct backup *catalog_doubtful(const struct catalog *c);

/* Why there is none: "no backup in SOURCE: it is empty", "..., 12 files are there, ...". */
void catalog_explain_none(const struct catalog *c, const struct storage *s, struct buf *out);

/* Which of the names are objects: sets there[], as long as names. */
int catalog_present(const struct catalog *c, const struct strv *names, bool *there, struct err *e);

/* The objects of a backup that is a directory, in byte order of their names. They are called MEMBER
 * in it and, of the storage, PREFIX + MEMBER. */
struct members {
	struct backup *v; /* owned */
	size_t n;
	size_t skip; /* the length of PREFIX */
};

/* The caller's also after an error: members_free(). */
int catalog_members(const struct catalog *c, const struct backup *b, struct members *out,
		    struct err *e);
void members_free(struct members *m);
#endif
