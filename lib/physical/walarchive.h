#ifndef LIB_PHYSICAL_WALARCHIVE_H
#define LIB_PHYSICAL_WALARCHIVE_H
/*
 * walarchive: what a WAL archive holds: any place that lib/storage knows, listed once; its labels
 * of backups and histories of timelines read; its segments looked at by several threads
 * (walrecord.h), each of which has a handle of its own. What of it was verified before is taken
 * from a ledger (walledger.h).
 *
 * Memory grows with the number of segments (some 500 bytes each), not with their size.
 */
#include "lib/physical/label.h"
#include "lib/physical/walledger.h"
#include "lib/physical/walpath.h"
#include "lib/physical/walrecord.h"
#include "lib/storage/storage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walseg {
	char *object; /* owned: its name in the storage */
	char *etag;   /* owned */
	int64_t bytes, modified_ms;
	char name[WAL_NAME_SIZE];
	bool partial; /* .partial: only its beginning was written */
	uint32_t timeline;
	uint64_t lsn;
	struct wal_summary sum; /* with .fault: as far as it was sound */
	char *why;              /* owned: it could not be read; NULL: it could */
	bool unread;            /* ... and not because it is damaged */
	bool remembered;        /* not read now */
	int64_t verified_ms;
};

struct walbackup {
	char *name; /* owned */
	struct label label;
};

struct walhistory {
	uint32_t timeline;
	struct walpath path;
	struct err e; /* it could not be read */
};

struct walarchive {
	struct storage *storage;
	const struct keys *keys; /* borrowed */
	uint32_t segment_b;
	uint64_t system_identifier; /* of its newest segment that could be looked at */
	struct walseg *segs;        /* by timeline, position; a .partial one behind the whole one */
	size_t n_segs;
	struct walbackup *backups; /* by where they begin */
	size_t n_backups;
	struct walhistory *histories; /* by timeline */
	size_t n_histories;
	size_t others;          /* files that are none of these */
	struct err label_error; /* the first label that could not be read; .kind ERR_NONE: none */
};
#define WALARCHIVE_AUTO __attribute__((cleanup(walarchive_close))) struct walarchive

/* Lists the source and reads what is small in it. -1 with *e when it could not be looked at, or
 * holds no WAL (ERR_BACKUP). keys open what is encrypted: borrowed, may be NULL. */
int walarchive_open(struct walarchive *a, const char *source, const struct storage_options *options,
		    const struct keys *keys, struct err *e);
void walarchive_close(struct walarchive *a);

/* A backup that something else than the archive knows of: it is taken over, but for one that is
 * there already. */
void walarchive_add_backup(struct walarchive *a, const char *name, const struct label *label);

struct walarchive_read {
	unsigned jobs;
	uint64_t from;                 /* LSN: segments before it are not read */
	const struct walledger *known; /* NULL: none */
	int64_t read_before_ms;        /* what was verified before this moment is read again */
};

/* Looks at the segments. */
int walarchive_verify(struct walarchive *a, const struct walarchive_read *how, struct err *e);
#endif
