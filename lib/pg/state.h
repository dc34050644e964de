#ifndef LIB_PG_STATE_H
#define LIB_PG_STATE_H
/*
 * state: all that a baseline says of a database, read in one snapshot: tables (content.h),
 * sequences, large objects, definitions (schema.h). The object is that of the baseline's file
 * (docs/baseline.md); reading the restored database makes the same one, so that comparing is laying
 * two objects side by side (state_diff.h).
 *
 * Materialized views are seen as definitions only: restoring fills them anew. What belongs to an
 * extension and foreign tables are left out, as in catalog.h.
 */
#include "lib/base/strv.h"
#include "lib/pg/conn.h"

#include <jansson.h>
#include <stdbool.h>

struct pg_state_plan {
	struct pg *sessions;     /* all in transactions that see one snapshot */
	size_t n;                /* at least one */
	bool checksum;           /* hash rows and large objects, else count */
	const struct strv *only; /* patterns (pg_table_matches()); NULL or empty: all */
	const struct strv *exclude;
	const json_t *like; /* another state, whose ranges divide the keys; NULL: none */
	void (*progress)(const char *table, void *ctx); /* from any thread; may be NULL */
	void *ctx;
};

/* The caller's; NULL with *e. A table that could not be read has "failed", with the reason, and
 * *failures counts them. */
json_t *pg_state_read(const struct pg_state_plan *plan, size_t *failures, struct err *e);

/* { NAME: { "last", "called", ... } }: sequences have no snapshots, this is what they are now. */
json_t *pg_state_sequences(struct pg *pg, struct err *e);

/* Names the sequences that are behind the columns that they serve, in their entries: "behind". */
int pg_state_mark_behind(struct pg *pg, json_t *sequences, struct err *e);
#endif
