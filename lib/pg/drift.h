#ifndef LIB_PG_DRIFT_H
#define LIB_PG_DRIFT_H
/*
 * drift: one table's rows here (restored) and there (production), and what their difference means.
 * Pure arithmetic; the words that go into reports are made here, too.
 *
 * The right question is not whether both have the same number of rows, but whether both have the
 * same number of rows from before the recovery point. Rows that production has beyond it are new:
 * explained. Rows stamped within the slack before it may have been uncommitted when the backup
 * looked (a transaction's now() is its start): if production has more of those, and goes on
 * writing right after it, they are taken to be in flight: explained, and said - unless they are
 * many and most of what was written then: that is doubtful. Everything else is
 * unexplained: too few here are lost rows, too many were deleted in production since or never were
 * there.
 *
 * Production's own counters (readings.h) say how much of that can be. Rows that are gone from
 * production are explained by as many deletions. In a table that nothing else explains, the
 * restored rows must lie between what an earlier reading found and what there is now, give or take
 * the rows inserted and deleted in between; and no table may hold fewer rows than were there at an
 * earlier reading less the deleted ones, whatever its times say.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/verdict.h"
#include "lib/pg/readings.h"

#include <stdbool.h>
#include <stdint.h>

struct pg_side {
	bool there; /* the table exists */
	int64_t rows;
	int64_t newer; /* with a column: later than the recovery point */
	int64_t slack; /* ... later than the recovery point less the slack: newer included */
};

struct pg_tolerance {
	bool set;
	bool share; /* of production's rows; else rows */
	double part;
	uint64_t rows;
};

struct pg_drift {
	/* in */
	struct pg_side here, there;
	const char *column; /* of its times or its ascending numbers; NULL: none */
	bool number;        /* ... of numbers: "newer" is a later one (keys.h) */
	bool idle;          /* nothing else shows that production was written to at that time */
	bool day;           /* it is a date: rows of a day cannot be told apart */
	bool zoneless;      /* its times have no zone */
	bool sure;          /* the recovery point is (recovery.h) */
	bool ahead;         /* the restored table has rows later than the recovery point */
	bool view;          /* a materialized view: computed, not stored, by the restore */
	bool partition;     /* of a table that comes and goes with time */
	bool unlogged;
	int64_t margin; /* production's rows are an estimate, so far off at most; 0: counted */
	struct pg_activity activity; /* of production's table since the recovery point or before */
	struct pg_tolerance tolerance;
	/* out */
	enum verdict verdict;
	int64_t difference; /* production's rows less ours */
	int64_t explained;  /* newer in production */
	int64_t in_flight;
	int64_t inserted;    /* missing here, and no more than production inserted */
	int64_t deleted;     /* not in production, and no more than it deleted or changed */
	int64_t unexplained; /* rows that nothing explains, missing on either side; >= 0 */
	int64_t lost;        /* how many of them are missing here */
};

void pg_drift_judge(struct pg_drift *d);

/* One sentence: "8,412,056 (production: 8,412,103) - 47 newer than the recovery point". */
void pg_drift_say(const struct pg_drift *d, struct buf *out);

/* .call of an option (lib/base/opt.h) that fills a struct pg_tolerance: "12" rows or "0.5%". */
int pg_tolerance_option(const char *value, void *to, struct err *e);
#endif
