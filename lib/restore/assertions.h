#ifndef LIB_RESTORE_ASSERTIONS_H
#define LIB_RESTORE_ASSERTIONS_H
/*
 * assertions: a user's own questions to a restored database, from a file of SQL statements of which
 * each must return one row with one true.
 *
 *	-- name: every order has a customer
 *	SELECT count(*) = 0 FROM orders WHERE customer_id IS NULL;
 *
 * A statement without such a comment before it is called by its line.
 */
#include "lib/base/err.h"
#include "lib/base/verdict.h"
#include "lib/pg/conn.h"

#include <stddef.h>

struct assertion {
	char *name; /* owned */
	char *sql;  /* owned */
};

struct assertions {
	struct assertion *v;
	size_t n;
};

/* ERR_USAGE: not SQL statements alone, or none at all. */
int assertions_load(const char *path, struct assertions *out, struct err *e);
void assertions_free(struct assertions *a);
#define ASSERTIONS_AUTO __attribute__((cleanup(assertions_free))) struct assertions

/* Asks one; never in a transaction of the caller. *why (a literal, or in *e) says what came
 * instead of true. What the server finds missing or damaged is critical: it should be there. */
enum verdict assertion_ask(struct pg *pg, const struct assertion *a, const char **why,
			   struct err *e);
#endif
