#ifndef LIB_PG_STATE_DIFF_H
#define LIB_PG_STATE_DIFF_H
/*
 * state_diff: a restored database's state (state.h) beside the baseline's, as checks. Zero
 * tolerance: each thing that is not the same is a critical check of its own, which names it; a kind
 * of things in which all is the same is one check without a subject.
 *
 *	baseline-rows      a table: rows lost, come, the table itself
 *	baseline-content   a table with as many rows, but not the same ones
 *	baseline-sequences, baseline-large-objects, baseline-schema
 *
 * Warnings instead: when the baseline says approximate; for definitions that changed while the
 * backup was made; for texts that servers of two major versions may print differently.
 *
 * Of rows that differ the keys are named as far as the ranges tell them (keyrange.h).
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"
#include "lib/pg/conn.h"

struct state_diff {
	struct stage *stage;
	struct pg *here;        /* the restored database, to look up rows in */
	const json_t *was, *is; /* of pg_baseline_read() and pg_state_read(), or dumped_state() */
	const struct strv *exclude; /* tables to pass over */
	bool show_rows;
	int64_t tables, rows; /* out: compared, without those that could not be */
};

void state_diff(struct state_diff *d);
/* Without definitions: what a dump tells without a restore, where .here is not connected. */
void state_diff_data(struct state_diff *d);
#endif
