#ifndef LIB_PG_CATALOG_H
#define LIB_PG_CATALOG_H
/*
 * catalog: the tables of a database that hold its users' rows.
 *
 * Ordinary tables, partitions and materialized views. Not: partitioned parents (their leaves are
 * there, each row once), foreign tables (counting them would query another server), temporary
 * and system tables, and an extension's own tables, which pg_dump leaves to CREATE EXTENSION -
 * unless the extension marks them as users' data (pg_extension.extconfig).
 */
#include "lib/base/err.h"
#include "lib/pg/conn.h"
#include "lib/pg/timecol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_timecol {
	char *name; /* owned by its table; NULL: none */
	enum pg_time_type type;
	int score;
	bool indexed;
	bool named; /* by the user, not guessed */
};

struct pg_table {
	char *schema, *name; /* owned; bytes as the server sent them */
	char *full;          /* owned: "schema.name", for people */
	int64_t oid;
	int64_t heap_b;   /* of its own file: 0 means that it holds no row */
	int64_t bytes;    /* with TOAST, without indexes; an estimate where locks are in the way */
	int64_t estimate; /* rows, as of the last ANALYZE; -1: never */
	bool view;        /* a materialized view */
	bool populated;   /* false: a materialized view that was never filled */
	bool partition;
	bool unlogged;
	struct pg_timecol created, changed; /* the best of each role (timecol.h) */
};

/* Sorted by schema, then name. */
struct pg_tables {
	struct pg_table *v;
	size_t n;
};

int pg_tables_load(struct pg *pg, struct pg_tables *out, struct err *e);
void pg_tables_free(struct pg_tables *t);
#define PG_TABLES_AUTO __attribute__((cleanup(pg_tables_free))) struct pg_tables

/* The table of the same schema and name; NULL: not there. */
struct pg_table *pg_tables_find(const struct pg_tables *t, const struct pg_table *like);

/* Shell pattern (*, ?, [...]) on "schema.name"; without a dot also on the name alone. A pattern
 * that is the name itself, character for character, matches whatever it holds. */
bool pg_table_matches(const struct pg_table *t, const char *pattern);

/* Makes the column the table's only time column, by the user's word. *found false: it has no such
 * column, or not one of a time type; then nothing changes. */
int pg_table_name_timecol(struct pg *pg, struct pg_table *t, const char *column, bool *found,
			  struct err *e);
#endif
