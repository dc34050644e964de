#ifndef LIB_STORAGE_SELECT_H
#define LIB_STORAGE_SELECT_H
/*
 * select: which names are backups, and which backup is the newest. Pure: from names and times
 * alone, without looking anywhere.
 *
 * No backups (the last part of the name decides, case counts not):
 * - in progress: .tmp .temp .part .partial .incomplete .inprogress .crdownload .filepart .swp, a
 *   trailing '~', a leading '.'
 * - sidecars: .md5 .sha1 .sha256 .sha512 (also with "sum"), MD5SUMS and its like, .sig .asc
 *   .minisig, .json (.counts.json), .txt .log .html .htm .md .yml .yaml .conf .sh,
 *   README..., backup_manifest
 * - parts of something else: files of a directory-format dump (3001.dat.gz, blob_7.dat, blobs.toc),
 *   WAL segments, their .history and .backup files (24 or 8 hexadecimal digits)
 */
#include "lib/base/strv.h"

#include <stdbool.h>
#include <stdint.h>

enum select_class { SELECT_BACKUP, SELECT_IN_PROGRESS, SELECT_SIDECAR, SELECT_PART };

enum select_class select_classify(const char *name);

/* A directory that holds one of these is one backup: a directory-format dump, a base backup, the
 * tar files of a base backup. NULL-terminated. */
extern const char *const select_markers[];

/* What a marker makes its directory. */
enum select_tree { SELECT_DUMP, SELECT_CLUSTER, SELECT_TARS };

enum select_tree select_tree_of(const char *marker);

/* Is a file of a base backup, by its path in it, there in part only? (PostgreSQL
 * src/backend/backup/basebackup_incremental.c) */
#define SELECT_IN_PART "INCREMENTAL."
bool select_in_part(const char *path);

/* Does a file of such a directory, by its path in it, belong to the backup? Of a base backup all
 * does; of the others what pg_dump and pg_basebackup write, and nothing below. */
bool select_member(enum select_tree tree, const char *path);

/* A name for whatever is newest: latest, current or newest as one of its words (latest.dump,
 * shop-latest, LATEST_BACKUP.txt), and no time in it. */
bool select_pointer(const char *name);

/* How many bytes at the front of the name are the directory of such a marker: 0 for the source
 * itself; -1 when the name is no marker. */
int64_t select_marked(const char *name);

/* --match and --exclude: shell globs over the whole name, or its last part; without a match list
 * every name is wanted. In them '*' also matches '/'. */
bool select_wanted(const char *name, const struct strv *match, const struct strv *exclude);

/* One backup and its place in time. */
struct backup {
	char *name;          /* owned: its object or directory, relative to the source */
	bool whole;          /* the source itself is this backup: name is the source's own */
	char *etag;          /* owned, NULL where there is none */
	int64_t bytes;       /* -1: not known yet */
	int64_t modified_ms; /* -1: not known */
	int64_t files;       /* of a directory; 0: it is a single file */
	int64_t order_ms;    /* by which backups are ordered; -1: nothing tells */
	int64_t taken_ms;    /* the moment that its name tells, -1: it tells none */
	int64_t apart_ms;    /* how far name and modification time disagree; 0: not at all */
	bool in_part; /* of a directory: some of its files (INCREMENTAL.16400) are there in part */
	bool tars;    /* of a directory: a set of tars, in which it is not seen what they hold */
	char *link;   /* of an object: owned, what the symbolic link says; NULL: it is none */
};

/* Fills order_ms, taken_ms and apart_ms from name and modified_ms.
 *
 * The order is by the time in the name, else by modification time. taken_ms is the name's time of
 * day, or the modification time where that is earlier by less than a day: a name may be in local
 * time, and a backup must not seem younger than it is. A name with a date alone tells no moment, as
 * long as the modification time fits that date in some time zone. */
void select_date(struct backup *b);

/* The moment that it is of, as far as its name and modification time tell; -1: nothing does. */
int64_t select_moment(const struct backup *b);

/* They disagree by more than a day. */
bool select_disagrees(const struct backup *b);

/* For qsort(3): oldest first; ties by modification time, then by name. */
int select_compare(const void *a, const void *b);

struct backup select_copy(const struct backup *b); /* the caller's: select_free() */
void select_free(struct backup *b);
#endif
