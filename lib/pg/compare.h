#ifndef LIB_PG_COMPARE_H
#define LIB_PG_COMPARE_H
/*
 * compare: counts the chosen tables on both sides and judges each pair.
 *
 * Steps: agree on a time column for each pair; ask the restored tables for their newest moments;
 * take ascending numbers where there are no times (keys.h); bound the recovery point (recovery.h);
 * count both sides at these bounds, each side in one snapshot and production between two readings
 * of its counters (readings.h); decide on the recovery point; judge (drift.h).
 *
 * When a verdict hangs on production's counters, and sessions there may not have reported yet, it
 * waits for them once, PG_READINGS_LATE_S at most.
 */
#include "lib/pg/counts.h"
#include "lib/pg/drift.h"
#include "lib/pg/keys.h"
#include "lib/pg/pairs.h"
#include "lib/pg/recovery.h"

struct pg_compared {
	const struct pg_pair *pair; /* borrowed */
	const char *column;         /* borrowed: of its times or numbers; NULL: none */
	enum pg_time_type type;
	struct pg_key key;     /* its .column is set: that is the column */
	double share;          /* of production's blocks that were counted; 0: all */
	struct pg_drift drift; /* judged when .both */
	bool here, there;      /* counted on this side */
	bool both;             /* ... or known to be missing there: the pair was judged */
	enum pg_why why_here;  /* of a failure */
	char *failed;          /* owned: why it was not compared; NULL: it was */
	enum verdict verdict;
};

struct pg_compare {
	/* in */
	struct pg *here, *there;      /* open sessions; there NULL: our rows are counted alone */
	const struct pg_pairs *pairs; /* the chosen ones */
	struct pg_evidence evidence;  /* .data is filled in here */
	struct pg_tolerance tolerance;
	uint64_t slack_s; /* how long before it commits a row may have got its moment */
	unsigned jobs;
	const char *time_zone;
	uint64_t sample_above_b; /* of larger tables in production read so much; 0: all */
	uint64_t production_s;   /* to count in production, all together; 0: no limit */
	const char *memory;      /* the history of readings; NULL: none is kept */
	const char *label;
	void (*progress)(const char *table, void *ctx);
	void *ctx;
	/* out */
	struct pg_compared *v;       /* one for each pair, in their order; see pg_compare_free() */
	struct pg_recovery recovery; /* of interest when a pair has a time column */
	struct err forgotten;        /* why the memory could not be used; ERR_NONE: it was */
	int64_t production_ms;       /* counting there took */
};

/* -1 with *e when the restored side cannot be asked at all. */
int pg_compare_run(struct pg_compare *c, struct err *e);
void pg_compare_free(struct pg_compare *c);
#endif
