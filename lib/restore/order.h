#ifndef LIB_RESTORE_ORDER_H
#define LIB_RESTORE_ORDER_H
/*
 * order: what a statement of a dump must wait for, told by the statement alone.
 *
 * In a script order is meaning. It may be given up only where the statement itself shows that
 * nothing can tell the difference: it is one of the few that pg_dump writes for large amounts of
 * work (COPY, CREATE INDEX, ADD CONSTRAINT and what hangs on them), and it names its tables with
 * their schemas, so that search_path does not matter. Everything else is run alone.
 */
#include <stdbool.h>
#include <stddef.h>

enum order_kind {
	ORDER_ALONE,   /* after all that is before it, before all that is behind it */
	ORDER_SETTING, /* of the session: all sessions that work on later statements need it */
	ORDER_TABLES,  /* after what is before it on the same tables and indexes */
	ORDER_STRICT,  /* alone, and so is the rest of the script: it may change what a session is
			* (another role, settings out of sight) */
};

enum { ORDER_NAME = 260, ORDER_ON = 2 };

struct order {
	enum order_kind kind;
	bool post_data; /* made after the rows: an index, a constraint, a trigger ... */
	bool shared;    /* may overlap others of its table that are shared, too */
	unsigned n_on;
	char on[ORDER_ON][ORDER_NAME]; /* the tables: "shop.orders" ... */
	bool indexes;                  /* ... or indexes of theirs */
	char makes[ORDER_NAME];        /* an index of on[0]; "" when it makes none */
};

void order_of(const char *sql, size_t n, struct order *out);

/* The same for a COPY ... FROM stdin. False when its table is not named with its schema. */
bool order_of_copy(const char *sql, size_t n, struct order *out);
#endif
