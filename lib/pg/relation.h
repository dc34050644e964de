#ifndef LIB_PG_RELATION_H
#define LIB_PG_RELATION_H
/*
 * relation: what is needed to read all of a table (catalog.h) as a dump does: its columns and its
 * key.
 */
#include "lib/pg/catalog.h"

enum { PG_KEY_COLUMNS = 8 };

struct pg_relation {
	const struct pg_table *table; /* borrowed */
	char *ident;                  /* owned: schema.name as SQL writes it, quoted where needed */
	char *columns;                /* owned: the list that COPY takes: no generated ones; "" */
	char *key;                    /* owned: the list of its primary key; NULL: it has none */
	unsigned key_at[PG_KEY_COLUMNS]; /* where in .columns the key's columns are, from 0 */
	size_t nkey;
	bool key_number; /* one whole number */
};

struct pg_relations {
	struct pg_relation *v;
	size_t n;
};

/* Of all tables, in their order. A key that is generated or has more columns than we follow counts
 * as none. */
int pg_relations_load(struct pg *pg, const struct pg_tables *tables, struct pg_relations *out,
		      struct err *e);
void pg_relations_free(struct pg_relations *r);
#define PG_RELATIONS_AUTO __attribute__((cleanup(pg_relations_free))) struct pg_relations
#endif
