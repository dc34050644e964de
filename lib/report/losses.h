#ifndef LIB_REPORT_LOSSES_H
#define LIB_REPORT_LOSSES_H
/*
 * losses: which tables are gone, or hold much less than in earlier runs. Pure.
 *
 * The tables are those of the "dump-rows" checks, else of the "row-count" checks: bytes where the
 * first tell them, else rows. Only with "dump-rows" can a table be gone, for they name all there
 * are; and not one with a number in its name whose likes are still there: old partitions are
 * dropped. Whether less is a loss is what series.h says, weekdays and all; of a table that never
 * held much, nothing is.
 */
#include "lib/base/series.h"
#include "lib/base/stage.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* MOST: the largest are kept. RUNS: so many earlier ones are worth reading. */
enum { LOSSES_MOST = 20, LOSSES_RUNS = 56, LOSSES_WINDOW = 14 };

struct loss {
	char *table; /* owned */
	bool gone, bytes;
	double was, is; /* in the newest of the earlier runs that has it, and now; bytes or rows */
	double share;   /* of what all tables lost against then */
	struct series series; /* unless it is gone */
};

struct losses {
	struct loss v[LOSSES_MOST]; /* the largest first */
	size_t n, tables, found;    /* tables that were compared; found: losses, kept or not */
};

/* runs: earlier "run" objects, oldest first. checks: of the present run. */
void losses_find(const json_t *runs, const json_t *checks, double max_drop, struct losses *out);
void losses_free(struct losses *l);

/* "public.audit_log is gone (5.6 GB): 31 % of what all tables lost" */
void losses_say(struct check *c, enum verdict status, const struct loss *loss);

/* A check "table-size" of each loss, else one for all tables that were compared. */
void losses_check(struct stage *st, const struct losses *l);
#endif
