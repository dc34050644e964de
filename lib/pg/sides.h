#ifndef LIB_PG_SIDES_H
#define LIB_PG_SIDES_H
/*
 * sides: production and the restored database side by side: connected, their tables read, and
 * those that are to be compared chosen.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/catalog.h"
#include "lib/pg/conn.h"
#include "lib/pg/pairs.h"
#include "lib/pg/restored.h"

/* What the user wants. */
struct sides_plan {
	const char *production, *restored; /* conninfo, borrowed; NULL: not given */
	uint64_t production_timeout_s;     /* of one statement there */
	struct strv tables, exclude;       /* patterns; may be empty */
	struct strv time_columns;
	uint64_t top; /* of the largest tables */
	bool all;
};

/* Starts from { 0 }. */
struct sides {
	struct pg here, there;
	struct pg_tables ours, theirs;
	bool has_production; /* .there and .theirs are */
	struct err lost;     /* why it could not be asked, if it was to be */
	struct pg_pairs pairs;
	struct pg_selected selected;
};

/* Connects to both. That production cannot be reached is no failure: see .lost. Of several restored
 * databases the one is taken that production is. -1 with *e. */
int sides_open(struct sides *both, const struct sides_plan *plan, const struct restored *from,
	       struct err *e);
/* To production alone, for a dump that was not restored. */
int sides_open_production(struct sides *both, const struct sides_plan *plan, struct err *e);

/* Fills .pairs and .selected. What was asked for and is not there is no reason to stop, and never
 * passed over: an unknown check. -1 with *e. */
int sides_choose(struct sides *both, const struct sides_plan *plan, struct stage *st,
		 struct err *e);
void sides_free(struct sides *both);
#endif
