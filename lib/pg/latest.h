#ifndef LIB_PG_LATEST_H
#define LIB_PG_LATEST_H
/*
 * latest: the newest moment that any row of a database bears, and so how new its data is.
 *
 * Every time column of creation or change (timecol.h) is asked where an index answers at once, and
 * in the largest and the small tables where it takes a scan. Moments after the limit - nothing in
 * a backup is later than the backup - do not count, and neither do guessed columns whose newest
 * moment lies more than a day beyond it (plans), or beyond it at all if they have no zone (local
 * time ahead of UTC). Dates count when there is nothing better: their midnight is never later than
 * the row.
 */
#include "lib/base/check.h"
#include "lib/base/strv.h"
#include "lib/pg/catalog.h"
#include "lib/pg/counts.h"

struct pg_latest {
	bool found;
	int64_t at_ms;
	char table[256], column[128]; /* that bears it */
	size_t asked, answered;
	bool ahead;            /* there were moments later than the limit */
	char ahead_table[256]; /* in this table, for one */
	struct err failure;    /* of the last table that could not be asked */
};

/* named (may be empty): TABLE.COLUMN each, these and nothing else; *unmatched is the first of them
 * that is no column of a time type, else NULL. -1 with *e when nothing could be asked. */
int pg_latest_find(const struct pg_readers *r, struct pg_tables *tables, const struct strv *named,
		   int64_t limit_ms, struct pg_latest *out, const char **unmatched, struct err *e);

/* Says why nothing was found. */
void pg_latest_say_missing(struct check *c, const struct pg_latest *l);
#endif
