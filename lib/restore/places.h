#ifndef LIB_RESTORE_PLACES_H
#define LIB_RESTORE_PLACES_H
/*
 * places: the tables of a database that is being restored, with the bytes that were copied into
 * each, and which index belongs to which of them. Tables and indexes share one namespace, as in
 * PostgreSQL.
 */
#include <stdbool.h>
#include <stdint.h>

struct place {
	char *name;       /* owned: "shop.orders" */
	struct place *of; /* an index: its table; a table: itself */
	uint64_t bytes;   /* of a table */
};

struct places {
	void *tree; /* of tsearch(3) */
};

/* The table of this name, or of the index of this name. A name not seen before is a table's. */
struct place *places_find(struct places *p, const char *name);

bool places_is_index(const struct places *p, const char *name);

/* From now on name is an index of table: the index. */
const struct place *places_add_index(struct places *p, const char *name, struct place *table);

void places_free(struct places *p);
#endif
