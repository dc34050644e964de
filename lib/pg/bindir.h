#ifndef LIB_PG_BINDIR_H
#define LIB_PG_BINDIR_H
/*
 * bindir: which installed PostgreSQL server fits a backup.
 *
 * Looked through: --pg-bindir alone when it is given; else /usr/lib/postgresql/MAJOR/bin (Debian),
 * /usr/pgsql-MAJOR/bin (PGDG RPMs), and the directory of initdb in PATH. A server counts when
 * initdb, postgres and pg_restore are all there and "postgres --version" tells its major.
 */
#include "lib/base/err.h"

#include <limits.h>

struct bindir {
	char path[PATH_MAX];
	int major;        /* 15 */
	char version[32]; /* "15.20" */
};

/* For a backup that a server of major `wanted` wrote (0: unknown): the same major, else the oldest
 * newer one (a dump restores into newer servers, not into older ones). only may be NULL. ERR_SYSTEM
 * names what to install. */
int bindir_find(const char *only, int wanted, struct bindir *out, struct err *e);

/* "15.20", "15.20 (Debian ...)", "9.6.24", "16beta1": 15, 15, 9, 16; 0 when there is no number. */
int bindir_major(const char *version);
#endif
