#include "lib/pg/pool.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, SNAPSHOT_SIZE = 64 };

int pg_jobs_option(const char *value, void *to, struct err *e)
{
	return num_u64(value, 1, PG_JOBS_MAX, to, e);
}

struct worker {
	struct pg own;      /* unless it is the first */
	struct pg *pg;      /* the session; &own or the pool's first */
	struct pg_job *job; /* running; NULL: idle */
	bool open;          /* its transaction is */
	bool later;         /* ... on another snapshot than the first's */
};

struct run {
	const struct pg_pool *pool;
	struct pg_job **queue; /* heaviest first */
	size_t n, next;
	struct worker *workers;
	size_t nworkers;
	char snapshot[SNAPSHOT_SIZE];
};

static int heavier(const void *a, const void *b)
{
	const struct pg_job *x = *(struct pg_job *const *)a, *y = *(struct pg_job *const *)b;

	return (x->weight < y->weight) - (x->weight > y->weight);
}

/* snapshot NULL: a new one. */
static int begin(struct worker *w, const char *snapshot, const char *local, struct err *e)
{
	BUF_AUTO sql = BUF_INIT(4096);

	buf_adds(&sql, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;");
	if (snapshot)
		buf_addf(&sql, "SET TRANSACTION SNAPSHOT '%s';", snapshot);
	if (local)
		buf_adds(&sql, local);
	w->open = pg_run(w->pg, sql.s, e) == 0;
	return w->open ? 0 : -1;
}

/* Where a failed query is rolled back to. A snapshot cannot be exported once it is set. */
static int ready(struct worker *w, struct err *e)
{
	return pg_run(w->pg, "SAVEPOINT job", e);
}

static int export_snapshot(struct run *r, struct err *e)
{
	struct worker *w = &r->workers[0];
	PGRESULT_AUTO *rows = NULL;
	const char *name;

	if (begin(w, NULL, r->pool->settings, e) < 0)
		return -1;
	r->nworkers = 1;
	if (r->pool->sessions < 2 || r->n < 2)
		return ready(w, e);
	rows = pg_query(w->pg, "SELECT pg_export_snapshot()", NULL, 0, e);
	if (!rows)
		return -1;
	name = PQgetvalue(rows, 0, 0);
	/* It goes into a statement, so it must look like one. */
	if (strspn(name, "0123456789ABCDEF-") != strlen(name))
		return err_set(e, ERR_REMOTE, "query %s: \"%s\" is no snapshot", w->pg->where,
			       name);
	(void)snprintf(r->snapshot, sizeof(r->snapshot), "%s", name);
	return ready(w, e);
}

/* Helpers are welcome, not needed: a server short of connections is served by fewer. */
static void hire(struct run *r)
{
	struct err ignored;

	while (*r->snapshot && r->nworkers < r->pool->sessions && r->nworkers < r->n) {
		struct worker *w = &r->workers[r->nworkers];

		w->pg = &w->own;
		if (pg_open(&w->own, &r->pool->first->target, &ignored) < 0)
			return;
		if (begin(w, r->snapshot, r->pool->settings, &ignored) < 0 ||
		    ready(w, &ignored) < 0) {
			pg_close(&w->own);
			return;
		}
		r->nworkers++;
	}
}

static void report(const struct run *r, struct pg_job *job, const PGresult *rows, enum pg_why why,
		   const struct err *e)
{
	r->pool->done(job, rows, why, e, r->pool->ctx);
}

/* After a failure: back to where the next query can start. False: this session has no future. */
static bool recover(struct run *r, struct worker *w, bool fresh)
{
	struct pg_target target = w->pg->target;
	struct err ignored;

	if (w->pg->link && !fresh)
		return pg_run(w->pg, "ROLLBACK TO job", &ignored) == 0;
	if (w->pg->link && pg_run(w->pg, "ROLLBACK", &ignored) < 0)
		pg_close(w->pg);
	w->open = false;
	if (!w->pg->link && pg_open(w->pg, &target, &ignored) < 0)
		return false;
	w->later = true;
	return begin(w, NULL, r->pool->settings, &ignored) == 0 && ready(w, &ignored) == 0;
}

static void retire(struct worker *w)
{
	struct err ignored;

	if (w->open && w->pg->link)
		(void)pg_run(w->pg, "COMMIT", &ignored);
	if (w->pg == &w->own)
		pg_close(&w->own);
	w->open = false;
}

static void failed(struct run *r, struct worker *w, const struct err *e)
{
	struct pg_job *job = w->job;
	enum pg_why why = w->pg->why;
	/* A standby that ends an idle session says so to nobody: the next query finds it gone. */
	bool conflict = why == PG_WHY_CONFLICT || (why == PG_WHY_LOST && w->pg->standby);
	bool retry = conflict && job->tries < TRIES;

	w->job = NULL;
	memcpy(job->sqlstate, w->pg->sqlstate, sizeof(job->sqlstate));
	if (!recover(r, w, retry))
		retire(w);
	if (retry && w->open)
		r->queue[--r->next] = job;
	else
		report(r, job, NULL, why, e);
}

static bool too_late(const struct run *r)
{
	return r->pool->until_ms > 0 && mono_ms() >= r->pool->until_ms;
}

static void start(struct run *r, struct worker *w)
{
	struct pg_job *job = r->queue[r->next++];
	struct err e = { 0 };

	if (too_late(r)) {
		(void)err_set(&e, ERR_REMOTE, "query %s: the time for all queries was used up",
			      w->pg->where);
		report(r, job, NULL, PG_WHY_TIMEOUT, &e);
		return;
	}
	w->job = job;
	job->tries++;
	job->later = w->later;
	if (pg_send(w->pg, job->sql, NULL, 0, &e) < 0)
		failed(r, w, &e);
	else if (r->pool->until_ms > 0 &&
		 (w->pg->cancel_ms == 0 || w->pg->cancel_ms > r->pool->until_ms))
		w->pg->cancel_ms = r->pool->until_ms;
}

static void look(struct run *r, struct worker *w)
{
	struct err e = { 0 };
	PGRESULT_AUTO *rows = NULL;
	int rc = pg_step(w->pg, &rows, &e);

	if (rc < 0) {
		failed(r, w, &e);
	} else if (rc > 0) {
		struct pg_job *job = w->job;

		w->job = NULL;
		report(r, job, rows, PG_WHY_NONE, NULL);
	}
}

/* Hands out work and lets go of those for whom there is none. The busy ones, for pg_wait(). */
static size_t assign(struct run *r, struct pg **busy)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nworkers; i++) {
		struct worker *w = &r->workers[i];

		while (w->open && !w->job && r->next < r->n)
			start(r, w);
		if (w->open && !w->job)
			retire(w);
		if (w->job)
			busy[n++] = w->pg;
	}
	return n;
}

static void work(struct run *r)
{
	struct pg **busy = xcalloc(r->nworkers, sizeof(struct pg *));
	struct err e = { 0 };
	size_t n;

	while ((n = assign(r, busy)) > 0) {
		if (pg_wait(busy, n, &e) < 0)
			break;
		for (size_t i = 0; i < r->nworkers; i++)
			if (r->workers[i].job)
				look(r, &r->workers[i]);
	}
	free(busy);
	/* poll(2) failed, or every session got lost: nobody is left without an answer. */
	if (e.kind == ERR_NONE)
		(void)err_set(&e, ERR_REMOTE, "query %s: no session is left",
			      r->pool->first->where);
	for (size_t i = 0; i < r->nworkers; i++)
		if (r->workers[i].job)
			report(r, r->workers[i].job, NULL, PG_WHY_OTHER, &e);
	while (r->next < r->n)
		report(r, r->queue[r->next++], NULL, PG_WHY_LOST, &e);
}

int pg_pool_run(const struct pg_pool *pool, struct pg_job *jobs, size_t n, struct err *e)
{
	struct run r = { .pool = pool, .n = n };
	int rc;

	if (n == 0)
		return 0;
	r.queue = xcalloc(n, sizeof(struct pg_job *));
	for (size_t i = 0; i < n; i++) {
		jobs[i].tries = 0;
		jobs[i].sqlstate[0] = '\0';
		r.queue[i] = &jobs[i];
	}
	qsort(r.queue, n, sizeof(struct pg_job *), heavier);
	r.workers = xcalloc(pool->sessions + 1, sizeof(*r.workers));
	r.workers[0].pg = pool->first;
	rc = export_snapshot(&r, e);
	if (rc == 0) {
		hire(&r);
		work(&r);
	}
	for (size_t i = 0; i < r.nworkers; i++)
		retire(&r.workers[i]);
	free(r.queue);
	free(r.workers);
	return rc;
}
