#ifndef LIB_RESTORE_INTO_H
#define LIB_RESTORE_INTO_H
/*
 * into: puts a dump into the running temporary server.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/dump/sniff.h"
#include "lib/pg/cluster.h"
#include "lib/restore/mishap.h"
#include "lib/restore/phases.h"

#include <stdint.h>

struct into_job {
	const struct cluster *cluster;
	const struct sniffed *what;
	const char *path;
	const struct stream_opts *reading; /* limits and keys */
	unsigned jobs;
	const struct strv *skip_extensions;
	bool rows_only; /* tables and rows: no indexes, constraints, triggers, refreshed views */
	bool analyze;   /* gather statistics, as one would after a real recovery */
	struct phases *phases;
	struct mishaps *mishaps;
};

struct into {
	struct strv databases; /* that were restored; the largest first, once it is ready */
	const char *database;  /* the one to look at; borrowed from databases */
	int64_t bytes;         /* of all of them */
	bool whole;            /* rows_only was not possible: it is no dump of pg_dump */
	struct strv made;      /* what the dump took for granted: "role alice" */
	char note[160];        /* why nothing proves that a script was whole; or "" */
	bool skips;            /* some of skip_extensions are in the dump */
	bool clipped;          /* only the empty line at its very end is missing */
};

/* Before anything is restored: is all there that the dump needs of this machine (wants.h)? */
int into_check(const struct into_job *job, struct into *out, struct err *e);

/* An archive, by pg_restore, into a database named as the dump says. */
int into_archive(const struct into_job *job, struct into *out, struct err *e);

/* SQL of pg_dump, into such a database, or of pg_dumpall. -1 with ERR_BACKUP when it is not whole:
 * what came before its end has been restored then. */
int into_script(const struct into_job *job, struct into *out, struct err *e);

/* Statistics, the first correct answer; and how much there is. */
int into_ready(const struct into_job *job, struct into *out, struct err *e);

void into_free(struct into *i);
#endif
