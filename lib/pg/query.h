#ifndef LIB_PG_QUERY_H
#define LIB_PG_QUERY_H
/*
 * query: statements on a session (conn.h), asynchronously and with a deadline.
 *
 * The server's statement_timeout is the first guard. Should the server not keep it (it hangs, the
 * network is gone), the client cancels a little later, and when even that is not answered it
 * closes the connection. A failure fills *e with one line (ERR_REMOTE), pg->why and
 * pg->sqlstate; after PG_WHY_LOST the session is closed (pg->link is NULL).
 *
 * No statement here may be COPY: use pg->link for that.
 */
#include "lib/base/buf.h"
#include "lib/pg/conn.h"

#define PGRESULT_AUTO __attribute__((cleanup(pg_clear))) PGresult
void pg_clear(PGresult **r);

/* One or more statements without parameters, results dropped. */
int pg_run(struct pg *pg, const char *sql, struct err *e);

/* One statement; params are texts for $1..$n (NULL: SQL NULL). The rows, the caller's; or NULL. */
PGresult *pg_query(struct pg *pg, const char *sql, const char *const *params, int n, struct err *e);

/* Gives each row as it comes, in constant memory, until take() returns false; the rows that follow
 * are dropped, so a query that may be cut short has a LIMIT. */
int pg_each(struct pg *pg, const char *sql, const char *const *params, int n,
	    bool (*take)(const PGresult *row, void *to), void *to, struct err *e);

/* pg_query() in steps, for several sessions at once: send; wait for any; step each. */
int pg_send(struct pg *pg, const char *sql, const char *const *params, int n, struct err *e);

/* 1: complete, *out has the rows (the caller's); 0: not yet; -1: it failed. Never blocks. */
int pg_step(struct pg *pg, PGresult **out, struct err *e);

/* Sleeps until one of the n sessions has something to say or reaches its deadline. Sessions
 * without a running query must not be among them. */
int pg_wait(struct pg *const *sessions, size_t n, struct err *e);

/* A cell: its text (borrowed from r), NULL for SQL NULL. */
const char *pg_cell(const PGresult *r, int row, int column);
/* A cell that must hold a whole number; NULL and anything else is false. */
bool pg_cell_int(const PGresult *r, int row, int column, int64_t *out);
bool pg_cell_true(const PGresult *r, int row, int column);

/* Appends schema.name, or name alone when schema is NULL, quoted. Any name that the server itself
 * gave can be quoted. */
int pg_quote(struct pg *pg, const char *schema, const char *name, struct buf *out, struct err *e);

/* Appends a message of libpq or the server as one line, without severities, without libpq's hints
 * (lines that begin with a tab) and with *** for the secret (NULL or "": none). */
void pg_words(struct buf *out, const char *text, const char *secret);
#endif
