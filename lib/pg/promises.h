#ifndef LIB_PG_PROMISES_H
#define LIB_PG_PROMISES_H
/*
 * promises: what a schema promises about its rows, read from the catalogue and asked of the rows
 * themselves: foreign keys, unique indexes, CHECK and NOT NULL constraints, stored generated
 * columns. A server keeps them for rows that come in; nobody asks again after a disk, a
 * file-level copy or another sort order of the C library has changed what is there.
 *
 * Every question is one SELECT that the server composes from its catalogue, so that names and
 * expressions are quoted by it. It reads the tables themselves (no index may stand in for them),
 * and counts at most PG_BROKEN_MAX broken rows. A unique index is also asked how many rows it leads
 * to, which must be as many as the table has.
 */
#include "lib/base/err.h"
#include "lib/pg/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_BROKEN_MAX = 1000 };

enum pg_promise_kind {
	PG_FOREIGN_KEY,
	PG_UNIQUE,
	PG_CHECK,
	PG_NOT_NULL,
	PG_GENERATED,
	PG_PROMISES,
};

struct pg_promise {
	enum pg_promise_kind kind;
	char *subject;  /* owned: "schema.table.name" */
	bool valid;     /* false: NOT VALID, never true of all rows */
	char *sql;      /* owned: one row: how many are broken, and (unique) rows in the table */
	char *by_index; /* owned: rows that the index leads to; NULL: there is none */
	int64_t bytes;  /* of the table */

	bool asked;            /* out: it was answered */
	int64_t broken;        /* out: PG_BROKEN_MAX: at least so many */
	int64_t rows, indexed; /* out: in the table, and by the unique index */
	enum pg_why why;       /* out: of a failure */
	char *failure;         /* out, owned */
};

struct pg_promises {
	struct pg_promise *v;
	size_t n;
};

/* deep: CHECK, NOT NULL and generated columns as well, and what is NOT VALID. Without it the NOT
 * VALID ones are listed, but have no .sql. */
int pg_promises_load(struct pg *pg, bool deep, struct pg_promises *out, struct err *e);
void pg_promises_free(struct pg_promises *p);
#define PG_PROMISES_AUTO __attribute__((cleanup(pg_promises_free))) struct pg_promises

/* Asks them all over so many sessions. -1 with *e when nothing could be asked. */
int pg_promises_ask(struct pg *pg, unsigned sessions, struct pg_promises *p, struct err *e);

/* Does it hold? Only of one that was asked. */
bool pg_promise_holds(const struct pg_promise *p);

/* "foreign-keys", "unique-indexes" ...: as the name of a check; "foreign key": one of them. */
const char *pg_promise_check(enum pg_promise_kind kind);
const char *pg_promise_word(enum pg_promise_kind kind);
#endif
