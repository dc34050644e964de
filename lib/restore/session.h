#ifndef LIB_RESTORE_SESSION_H
#define LIB_RESTORE_SESSION_H
/*
 * session: a script's connection to the temporary server. It runs statements one at a time, each
 * committed by itself as psql does, and COPY data; notes what goes wrong and goes on.
 *
 * What a dump of one database takes for granted is made when it turns out to be missing, and the
 * statement is run again: roles (NOLOGIN), tablespaces (inside the data directory). A locale that
 * this machine does not have costs the created database its sort order, not its data: it gets the
 * server's own.
 *
 * COPY of much data into an empty table happens in one transaction with a TRUNCATE: with
 * wal_level=minimal the data then need not be written twice.
 *
 * -1 always means that it makes no sense to go on: the server is gone, or its disk is full.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/pg/conn.h"
#include "lib/restore/mishap.h"

#include <stdbool.h>
#include <stdint.h>

/* Start from { .conninfo = ..., .early = BUF_INIT(SESSION_EARLY), ... }; what it points to is
 * borrowed. */
enum { SESSION_EARLY = 256 * 1024 };

struct session {
	const char *conninfo; /* of the temporary server; the database is given when connecting */
	/* Extensions that are left out: what is missing then is missing for that. NULL: none. */
	const struct strv *left_out;
	bool roles_expected; /* the script makes them itself: a missing one is a failure */
	struct mishaps *mishaps;
	struct strv *made; /* "role alice", "tablespace fast" */

	struct pg db; /* .link is NULL while there is no database to work in */
	char dbname[256];
	struct strv known; /* roles that are there for sure */
	bool copying;      /* data is expected, */
	bool started;      /* the server takes it, */
	bool in_ours;      /* in a transaction that we began */
	struct buf early;  /* data from before it was known whether there is much of it */
	char *copy;        /* the COPY statement, owned */
	uint64_t copy_line;
	uint64_t rows; /* that the server has taken in all */
};

/* Where its connections lead. */
struct pg_target session_target(const struct session *s);

/* Leaves the old database and enters this one. A refusal is noted for that line, and until the next
 * connect everything is passed over: nothing must land in the wrong database. */
int session_connect(struct session *s, uint64_t line, const char *dbname, struct err *e);

int session_run(struct session *s, uint64_t line, const char *sql, struct err *e);

void session_copy_begin(struct session *s, uint64_t line, const char *sql);
int session_copy_put(struct session *s, const char *p, size_t n, struct err *e);
int session_copy_end(struct session *s, struct err *e);
/* The rest of the data will never come: none of it stays. */
void session_copy_drop(struct session *s);

/* A setting that another session of the same script has taken, or has noted to fail. */
void session_repeat(struct session *s, const char *sql);

/* In a transaction that was not committed yet? */
bool session_in_transaction(const struct session *s);

void session_close(struct session *s);
#endif
