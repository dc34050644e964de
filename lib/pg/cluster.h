#ifndef LIB_PG_CLUSTER_H
#define LIB_PG_CLUSTER_H
/*
 * cluster: a private PostgreSQL server that is thrown away after use.
 *
 * It lives in one directory (a tmpdir.h), runs as an unprivileged user, in its own process group,
 * and listens on a Unix socket in that directory and nowhere else. Its settings come from its
 * command line, which wins over every file and over ALTER SYSTEM; its environment is made, not
 * inherited. Data written by it is worth nothing, so by default (CLUSTER_FAST) nothing is synced.
 */
#include "lib/base/buf.h"
#include "lib/base/identity.h"
#include "lib/base/strv.h"
#include "lib/pg/bindir.h"

#include <stdbool.h>
#include <stdint.h>

enum { CLUSTER_NAME = 64 };

enum cluster_durability {
	CLUSTER_FAST,     /* no fsync, minimal WAL, no autovacuum */
	CLUSTER_FAITHFUL, /* as a server out of the box: what a real recovery would take */
};

struct cluster_opts {
	const struct pg_bindir *bin;
	const struct identity *as;
	const char *dir;       /* absolute, private, empty but for its mark */
	const char *templates; /* where template.h keeps them; NULL: none */
	enum cluster_durability durability;
	const struct strv
		*settings;     /* of another server (settings.h), for CLUSTER_FAITHFUL; NULL */
	uint64_t max_memory_b; /* of each of its processes; 0: any */
	unsigned jobs; /* sessions that will build indexes at a time: shares the memory out */
	const struct cluster_adopted *adopted; /* NULL: cluster_init() makes the data */
};

/* A data directory that another server wrote. */
struct cluster_adopted {
	const struct strv *settings; /* its own and those of its recovery, after all others */
	/* Called all the while it starts: can it be asked already? (Every question before would be
	 * a line in its log.) */
	bool (*ready)(void *ctx);
	void *ctx;
};

/* A cluster. Start from { .opts = ... }; what opts points to must outlive it. */
struct cluster {
	struct cluster_opts opts;
	char data[PATH_MAX];
	char log[PATH_MAX];
	/* Who may ask it, and in which database; "": CLUSTER_USER, and what each cluster has. Those
	 * of adopted data may be others: .ready() sets them before it says yes. */
	char user[CLUSTER_NAME], database[CLUSTER_NAME];
	pid_t pid; /* the postmaster, a child of ours; 0 while there is none */
};

enum { CLUSTER_PORT = 5432 };
#define CLUSTER_USER "postgres" /* the superuser of what cluster_init() made */

/* The locale of all that are made: C.UTF-8, or C where the system has none. */
const char *cluster_locale(void);

/* Makes it: UTF8, locale C.UTF-8 (C where the system has none). ERR_SYSTEM quotes initdb. */
int cluster_init(struct cluster *c, struct err *e);

/* Instead: takes over dir/data, which is there, with .opts.adopted. Its configuration files are
 * replaced by our own. */
int cluster_adopt(struct cluster *c, struct err *e);

/* Starts it and waits until it answers a query, limit_s 0: without a limit. ERR_SYSTEM quotes the
 * server's log. */
int cluster_start(struct cluster *c, uint64_t limit_s, struct err *e);

/* Is the server still there? When not, *e says so and quotes its log. */
int cluster_check(struct cluster *c, struct err *e);

/* Stops it at once (nothing in it is worth a checkpoint); kills it when it does not obey. */
int cluster_stop(struct cluster *c, struct err *e);

/* The superuser's name. */
const char *cluster_user(const struct cluster *c);

/* A database that takes connections. */
const char *cluster_database(const struct cluster *c);

/* Of a session's options: it loads nothing, whatever roles and databases have set. */
#define CLUSTER_LOADS_NOTHING "-c session_preload_libraries= -c local_preload_libraries="

/* "host=DIR port=5432 user=NAME dbname=NAME". Returns out->s. */
const char *cluster_conninfo(const struct cluster *c, const char *dbname, struct buf *out);

/* The environment for PostgreSQL's programs that belong to this cluster: NULL-terminated. */
void cluster_environment(const struct cluster *c, struct strv *out);

/* For cleaning up after a crash: kills every process whose current directory is in dir (that is
 * where the server and all its sessions are; an id in a file proves nothing), and removes the
 * System V shared memory that a killed postmaster leaves. -1 when something is still running. */
int cluster_sweep(const char *dir, struct err *e);
#endif
