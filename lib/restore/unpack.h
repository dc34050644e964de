#ifndef LIB_RESTORE_UNPACK_H
#define LIB_RESTORE_UNPACK_H
/*
 * unpack: a base backup, as a data directory of ours.
 *
 * It takes a directory as pg_basebackup -Fp leaves it, the set of tars of -Ft, compressed in any
 * way that lib/dump/stream reads, or one tar that holds it all. Nothing of it is trusted: names
 * that lead out, links, devices are refused, but for the links that PostgreSQL itself makes; those
 * of tablespaces lead into the private directory afterwards.
 *
 * What decides how a server behaves is left behind: its configuration, signal files, replication
 * slots, and what only the old server's processes needed (PostgreSQL
 * src/backend/backup/basebackup.c, excludeDirContents and excludeFiles).
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/dump/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct unpack_job {
	const char *path;                  /* of the backup */
	const char *dir;                   /* private, ours */
	const char *data;                  /* the data directory to be, in dir; made here */
	const struct stream_opts *reading; /* limits and keys, for tars */
	bool move; /* path is a directory of ours, in dir: its files need no copy */
};

struct unpacked {
	bool tars;
	char compression[64]; /* of the tars, or of the first one that has any */
	char encryption[64];
	uint64_t files, bytes;
	uint64_t wal_bytes;      /* of bytes, in pg_wal */
	struct strv tablespaces; /* their OIDs: what is there of them, */
	struct strv mapped;      /* and what it says that there is */
};

/* -1 with *e; ERR_BACKUP when it is the backup that is wrong. */
int unpack_run(const struct unpack_job *job, struct unpacked *out, struct err *e);
void unpacked_free(struct unpacked *u);
#endif
