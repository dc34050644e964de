#ifndef LIB_PG_WITNESS_H
#define LIB_PG_WITNESS_H
/*
 * witness: up to which moment a backup holds its database, by the best of several witnesses, and
 * which of them contradict it. No clock, no database.
 *
 *	snapshot  of the baseline (docs/baseline.md): the very moment of the dump, by the clock of
 *		  the server that was backed up;
 *	point     what the restored server shows: the last commit that was replayed is a fact, what
 *		  a dump's header or name tells may be local time;
 *	row       the newest row: it was there, others may have come later;
 *	backup    when the backup says it was taken, or the time of its file: any copy has a new
 * one.
 *
 * The best is the first of: snapshot, replayed commit, row, the rest.
 */
#include "lib/base/check.h"

#include <stdbool.h>
#include <stdint.h>

struct witnesses {
	bool snapshot, point, row, backup;
	int64_t snapshot_ms, point_ms, row_ms, backup_ms;
	const char *point_by; /* as the instance record has it: "last-commit" is one; or NULL */
	bool backup_said;     /* by its name or header, else by its file */
};

/* The best witness: *at_ms and who it is ("its baseline's snapshot"). NULL: there is none. */
const char *witness_best(const struct witnesses *w, int64_t *at_ms);

/* Is the best a proof, from the server or from what is in the backup? A name can lie. */
bool witness_proves(const struct witnesses *w);

/* The server's point is the last commit that was replayed. */
bool witness_replayed(const struct witnesses *w);

/* The check recovery-point: the best, and every disagreement. There is a best. */
void witness_say(struct check *c, const struct witnesses *w, int64_t now_ms);
#endif
