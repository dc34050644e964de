#ifndef LIB_PG_DUMPED_H
#define LIB_PG_DUMPED_H
/*
 * dumped: the rows that inspect-dump counted in a dump, beside production's: what can be said
 * without a restore.
 *
 * A dump's rows are those of one instant S. It is not earlier than the dump's newest row (or the
 * time in its name), not later than its file's last modification. So with a column that tells when
 * rows were made, the dump must hold at least production's rows from before the first of these
 * moments and at most those from before the second: fewer are lost rows; more were deleted in
 * production since, or changed their time, which is for people to know. Without such a column any
 * difference may be new rows: a warning, but for a table that is empty in the dump only.
 */
#include "lib/base/record.h"
#include "lib/base/stage.h"
#include "lib/pg/counts.h"
#include "lib/pg/drift.h"
#include "lib/pg/pairs.h"
#include "lib/pg/recovery.h"

struct dumped_table {
	char *database; /* owned; of a dump of many; "" */
	char *name;     /* owned; "schema.table" */
	int64_t rows;
	bool whole; /* else the dump is damaged there */
	char *hash; /* owned; of its rows (rowhash.h); NULL: not known */
};

/* Starts from { 0 }. */
struct dumped {
	struct dumped_table *v;
	size_t n, cap;
	json_t *sequences; /* by database, by name: { "last", "called" }; NULL: nothing was said */
	bool newest;       /* of all rows whose time was looked at */
	int64_t newest_ms;
	char encoding[32]; /* of its text; "" */
	bool archive;
	bool counts_objects; /* .objects is known */
	int64_t objects;     /* large ones */
};

/* Looks at a record: the checks dump-rows, dump-sequences, dump-newest, dump-format and
 * dump-complete. */
void dumped_see(struct dumped *d, const struct record *r);
void dumped_free(struct dumped *d);

/* A table of a database (in a dump of one: of that); NULL: it is not in the dump. */
const struct dumped_table *dumped_find(const struct dumped *d, const char *database,
				       const char *name);

/* The dump as a state (state.h) beside the one of a baseline: its tables, under the baseline's
 * names, its sequences, and the number of large objects. Hashes are there where both can be
 * compared: those of a baseline are of UTF-8. "checksum" is "copy" when all tables have them. The
 * caller's. */
json_t *dumped_state(const struct dumped *d, const json_t *baseline);

/* One table. */
struct dumped_pair {
	/* in */
	const struct dumped_table *here; /* NULL: not in the dump */
	bool view;                       /* a materialized one: a dump has none of its rows */
	bool timed;                      /* a column bounds the rows: the figures below count */
	bool sure;                       /* the lower bound's moment is */
	int64_t rows, least, most;       /* production's; from before the two moments */
	/* out */
	enum verdict verdict;
	int64_t lost, extra; /* rows below the least, above the most */
};
void dumped_judge(struct dumped_pair *p, const struct pg_tolerance *tolerance);

/* Counts the chosen tables of production (pairs, whose .here is NULL; in readers->first) and judges
 * each: out, for the caller to free(), has one for each pair. -1 with *e when production cannot be
 * asked. */
int dumped_compare(const struct dumped *d, const struct pg_pairs *pairs,
		   const struct pg_readers *readers, struct pg_evidence *evidence, uint64_t slack_s,
		   const struct pg_tolerance *tolerance, struct dumped_pair **out, struct err *e);
/* As checks: row-count for each pair, and tables-compared. */
void dumped_report(struct stage *st, const struct dumped *d, const struct pg_pairs *pairs,
		   const struct dumped_pair *v);
#endif
