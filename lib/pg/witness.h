#ifndef LIB_PG_WITNESS_H
#define LIB_PG_WITNESS_H
/*
 * witness: up to which moment of production's life a restored database reaches, by every witness
 * there is, and what it means when they disagree.
 *
 *	replayed   of the last transaction that recovery replayed (pg_last_xact_replay_timestamp())
 *	committed  of the last commit, where the server kept such times (track_commit_timestamp)
 *	named      in the backup's name or header
 *	row        of the newest row (latest.h)
 *	modified   the backup's last change: the only one that is no lower bound but an upper one
 *
 * The recovery point is the latest of the lower bounds, named after its witness. The first, second
 * and fourth speak of the data itself: when they are far older than the backup, it is a fresh
 * file with old rows.
 */
#include "lib/base/check.h"
#include "lib/pg/conn.h"
#include "lib/pg/latest.h"
#include "lib/pg/recovery.h"

#include <stdbool.h>
#include <stdint.h>

enum witness_kind {
	WITNESS_REPLAYED,
	WITNESS_COMMITTED,
	WITNESS_NAMED,
	WITNESS_ROW,
	WITNESS_MODIFIED,
	WITNESSES,
};

struct witness {
	bool known;
	int64_t at_ms;
};

struct witnesses {
	struct witness v[WITNESSES];
	int64_t ahead_ms;       /* rows later than the backup's last change, by so much; 0: none */
	int64_t named_ahead_ms; /* the named time is; then it is no witness */
};

/* Asks the server. Moments after the limit are not the backup's: our own server has made them. */
int witness_ask(struct pg *pg, int64_t limit_ms, struct witnesses *w, struct err *e);

/* From the records, and from the rows. */
void witness_take(const struct pg_evidence *v, const struct pg_latest *latest, struct witnesses *w);

/* The newest moment of the data itself. False: nothing tells. */
bool witness_data(const struct witnesses *w, enum witness_kind *kind);

/* "the newest row" */
const char *witness_name(enum witness_kind kind);

/* The recovery point, by whom, and every disagreement: critical when the data is older than the
 * backup by more than max_lag_s. Adds data_lag_seconds. Unknown when nothing tells. */
void witness_say(struct check *c, const struct witnesses *w, uint64_t max_lag_s);
#endif
