#ifndef LIB_PG_PAIRS_H
#define LIB_PG_PAIRS_H
/*
 * pairs: the tables of two databases side by side, by schema and name, and which of them to look
 * at. Size is the larger of both sides: a table that is big in production and empty or missing
 * here must be among the largest.
 */
#include "lib/base/strv.h"
#include "lib/pg/catalog.h"

struct pg_pair {
	struct pg_table *here, *there; /* borrowed; one of them may be NULL */
	int64_t bytes;
};

struct pg_pairs {
	struct pg_pair *v;
	size_t n;
};

struct pg_selection {
	const struct strv *only;    /* patterns; NULL or empty: every table */
	const struct strv *exclude; /* patterns */
	size_t top;                 /* 0: all */
	bool paired;                /* there are two sides */
};

struct pg_selected {
	size_t candidates; /* pairs that were not excluded */
	int64_t bytes;     /* of these */
	int64_t chosen_bytes;
	const char *unmatched; /* a pattern of .only that no table matches; NULL: none */
};

/* .call of an option (lib/base/opt.h) that fills a uint64_t for .top: a number, or "all". */
int pg_top_option(const char *value, void *to, struct err *e);

/* The union, the largest first. there may be NULL: nothing to pair with. */
void pg_pairs_make(struct pg_pairs *out, const struct pg_tables *here,
		   const struct pg_tables *there);
void pg_pairs_free(struct pg_pairs *p);
#define PG_PAIRS_AUTO __attribute__((cleanup(pg_pairs_free))) struct pg_pairs

/* The table of the pair that exists, ours first. */
const struct pg_table *pg_pair_table(const struct pg_pair *p);

/* Names the time column of every pair that has it, on our side where there is one (see
 * pg_table_name_timecol()): COLUMN for all, or TABLE.COLUMN, where TABLE is a pattern. *any false:
 * none has it. */
int pg_pairs_name_timecol(struct pg_pairs *p, struct pg *here, struct pg *there, const char *value,
			  bool *any, struct err *e);

/* Keeps the largest ones, and whatever is missing on one side or has no page here but some there:
 * a small table can be lost as well as a large one. */
void pg_pairs_select(struct pg_pairs *p, const struct pg_selection *s, struct pg_selected *out);
#endif
