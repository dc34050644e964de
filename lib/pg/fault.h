#ifndef LIB_PG_FAULT_H
#define LIB_PG_FAULT_H
/*
 * fault: why PostgreSQL would not, from the SQLSTATE of its answer (PostgreSQL documentation,
 * appendix A) or, where a connection never came about and libpq keeps no SQLSTATE, from its text.
 *
 * The texts of libpq itself are English here (no tool calls setlocale); those of a server may come
 * in the language of its lc_messages. So text only ever chooses the advice, never a verdict.
 */
#include <stdbool.h>

enum pg_why {
	PG_WHY_NONE,
	PG_WHY_REFUSED, /* nobody listens there, or no such host */
	PG_WHY_AUTH,    /* wrong or missing password, no pg_hba.conf entry, no such role */
	PG_WHY_NO_DATABASE,
	PG_WHY_BUSY,     /* starting up, shutting down, too many connections */
	PG_WHY_TIMEOUT,  /* took longer than it may */
	PG_WHY_LOCKED,   /* somebody else holds a lock on it */
	PG_WHY_CONFLICT, /* cancelled by recovery on a standby, or a serialization failure: retry */
	PG_WHY_LOST,     /* the connection broke */
	PG_WHY_PERMISSION, /* not allowed, or row security would have hidden rows */
	PG_WHY_MISSING,    /* no such table, column, schema */
	PG_WHY_DAMAGED,    /* the data cannot be read: corrupt page or index, missing file */
	PG_WHY_OTHER,
};

/* sqlstate: five characters; NULL or "": PG_WHY_LOST, for the server said nothing. */
enum pg_why pg_why_of_sqlstate(const char *sqlstate);

/* A failed connection, by the text of PQerrorMessage(). */
enum pg_why pg_why_of_text(const char *text);

/* What the user can do about it: "; check ..." or "" where there is nothing to say. */
const char *pg_way_out(enum pg_why why);
#endif
