#ifndef LIB_PG_CLUSTER_H
#define LIB_PG_CLUSTER_H
/*
 * cluster: a throw-away PostgreSQL server in a private directory.
 *
 * It listens on a Unix socket there and nowhere else, trusts who gets into the directory (mode
 * 0700), and takes all its settings from us, on its command line, which beats every file: nothing
 * is archived, no worker, job or library starts by itself (facts on dangers: PostgreSQL
 * documentation, chapters 20 and 27). Its own log is DIR/log.
 *
 * DIR/data is the data directory, DIR/socket holds the socket. The superuser is "postgres".
 */
#include "lib/base/err.h"
#include "lib/base/identity.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cluster_spec {
	const char *dir;           /* exists, mode 0700, belongs to *as */
	const char *bindir;        /* of initdb and postgres */
	const struct identity *as; /* whom it runs as */
	const char *encoding;      /* NULL: UTF8 */
	bool faithful;    /* fsync and WAL as in a real recovery, else as fast as it goes */
	bool sealed;      /* without network (isolate.h) */
	uint64_t start_s; /* how long initdb and the start may take, each */
};

struct cluster {
	char data[PATH_MAX];
	char socket[PATH_MAX]; /* PGHOST */
	char log[PATH_MAX];
	pid_t pid; /* the postmaster, our child */
};

enum { CLUSTER_PORT = 5432 }; /* part of the socket's name only */

/* initdb. */
int cluster_init(const struct cluster_spec *spec, struct cluster *c, struct err *e);

/* Starts it and waits until it takes connections. What it wrote to its log stands in *e. */
int cluster_start(const struct cluster_spec *spec, struct cluster *c, struct err *e);

/* Is the postmaster of this cluster still running? It never restarts after a crash. */
bool cluster_alive(const struct cluster *c);

/* Ends whatever server runs in DIR, without mercy for its data: known by its files alone, so that a
 * watchdog or a later run can do it. 0 when nothing runs there afterwards. */
int cluster_end(const char *dir, struct err *e);
#endif
