#ifndef LIB_PG_BINDIR_H
#define LIB_PG_BINDIR_H
/*
 * bindir: which installed PostgreSQL restores a dump.
 *
 * An archive is read by a pg_restore of at least the major version of the pg_dump that wrote it,
 * and SQL of a newer server is not understood by an older one. Of those that will do, the same
 * major version comes first (its newest release), then the next newer ones: the fewer differences
 * the better.
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"

#include <limits.h>

struct pg_bindir {
	char path[PATH_MAX]; /* holds initdb, postgres, pg_restore */
	char version[32];    /* "15.20", "18beta1" */
	int major;
};

/* The major version in "15.20 (Debian ...)", "9.6.24", "18beta1"; 0 when there is none. The old
 * 9.x count as 9. */
int pg_major(const char *version);

/* only: the one directory to take (--pg-bindir), or NULL: /usr/lib/postgresql, /usr/pgsql-*,
 * /usr/local/pgsql, PATH. need: the smallest major version that will do, 0: any. ERR_SYSTEM names
 * what was found and what to install. Runs `postgres --version` as *who. */
int pg_bindir_find(const char *only, int need, const struct identity *who, struct pg_bindir *out,
		   struct err *e);
#endif
