#ifndef LIB_STORAGE_CATALOG_H
#define LIB_STORAGE_CATALOG_H
/*
 * catalog: what backups a source holds: its objects put together (the files of a directory-format
 * dump are one backup), sorted out (select.h) and ordered by age.
 *
 * A source that names one object is that backup, whatever it is called. It keeps about 100 bytes
 * and the name for each object: 100,000 take some 20 MB.
 */
#include "lib/storage/select.h"
#include "lib/storage/storage.h"

struct catalog_filter {
	const struct strv *match, *exclude; /* globs: select_wanted() */
};

struct catalog {
	struct backup *v; /* oldest first */
	size_t n;
	struct backup *objects; /* all that were listed, by name; see catalog_members() */
	size_t n_objects;
	uint64_t in_progress, sidecars, parts,
		unwanted; /* objects that are no backups, by reason */
};

/* The caller's also after an error: catalog_free(). */
int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e);
void catalog_free(struct catalog *c);
#define CATALOG_AUTO __attribute__((cleanup(catalog_free))) struct catalog

/* NULL when there is none. */
struct backup *catalog_newest(const struct catalog *c);

/* Do name and modification time of the newest disagree by more than a day, or those of the last one
 * that was modified? Then that one, else NULL. */
const struct backup *catalog_doubtful(const struct catalog *c);

/* Why there is none: "no backup in SOURCE: it is empty", "..., 12 files are there, ...". */
void catalog_explain_none(const struct catalog *c, const struct storage *s, struct buf *out);

/* The objects of a backup that is a directory, in byte order of their names. They are called
 * MEMBER in it and, of the storage, PREFIX + MEMBER: *skip is the length of PREFIX. */
const struct backup *catalog_members(const struct catalog *c, const struct backup *b, size_t *n,
				     size_t *skip);
#endif
