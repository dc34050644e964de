#ifndef LIB_PG_KEYS_H
#define LIB_PG_KEYS_H
/*
 * keys: which rows are new, in a table that has no time column: those whose number was drawn from
 * its sequence after the backup.
 *
 * The column is one of integers with an ascending sequence of its own (serial, identity). What
 * separates old rows from new ones is not the largest number in the restored table - one that lost
 * its newest rows would excuse itself - but where the restored sequence stands. pg_dump reads that
 * after the rows, a physical backup is up to 32 numbers ahead (PostgreSQL, sequence.c,
 * SEQ_LOG_VALS): rows between the largest number and there may be new or lost.
 */
#include "lib/base/err.h"
#include "lib/pg/catalog.h"

#include <stdbool.h>
#include <stdint.h>

struct pg_key {
	char *column;    /* owned; NULL: the table has no such column, or it tells nothing */
	int64_t largest; /* in the table */
	int64_t drawn;   /* from the sequence: >= largest */
};

/* Asks the restored table. -1 with *e only when nothing more can be asked. */
int pg_key_find(struct pg *pg, const struct pg_table *t, struct pg_key *out, struct err *e);
/* Has the other side's table an integer column of this name? */
bool pg_key_there(struct pg *pg, const struct pg_table *t, const char *column);
void pg_key_free(struct pg_key *k);
#endif
