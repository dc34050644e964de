#include "lib/pg/counts.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/pool.h"
#include "lib/pg/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 16384, DAY_MS = 24 * 60 * 60 * 1000, SIGMAS = 4 };

/* An alias that no column is called: "t" beside a column t would mean the column. */
#define ALIAS "r__"

int pg_time_zone_option(const char *value, void *to, struct err *e)
{
	if (!*value || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789_/+-:") != strlen(value))
		return err_set(e, ERR_USAGE, "'%s' is not a time zone, such as Europe/Berlin",
			       value);
	*(const char **)to = value;
	return 0;
}

static void add_settings(const struct pg_readers *r, struct buf *out)
{
	if (r->time_zone)
		buf_addf(out, "SET LOCAL TimeZone = '%s';", r->time_zone);
	if (r->heap)
		buf_adds(out, "SET LOCAL enable_indexscan = off;"
			      "SET LOCAL enable_indexonlyscan = off;"
			      "SET LOCAL enable_bitmapscan = off;");
	if (r->gentle)
		buf_adds(out, "SET LOCAL max_parallel_workers_per_gather = 0;");
}

static int add_from(struct pg *pg, const struct pg_table *t, struct buf *sql, struct err *e)
{
	buf_adds(sql, " FROM ONLY ");
	if (pg_quote(pg, t->schema, t->name, sql, e) < 0)
		return -1;
	buf_adds(sql, " AS " ALIAS);
	return 0;
}

/* Both sides of a comparison as timestamptz: for a date and a timestamp without zone that means
 * the session's TimeZone. */
static int add_column(struct pg *pg, const char *column, struct buf *sql, struct err *e)
{
	buf_adds(sql, ALIAS ".");
	if (pg_quote(pg, NULL, column, sql, e) < 0)
		return -1;
	buf_adds(sql, "::timestamptz");
	return 0;
}

static void add_moment(struct buf *sql, int64_t ms)
{
	char text[UTC_SIZE];

	buf_addf(sql, "timestamptz '%s'", utc_format(ms, text));
}

static int add_later(struct pg *pg, const struct pg_count *c, int64_t cut, struct buf *sql,
		     struct err *e)
{
	if (c->number) {
		buf_adds(sql, ALIAS ".");
		if (pg_quote(pg, NULL, c->column, sql, e) < 0)
			return -1;
		buf_addf(sql, " > %lld", (long long)cut);
		return 0;
	}
	if (add_column(pg, c->column, sql, e) < 0)
		return -1;
	buf_adds(sql, " > ");
	add_moment(sql, cut);
	return 0;
}

/* The sums of what each taken block holds, and at the end of their squares. */
static void add_estimate(const struct pg_count *c, const struct buf *inner, struct buf *sql)
{
	buf_adds(sql, "SELECT coalesce(sum(n), 0)::bigint");
	for (int i = 0; c->column && i < PG_CUTS; i++)
		buf_addf(sql, ", coalesce(sum(n%d), 0)::bigint", i);
	buf_addf(sql,
		 ", coalesce(sum(n * n), 0)::float8 FROM (%s TABLESAMPLE SYSTEM (%.6f)"
		 " REPEATABLE (1) GROUP BY (" ALIAS ".ctid::text::point)[0]) AS blocks",
		 inner->s, 100 * c->share);
}

static int count_sql(struct pg *pg, const struct pg_count *c, struct buf *sql, struct err *e)
{
	BUF_AUTO inner = BUF_INIT(SQL_MAX);

	buf_adds(&inner, "SELECT count(*) AS n");
	for (int i = 0; c->column && i < PG_CUTS; i++) {
		buf_adds(&inner, ", count(*) FILTER (WHERE ");
		if (add_later(pg, c, c->cut[i], &inner, e) < 0)
			return -1;
		buf_addf(&inner, ") AS n%d", i);
	}
	if (add_from(pg, c->table, &inner, e) < 0)
		return -1;
	if (c->share > 0)
		add_estimate(c, &inner, sql);
	else
		buf_adds(sql, inner.s);
	return inner.full || sql->full
		       ? err_set(e, ERR_SYSTEM, "query %s: the name is too long", c->table->full)
		       : 0;
}

/* max() of the bare column, bounded by its own comparison, is what an index answers at once. What
 * lies before the epoch and on it stands for "never". */
static int newest_sql(struct pg *pg, const struct pg_newest *w, struct buf *sql, struct err *e)
{
	BUF_AUTO column = BUF_INIT(1024);
	BUF_AUTO from = BUF_INIT(1024);
	char limit[UTC_SIZE], far[UTC_SIZE];

	buf_adds(&column, ALIAS ".");
	if (pg_quote(pg, NULL, w->column, &column, e) < 0 || add_from(pg, w->table, &from, e) < 0)
		return -1;
	(void)utc_format(w->limit_ms, limit);
	(void)utc_format(w->limit_ms + DAY_MS, far);
	buf_addf(sql,
		 "SELECT ceil(extract(epoch FROM bounded.at::timestamptz) * 1000)::bigint,"
		 " last.at > timestamptz '%s', last.at > timestamptz '%s'"
		 " FROM (SELECT max(%s) AS at%s WHERE %s > '1970-01-02'"
		 " AND %s <= timestamptz '%s') AS bounded,"
		 " (SELECT max(%s) AS at%s) AS last",
		 limit, far, column.s, from.s, column.s, column.s, limit, column.s, from.s);
	return sql->full ? err_set(e, ERR_SYSTEM, "query %s: the name is too long", w->table->full)
			 : 0;
}

/* One list of jobs and where their answers go. */
struct batch {
	const struct pg_readers *readers;
	struct pg_job *jobs;
	struct buf *sql; /* one for each job */
	size_t n;
	struct pg_count *counts; /* or */
	struct pg_newest *newests;
};

static void batch_open(struct batch *b, size_t n)
{
	b->n = n;
	b->jobs = xcalloc(n + 1, sizeof(*b->jobs));
	b->sql = xcalloc(n + 1, sizeof(*b->sql));
	for (size_t i = 0; i < n; i++)
		b->sql[i] = (struct buf)BUF_INIT(SQL_MAX);
}

static void batch_close(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_free(&b->sql[i]);
	free(b->sql);
	free(b->jobs);
}

static int batch_run(struct batch *b,
		     void (*done)(struct pg_job *, const PGresult *, enum pg_why,
				  const struct err *, void *),
		     struct err *e)
{
	BUF_AUTO settings = BUF_INIT(1024);
	struct pg_pool pool = {
		.first = b->readers->first,
		.sessions = b->readers->sessions,
		.until_ms = b->readers->until_ms,
		.done = done,
		.ctx = b,
	};

	for (size_t i = 0; i < b->n; i++)
		b->jobs[i].sql = b->sql[i].s;
	add_settings(b->readers, &settings);
	pool.settings = settings.s;
	return pg_pool_run(&pool, b->jobs, b->n, e);
}

static void tell(const struct batch *b, const struct pg_table *t)
{
	if (b->readers->progress)
		b->readers->progress(t->full, b->readers->ctx);
}

/* From the taken blocks to all of them. */
static void extrapolate(struct pg_count *c, const PGresult *rows)
{
	const char *squares = pg_cell(rows, 0, c->column ? PG_CUTS + 1 : 1);
	double variance = (squares ? strtod(squares, NULL) : 0) * (1 - c->share);

	c->rows = (int64_t)llround((double)c->rows / c->share);
	for (int i = 0; c->column && i < PG_CUTS; i++)
		c->newer[i] = (int64_t)llround((double)c->newer[i] / c->share);
	c->margin = (int64_t)ceil(SIGMAS * sqrt(variance) / c->share) + 1;
}

static void count_done(struct pg_job *job, const PGresult *rows, enum pg_why why,
		       const struct err *e, void *ctx)
{
	struct batch *b = ctx;
	struct pg_count *c = &b->counts[job - b->jobs];

	c->why = why;
	if (!rows) {
		c->failure = xstrdup(e->msg);
		return;
	}
	c->counted = pg_cell_int(rows, 0, 0, &c->rows);
	for (int i = 0; c->column && i < PG_CUTS; i++)
		c->counted = pg_cell_int(rows, 0, i + 1, &c->newer[i]) && c->counted;
	if (!c->counted)
		c->failure = xstrdup("the server's answer was no number");
	else if (c->share > 0)
		extrapolate(c, rows);
	tell(b, c->table);
}

int pg_counts_run(const struct pg_readers *r, struct pg_count *v, size_t n, struct err *e)
{
	struct batch b = { .readers = r, .counts = v };
	int rc = 0;

	batch_open(&b, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		b.jobs[i].weight = v[i].table->bytes;
		rc = count_sql(r->first, &v[i], &b.sql[i], e);
	}
	if (rc == 0)
		rc = batch_run(&b, count_done, e);
	batch_close(&b);
	return rc;
}

static void newest_done(struct pg_job *job, const PGresult *rows, enum pg_why why,
			const struct err *e, void *ctx)
{
	struct batch *b = ctx;
	struct pg_newest *w = &b->newests[job - b->jobs];

	(void)why;
	w->asked = rows;
	if (rows) {
		w->found = pg_cell_int(rows, 0, 0, &w->at_ms);
		w->ahead = pg_cell_true(rows, 0, 1);
		w->far = pg_cell_true(rows, 0, 2);
	} else {
		w->failure = xstrdup(e->msg);
	}
	tell(b, w->table);
}

int pg_newest_run(const struct pg_readers *r, struct pg_newest *v, size_t n, struct err *e)
{
	struct batch b = { .readers = r, .newests = v };
	int rc = 0;

	batch_open(&b, n);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		b.jobs[i].weight = v[i].table->bytes;
		rc = newest_sql(r->first, &v[i], &b.sql[i], e);
	}
	if (rc == 0)
		rc = batch_run(&b, newest_done, e);
	batch_close(&b);
	return rc;
}
