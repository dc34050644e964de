#ifndef LIB_PG_COMPARED_H
#define LIB_PG_COMPARED_H
/*
 * compared: the results of a comparison (compare.h) as checks: "row-count" for each table, and
 * "tables-compared" for all of them, whose first duty is to say when nothing was compared.
 */
#include "lib/base/stage.h"
#include "lib/pg/compare.h"

/* lost: why production could not be asked (ERR_NONE: it could); NULL: it was not to be. */
void compared_report(struct stage *st, const struct pg_compare *all,
		     const struct pg_selected *selected, const struct err *lost);
#endif
