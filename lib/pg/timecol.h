#ifndef LIB_PG_TIMECOL_H
#define LIB_PG_TIMECOL_H
/*
 * timecol: which column of a table says when a row came into being.
 *
 * It is guessed from what the catalogue shows, by a score that anybody can follow:
 *
 *	name    words of creation (created_at, insertedAt, "Date Added")           100
 *	        nothing but words for a moment (ts, event_time, order_date)          50
 *	        a word for a moment beside others (shipment_date)                    30
 *	        none of these, but DEFAULT now()                                     40
 *	type    timestamp with time zone 20, timestamp 15, date 0
 *	default now() and its kin +40, NOT NULL +5, an index that begins with it +10
 *
 * Words of planning (due, expires, valid, until, start, birth ...) rule a column out: such dates
 * lie in the future or far in the past whenever the row was made. Words of change (updated,
 * deleted, last, paid ...) name a moment of the past that moves after the row was made: good for
 * "how new is the data", never for "which rows are new".
 *
 * A timestamp without time zone is read as UTC, a date as its midnight in UTC.
 */
#include <stdbool.h>

enum pg_time_type { PG_TIME_NONE, PG_TIME_DATE, PG_TIME_PLAIN, PG_TIME_ZONED };

enum pg_time_role {
	PG_ROLE_NONE,    /* says nothing that we could use */
	PG_ROLE_CREATED, /* when the row was made */
	PG_ROLE_CHANGED, /* when something last happened to it */
};

struct pg_timecol_facts {
	const char *name;
	enum pg_time_type type;
	const char *deflt; /* the default's expression as pg_get_expr() prints it, or NULL */
	bool not_null;
	bool indexed; /* a valid, whole b-tree index begins with it */
};

/* What the column says, and how well it is suited (above 0 unless PG_ROLE_NONE). */
enum pg_time_role pg_timecol_judge(const struct pg_timecol_facts *f, int *score);

/* Is the expression the current moment, and not something computed from it? */
bool pg_timecol_is_now(const char *deflt);
#endif
