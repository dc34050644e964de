#ifndef LIB_DUMP_CENSUS_H
#define LIB_DUMP_CENSUS_H
/*
 * census: the tables of a dump, and what was counted in each.
 */
#include "lib/base/strv.h"
#include "lib/dump/tally.h"

#include <stdbool.h>
#include <stddef.h>

struct census_table {
	char *database;     /* owned; "" where the dump is one of a single database */
	char *name;         /* owned: "schema.table" without quotes; a collection's "db.name" */
	const char *column; /* borrowed from the wanted ones: the time column looked at; or NULL */
	struct tally tally;
	size_t at;  /* its place in rows.v, until that is sorted */
	bool whole; /* all of its rows were seen, up to their end mark */
};

/* Where a sequence stands. */
struct census_sequence {
	char *database, *name; /* owned; as of a table */
	int64_t last;
	bool called; /* else .last is the next value that it gives */
};

struct census {
	/* What to look for: COLUMN, or TABLE.COLUMN, where TABLE is schema.table or table;
	 * borrowed; may be NULL.
	 */
	const struct strv *time_columns;
	bool hashes;             /* hash the rows that come as COPY text */
	struct census_table **v; /* in the order of the dump */
	size_t n, cap;
	void *by_name;
	struct census_sequence *sequences; /* in the order of the dump */
	size_t n_sequences, sequences_cap;
};

void census_free(struct census *r);
#define CENSUS_AUTO __attribute__((cleanup(census_free))) struct census

/* The table of this name; it is added when it is new. Stays where it is until census_free(). */
struct census_table *census_table(struct census *r, const char *database, const char *name);

/* Begins the tally of a table whose rows come as the COPY statement says. */
void census_begin_copy(struct census *r, struct census_table *t, const char *copy, size_t n);

/* Looks for the position of a sequence in SQL (SELECT setval(...)); schema (may be "") is that of
 * names without one. */
void census_statement(struct census *r, const char *database, const char *schema, const char *sql,
		      size_t n);

/* By name; for reports. */
void census_sort(struct census *r);
#endif
