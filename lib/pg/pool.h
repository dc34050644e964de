#ifndef LIB_PG_POOL_H
#define LIB_PG_POOL_H
/*
 * pool: many read-only queries over a few sessions that all look at one snapshot (PostgreSQL
 * documentation, "Snapshot Synchronization Functions"; works on a standby, too).
 *
 * Each session runs in one REPEATABLE READ, READ ONLY transaction that imports the snapshot of
 * the first before any query starts, and ends it as soon as nothing is left for it to do, so that
 * vacuum is held back no longer than needed. A query that fails is rolled back to a savepoint and
 * the snapshot lives on. A query that a standby cancels ("conflict with recovery"), or whose
 * session it ended, is tried again, three times in all, in a new transaction: that one then sees a
 * later snapshot, for the old one is what the standby had to give up.
 */
#include "lib/pg/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* .call of an option (lib/base/opt.h) that fills a uint64_t: how many sessions to read with. */
enum { PG_JOBS_MAX = 32 };
int pg_jobs_option(const char *value, void *to, struct err *e);

struct pg_job {
	const char *sql;  /* borrowed: one statement */
	int64_t weight;   /* the heaviest start first */
	unsigned tries;   /* out: how often it was started */
	bool later;       /* out: it saw a later snapshot than the others */
	char sqlstate[6]; /* out: of its failure; "": it had none, or no answer */
};

struct pg_pool {
	struct pg *first;  /* an open, idle session; stays open unless it gets lost */
	unsigned sessions; /* at most so many, the first included */
	int64_t until_ms;  /* of mono_ms(): no job is begun after it, and none runs on; 0: never */
	const char *settings; /* SET LOCAL statements for each transaction; NULL: none */
	/* Called once for each job as it ends: its rows, or NULL and why there are none. */
	void (*done)(struct pg_job *job, const PGresult *rows, enum pg_why why, const struct err *e,
		     void *ctx);
	void *ctx;
};

/* Runs all the jobs. -1 with *e only when not even the first transaction could begin; then no job
 * was called back. Fewer sessions than asked for are no error. */
int pg_pool_run(const struct pg_pool *pool, struct pg_job *jobs, size_t n, struct err *e);
#endif
