#ifndef LIB_PG_TEMPLATE_H
#define LIB_PG_TEMPLATE_H
/*
 * template: new data directories that initdb made once, to be copied for each temporary server:
 * copying takes a fraction of the time.
 *
 * They are kept in /var/cache/backup-probes by root, by anybody else in
 * $XDG_CACHE_HOME/backup-probes or ~/.cache/backup-probes; one for each installed PostgreSQL, named
 * after its version, its locale and its program file, so that an upgrade makes a new one. All
 * servers copied from one have the same system identifier, which matters to nobody: they have no
 * replicas and no archive.
 *
 * They are made before anything of a backup is read, under a lock, and come to be by rename(2): any
 * number of runs may begin at once. Root's are root's: what runs in a temporary server can read
 * them and no more.
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"
#include "lib/pg/bindir.h"

/* Where they are kept; made when it is missing. The caller's to free. NULL where there is no such
 * place that nobody else can write to: then initdb must do. */
char *template_place(void);

/* Makes those that are missing and removes those that nobody needs any more. only: --pg-bindir, or
 * NULL: every PostgreSQL that is found. scratch: private, of *who; left as it was. */
int template_prepare(const char *place, const char *only, const struct identity *who,
		     const char *scratch, struct err *e);

/* A copy of the one for bin as the new directory data. 1; 0: there is none, and no data; -1. */
int template_copy(const char *place, const struct pg_bindir *bin, const char *data, struct err *e);
#endif
