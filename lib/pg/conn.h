#ifndef LIB_PG_CONN_H
#define LIB_PG_CONN_H
/*
 * conn: a session with a PostgreSQL server, opened the way libpq does it: connection string, URI,
 * service, PG* variables, password file.
 *
 * A session only reads, unless the target says `writable` (our own temporary server). Right after
 * connecting, before anything else is sent, it gets settings that neither ALTER ROLE, ALTER
 * DATABASE, PGOPTIONS nor a restored schema can have bent, and then they are read back:
 *
 *	default_transaction_read_only=on, statement_timeout, lock_timeout,
 *	idle_in_transaction_session_timeout      production is read, and never for long
 *	search_path=pg_catalog                   a restored function cannot shadow a built-in one
 *	row_security=off                         a query that would see fewer rows fails instead
 *	TimeZone=UTC, DateStyle=ISO, bytea_output=hex, extra_float_digits=1, ...
 *	                                         text means the same on both sides
 *	client_encoding=UTF8                     (SQL_ASCII on a SQL_ASCII database: no conversion)
 *
 * Messages name the server and the database, never the connection string, and never a password.
 */
#include "lib/base/err.h"
#include "lib/pg/fault.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* Which of the PG* variables count for what the connection string leaves open. */
enum pg_env {
	PG_ENV_ALL,
	PG_ENV_NO_ADDRESS, /* all but PGHOST, PGHOSTADDR, PGPORT, PGDATABASE, PGUSER: under
			    * restore-to-temp these lead to the restored server */
	PG_ENV_NONE,       /* the string says it all; PGHOSTADDR or PGSERVICE would lead astray */
};

struct pg_target {
	const char *what;     /* in messages: "production", "the restored database" */
	const char *conninfo; /* string, URI or a bare database name; NULL or "": PG* alone */
	const char *dbname;   /* wins over the string's; a name, nothing else; NULL: the string's */
	enum pg_env env;
	bool writable;        /* no settings are made; only for our own temporary server */
	uint64_t connect_s;   /* for each host; 0: 10, unless the string or the environment says */
	uint64_t statement_s; /* for each statement; 0: no limit */
	uint64_t lock_s;      /* waiting for a lock; 0: no limit */
};

/* A session. Start from { 0 }; the target's strings are borrowed for as long as it is open. */
struct pg {
	PGconn *link; /* NULL while closed; a caller may use it for COPY */
	struct pg_target target;
	char where[320];  /* "production (shop on db1:5432)" */
	enum pg_why why;  /* of the last failure */
	char sqlstate[6]; /* of the last failure; "" when there was no answer */
	bool standby;     /* was in recovery when it was opened */
	char started[40]; /* when its postmaster started, to the microsecond; "" if writable */
	PGresult *held;   /* of the running query, until it is complete */
	bool (*row)(const PGresult *row, void *to); /* takes its rows one by one; see pg_each() */
	void *row_to;
	int64_t cancel_ms; /* monotonic: when the running query is given up; 0: never */
	bool cancelled;    /* it was, and the server has not answered yet */
};

/* 0, or -1 with *e (ERR_REMOTE; ERR_USAGE for a string that is none) and pg->why. */
int pg_open(struct pg *pg, const struct pg_target *target, struct err *e);

void pg_close(struct pg *pg);
#define PG_AUTO __attribute__((cleanup(pg_close))) struct pg

/* The same server and the same database? Comparing a database with itself proves nothing. */
bool pg_same_database(const struct pg *a, const struct pg *b);

/* Does the string carry a password? A string from the command line must not: every user of the
 * machine can read it there. False for a string that does not parse. */
bool pg_has_password(const char *conninfo);

/* Does the string name a database, or a service that may? */
bool pg_names_database(const char *conninfo);
#endif
