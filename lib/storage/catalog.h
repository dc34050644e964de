#ifndef LIB_STORAGE_CATALOG_H
#define LIB_STORAGE_CATALOG_H
/*
 * catalog: what backups a source holds: its objects put together (the files of a directory-format
 * dump are one backup), sorted out (select.h) and ordered by age.
 *
 * A source that names one object is that backup, whatever it is called. Other names for a backup
 * (latest.dump: a symbolic link, a copy, or a text with its name) are not listed as backups, but as
 * pointers. It keeps about 100 bytes
 * and the name for each object: 100,000 take some 20 MB.
 */
#include "lib/storage/select.h"
#include "lib/storage/storage.h"

struct catalog_filter {
	const struct strv *match, *exclude; /* globs: select_wanted() */
	int64_t as_of_ms;                   /* none that is younger; 0: all */
	uint64_t nth;                       /* only the Nth newest; 0: all */
};

/* "latest": a name that stands for a backup. */
struct catalog_pointer {
	char *name, *target; /* owned; target is the name of an object or a backup, or what was
			      * there instead of one */
	bool there;          /* the target is a backup */
	char *newer;         /* owned: the newest backup, when that is not the target; NULL */
	int64_t behind_ms;   /* how much older the target is */
};

struct catalog {
	struct backup *v; /* oldest first */
	size_t n;
	struct backup *objects; /* all that were listed, by name; see catalog_members() */
	size_t n_objects;
	struct catalog_pointer *pointers;
	size_t n_pointers;
	uint64_t in_progress, sidecars, parts, unwanted, later; /* no backups, by reason */
	uint64_t before_nth; /* backups there were, of which none was the Nth */
};

/* The caller's also after an error: catalog_free(). */
int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e);
void catalog_free(struct catalog *c);
#define CATALOG_AUTO __attribute__((cleanup(catalog_free))) struct catalog

/* The backup that is called so, or the newest that lies in the folder that is called so; NULL. */
struct backup *catalog_named(const struct catalog *c, const char *name);

/* Drops all others. */
void catalog_keep(struct catalog *c, const struct backup *b);

/* NULL when there is none. */
struct backup *catalog_newest(const struct catalog *c);

/* Do name and modification time of the newest disagree by more than a day, or those of the last one
 * that was modified? Then that one, else NULL. */
const struct backup *catalog_doubtful(const struct catalog *c);

/* Why there is none: "no backup in SOURCE: it is empty", "..., 12 files are there, ...". */
void catalog_explain_none(const struct catalog *c, const struct storage *s, struct buf *out);

/* The objects of a backup that is a directory, in byte order of their names: those of them with
 * .member. They are called MEMBER in it and, of the storage, PREFIX + MEMBER: *skip is the length
 * of PREFIX. */
const struct backup *catalog_members(const struct catalog *c, const struct backup *b, size_t *n,
				     size_t *skip);
#endif
