#ifndef LIB_PG_COUNTS_H
#define LIB_PG_COUNTS_H
/*
 * counts: exact row counts and newest moments of many tables, in one snapshot (pool.h).
 *
 * Inherited and partitioned tables are counted one by one (ONLY), so that no row counts twice.
 * With a time column a count also says how many rows are newer than each of a few moments; a row
 * whose moment is NULL or -infinity is newer than none. The column may be one of integers as well.
 *
 * A share of a table's blocks (TABLESAMPLE SYSTEM) gives an estimate: each block is taken with that
 * probability, so the sum over the taken ones divided by it is unbiased, and the sum of their
 * squares tells how far off it may be (Horvitz-Thompson).
 */
#include "lib/pg/catalog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PG_CUTS = 6 };

struct pg_count {
	const struct pg_table *table; /* borrowed */
	const char *column;           /* borrowed; NULL: rows only */
	bool number;                  /* it is of integers, else of times */
	int64_t cut[PG_CUTS];         /* numbers, or moments in ms; used with a column */
	double share;                 /* of the blocks to read; 0: all of them */

	bool counted; /* out: the figures below are there */
	int64_t rows;
	int64_t newer[PG_CUTS]; /* rows newer than the cut */
	int64_t margin;         /* with a share: the estimates may be so far off (4 sigma) */
	enum pg_why why;        /* of a failure */
	char *failure;          /* of a failure: its message, owned */
};

struct pg_newest {
	const struct pg_table *table; /* borrowed */
	const char *column;           /* borrowed; never NULL */
	int64_t limit_ms;

	bool asked;    /* out: it was answered */
	bool found;    /* out: there is a row with a moment since 1970 and not after the limit */
	int64_t at_ms; /* out: the newest of these, rounded up */
	bool ahead;    /* out: there are rows after the limit */
	bool far;      /* out: ... more than a day after it, or at infinity */
	char *failure; /* owned */
};

struct pg_readers {
	struct pg *first;      /* an open session; others are opened like it */
	unsigned sessions;     /* in all */
	const char *time_zone; /* of timestamps without one; NULL: UTC. By pg_time_zone_option() */
	bool heap;             /* read the tables themselves and never an index instead of them */
	int64_t until_ms;      /* of mono_ms(): no query runs longer; 0: no limit */
	bool gentle;           /* no parallel workers: the sessions are all the load there is */
	void (*progress)(const char *table, void *ctx); /* one is done; may be NULL */
	void *ctx;
};

/* -1 with *e when nothing could be asked; else each entry says how it fared. */
int pg_counts_run(const struct pg_readers *r, struct pg_count *v, size_t n, struct err *e);
int pg_newest_run(const struct pg_readers *r, struct pg_newest *v, size_t n, struct err *e);

/* .call of an option (lib/base/opt.h) that fills a const char *: a name that may stand in SET
 * TimeZone, of letters, digits and _ / + - : only. */
int pg_time_zone_option(const char *value, void *to, struct err *e);
#endif
