#include "lib/pg/history.h"

#include "lib/base/buf.h"
#include "lib/base/history_driver.h"
#include "lib/base/record.h"
#include "lib/base/strv.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* LOCKS is the first key of our advisory locks; the second is 0 for the table itself. */
enum { LOCK_S = 60, STATEMENT_S = 90, TRIES = 4, FIRST = 4, BATCH = 1024, LOCKS = 0x62705f68 };

#define TABLE "backup_probes.history"

static const char table_sql[] =
	"CREATE TABLE " TABLE " ("
	" label text COLLATE \"C\" NOT NULL, seq bigint NOT NULL CHECK (seq > 0),"
	" at timestamptz, line text NOT NULL, PRIMARY KEY (label, seq));"
	"CREATE INDEX history_drill ON " TABLE
	" (label, seq) WHERE strpos(line, '\"drill\":{') > 0;";

/* The first member is common to all drivers. A part has the session of its whole. */
struct table {
	struct history h;
	char *place;
	struct pg own, *pg;
	const char *only; /* a part's label; NULL: all */
	bool exposed;     /* the place stands among the arguments, with a password */
	bool there;       /* the table is */
};

static struct table *table_of(struct history *h)
{
	return (struct table *)h;
}

/* What the server said, with the way out for this table. */
static int refused(const struct table *t, struct err *e)
{
	BUF_AUTO words = BUF_INIT(sizeof(e->msg) / 2);

	if (t->pg->why != PG_WHY_PERMISSION || !t->pg->link)
		return -1;
	pg_words(&words, PQerrorMessage(t->pg->link), NULL);
	return err_set(e, ERR_REMOTE,
		       "query %s: %s; an administrator makes the table and grants USAGE, SELECT "
		       "and INSERT: docs/history.md",
		       t->pg->where, words.s);
}

/* In the catalogue itself: to_regclass() may answer from a cache that knows of no table that was
 * made while we waited for the lock. */
static int look_for_table(struct table *t, bool *schema, struct err *e)
{
	PGRESULT_AUTO *r =
		pg_query(t->pg,
			 "SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n"
			 " ON n.oid = c.relnamespace WHERE n.nspname = 'backup_probes'"
			 " AND c.relname = 'history'),"
			 " EXISTS (SELECT FROM pg_namespace WHERE nspname = 'backup_probes')",
			 NULL, 0, e);

	if (!r)
		return refused(t, e);
	t->there = pg_cell_true(r, 0, 0);
	*schema = pg_cell_true(r, 0, 1);
	return 0;
}

static int check_encoding(const struct table *t, struct err *e)
{
	const char *encoding = PQparameterStatus(t->pg->link, "server_encoding");

	if (encoding && (strcmp(encoding, "UTF8") == 0 || strcmp(encoding, "SQL_ASCII") == 0))
		return 0;
	return err_set(e, ERR_USAGE,
		       "open %s: the database's encoding is %s, lines are UTF-8; take a database "
		       "with that encoding",
		       t->pg->where, encoding ? encoding : "not known");
}

static int connect_to(struct table *t, struct err *e)
{
	const struct pg_target target = {
		.what = "the history",
		.conninfo = t->place,
		.env = PG_ENV_NO_ADDRESS,
		.statement_s = STATEMENT_S,
		.lock_s = LOCK_S,
	};
	bool schema = false;

	if (t->pg->link)
		return 0;
	if (t->exposed)
		return err_set(e, ERR_USAGE,
			       "open the history: no password on the command line, where every "
			       "user can read it; use PGPASSFILE, a service file or the variable "
			       "HISTORY");
	if (pg_open(t->pg, &target, e) < 0)
		return -1;
	t->h.name = t->pg->where;
	if (check_encoding(t, e) == 0 && look_for_table(t, &schema, e) == 0)
		return 0;
	pg_close(t->pg);
	return -1;
}

static int begin(struct table *t, struct err *e)
{
	return pg_run(t->pg,
		      "BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;"
		      "SET LOCAL synchronous_commit = on",
		      e);
}

static int end(struct table *t, int r, struct err *e)
{
	const enum pg_why why = t->pg->why;
	struct err ignored;

	if (r == 0)
		return pg_run(t->pg, "COMMIT", e);
	if (t->pg->link)
		(void)pg_run(t->pg, "ROLLBACK", &ignored);
	t->pg->why = why;
	return -1;
}

/* Until the transaction ends. */
static int lock(struct table *t, const char *label, struct err *e)
{
	char locks[16];
	const char *const params[] = { locks, label };
	PGRESULT_AUTO *r = NULL;

	(void)snprintf(locks, sizeof(locks), "%d", LOCKS);
	r = pg_query(t->pg,
		     "SELECT pg_advisory_xact_lock($1::int, coalesce(hashtext($2::text), 0))",
		     params, 2, e);
	return r ? 0 : -1;
}

/* Under a lock, for CREATE IF NOT EXISTS fails when two do it at a time. */
static int make_locked(struct table *t, struct err *e)
{
	bool schema = false;

	if (lock(t, NULL, e) < 0 || look_for_table(t, &schema, e) < 0)
		return -1;
	if (t->there)
		return 0;
	if ((!schema && pg_run(t->pg, "CREATE SCHEMA backup_probes", e) < 0) ||
	    pg_run(t->pg, table_sql, e) < 0)
		return refused(t, e);
	return 0;
}

static int make_table(struct table *t, struct err *e)
{
	if (t->there)
		return 0;
	if (begin(t, e) < 0 || end(t, make_locked(t, e), e) < 0)
		return -1;
	t->there = true;
	return 0;
}

static int compose(struct table *t, const char *label, struct history_entry *entry, struct err *e)
{
	PGRESULT_AUTO *last = pg_query(
		t->pg, "SELECT seq, line FROM " TABLE " WHERE label = $1 ORDER BY seq DESC LIMIT 1",
		&label, 1, e);
	JSON_AUTO *chain = NULL;
	const char *line = NULL;
	int64_t seq = 0;

	if (!last)
		return refused(t, e);
	if (PQntuples(last) == 1 && pg_cell_int(last, 0, 0, &seq))
		line = PQgetvalue(last, 0, 1);
	chain = chain_after(line, line ? (size_t)PQgetlength(last, 0, 1) : 0, seq);
	return history_compose(entry, chain, seq + 1, t->h.name, e);
}

static int insert(struct table *t, const char *label, const struct history_entry *entry,
		  struct err *e)
{
	char seq[24], at[UTC_SIZE];
	int64_t at_ms;
	const bool timed = record_time(entry->run, "at", &at_ms);
	const char *const params[] = { label, seq, timed ? utc_format(at_ms, at) : NULL,
				       entry->line };
	PGRESULT_AUTO *r = NULL;

	(void)snprintf(seq, sizeof(seq), "%" PRId64, entry->seq);
	r = pg_query(t->pg, "INSERT INTO " TABLE " (label, seq, at, line) VALUES ($1, $2, $3, $4)",
		     params, 4, e);
	return r ? 0 : refused(t, e);
}

/* Did an earlier try, whose answer was lost, write it? */
static int look_for_entry(struct table *t, const char *label, const struct history_entry *entry,
			  bool *found, struct err *e)
{
	char seq[24];
	const char *const params[] = { label, seq, entry->line };
	PGRESULT_AUTO *r = NULL;

	*found = false;
	if (entry->line == NULL)
		return 0;
	(void)snprintf(seq, sizeof(seq), "%" PRId64, entry->seq);
	r = pg_query(t->pg, "SELECT FROM " TABLE " WHERE label = $1 AND seq = $2 AND line = $3",
		     params, 3, e);
	*found = r && PQntuples(r) == 1;
	return r ? 0 : refused(t, e);
}

static int append_locked(struct table *t, const char *label, struct history_entry *entry,
			 struct err *e)
{
	bool found;

	if (lock(t, label, e) < 0 || look_for_entry(t, label, entry, &found, e) < 0)
		return -1;
	if (found)
		return 0;
	return compose(t, label, entry, e) < 0 ? -1 : insert(t, label, entry, e);
}

static int append_once(struct table *t, const char *label, struct history_entry *entry,
		       struct err *e)
{
	if (connect_to(t, e) < 0 || make_table(t, e) < 0 || begin(t, e) < 0)
		return -1;
	return end(t, append_locked(t, label, entry, e), e);
}

/* Is the server about to come back? One that was never there is not. */
static bool passes(enum pg_why why, int tries)
{
	return why == PG_WHY_LOST || why == PG_WHY_BUSY || why == PG_WHY_CONFLICT ||
	       (why == PG_WHY_REFUSED && tries > 0);
}

static int table_append(struct history *h, const char *label, struct history_entry *entry,
			struct err *e)
{
	struct table *t = table_of(h);

	for (int tries = 0;; tries++) {
		const struct timespec pause = { .tv_sec = 1 << tries };

		if (append_once(t, label, entry, e) == 0)
			return 0;
		if (tries + 1 == TRIES || !passes(t->pg->why, tries))
			return -1;
		(void)nanosleep(&pause, NULL);
	}
}

/* A walk, the newest first: batches grow, so that one run costs one row. */
struct reading {
	struct history_walk *walk;
	int64_t before; /* seq: what comes next is older */
	int64_t rows;   /* of this batch */
	bool done;
	bool whole; /* the next row is wanted whole */
};

static bool take_row(const PGresult *row, void *to)
{
	struct reading *r = to;
	const char *line = pg_cell(row, 0, 1);
	const size_t len = (size_t)PQgetlength(row, 0, 1);
	int64_t seq;

	if (!pg_cell_int(row, 0, 0, &seq))
		return true;
	r->rows++;
	if (line && pg_cell_true(row, 0, 2)) {
		r->done = !history_offer_head(r->walk, line, len, &r->whole);
		r->before = r->whole ? seq + 1 : seq;
		return !r->done && !r->whole;
	}
	r->done = !history_offer(r->walk, line, len);
	r->before = seq;
	return !r->done;
}

/* What stands before the lists is found by the server: years of runs need not travel. */
static void print_walk(const struct reading *r, struct buf *sql)
{
	const bool heads = r->walk->heads && !r->whole;

	buf_addf(sql,
		 "SELECT seq, head, octet_length(head) < octet_length(line) FROM ("
		 "SELECT seq, line, CASE WHEN octet_length(line) <= %d THEN %s END AS head "
		 "FROM " TABLE " WHERE label = $1 AND seq < $2%s ORDER BY seq DESC LIMIT $3"
		 ") AS batch ORDER BY seq DESC",
		 HISTORY_LINE_MAX,
		 heads ? "split_part(split_part(line, ',\"stages\":[', 1), ',\"checks\":[', 1)"
		       : "line",
		 r->walk->text ? " AND strpos(line, $4) > 0" : "");
}

static int read_batch(struct table *t, struct reading *r, const char *label, int64_t most,
		      struct err *e)
{
	BUF_AUTO sql = BUF_INIT(1024);
	char before[24], limit[24];
	const char *const params[] = { label, before, limit, r->walk->text };

	print_walk(r, &sql);
	(void)snprintf(before, sizeof(before), "%" PRId64, r->before);
	(void)snprintf(limit, sizeof(limit), "%" PRId64, most);
	r->rows = 0;
	r->whole = false;
	return pg_each(t->pg, sql.s, params, r->walk->text ? 4 : 3, take_row, r, e);
}

static int table_walk(struct history *h, struct history_walk *walk, struct err *e)
{
	struct table *t = table_of(h);
	const char *label = walk->label ? walk->label : t->only ? t->only : "";
	struct reading r = { .walk = walk, .before = INT64_MAX };
	int64_t most = walk->heads ? BATCH : FIRST;

	if (walk->most < (size_t)most)
		most = (int64_t)walk->most;
	if (connect_to(t, e) < 0)
		return -1;
	while (t->there && !r.done && most > 0) {
		const bool one = r.whole;

		if (read_batch(t, &r, label, one ? 1 : most, e) < 0)
			return refused(t, e);
		r.done = r.done || (!r.whole && r.rows < (one ? 1 : most));
		most = most < BATCH ? most * FIRST : BATCH;
	}
	return 0;
}

/* All lines, the oldest first. */
struct copying {
	history_take_raw *take;
	void *to;
	const char *label;
	struct buf line;
	int64_t after, rows; /* seq; all of them */
	int64_t batch;
	bool done;
};

static bool take_raw(const PGresult *row, void *to)
{
	struct copying *c = to;
	struct history_raw raw = { .row = true, .label = c->label };

	if (!pg_cell_int(row, 0, 0, &raw.seq))
		return true;
	if (!pg_cell_int(row, 0, 1, &raw.at_ms))
		raw.at_ms = INT64_MIN;
	buf_reset(&c->line);
	buf_add(&c->line, PQgetvalue(row, 0, 2), (size_t)PQgetlength(row, 0, 2));
	buf_addc(&c->line, '\n');
	raw.bytes = c->line.s;
	raw.len = c->line.len;
	c->after = raw.seq;
	c->rows++;
	c->batch++;
	c->done = !c->take(&raw, c->to);
	return !c->done;
}

static int read_all(struct table *t, struct copying *c, struct err *e)
{
	char after[24], limit[24];
	const char *const params[] = { c->label, after, limit };

	(void)snprintf(limit, sizeof(limit), "%d", BATCH);
	do {
		(void)snprintf(after, sizeof(after), "%" PRId64, c->after);
		c->batch = 0;
		if (pg_each(t->pg,
			    "SELECT seq, round(extract(epoch FROM at) * 1000)::bigint,"
			    " CASE WHEN octet_length(line) <= 4194304 THEN line END FROM " TABLE
			    " WHERE label = $1 AND seq > $2 ORDER BY seq LIMIT $3",
			    params, 3, take_raw, c, e) < 0)
			return refused(t, e);
	} while (!c->done && c->batch == BATCH);
	return 0;
}

static int table_raw(struct history *h, const char *label, history_take_raw *take, void *to,
		     struct err *e)
{
	struct table *t = table_of(h);
	struct copying c = {
		.take = take, .to = to, .label = label, .line = BUF_INIT(HISTORY_LINE_MAX + 2)
	};
	int r;

	if (connect_to(t, e) < 0)
		return -1;
	r = t->there ? read_all(t, &c, e) : 0;
	buf_free(&c.line);
	if (r == 0 && c.rows == 0)
		return err_set(e, ERR_REMOTE, "read %s: it holds no run%s%s", t->h.name,
			       *label ? " for " : "", label);
	return r;
}

static bool take_label(const PGresult *row, void *to)
{
	strv_add(to, PQgetvalue(row, 0, 0));
	return true;
}

/* Steps through the key from label to label, however many runs each has. */
static const char labels_sql[] =
	"WITH RECURSIVE l (label) AS ("
	" (SELECT label FROM " TABLE " ORDER BY label LIMIT 1)"
	" UNION ALL SELECT (SELECT h.label FROM " TABLE " AS h WHERE h.label > l.label"
	" ORDER BY h.label LIMIT 1) FROM l WHERE l.label IS NOT NULL)"
	" SELECT label FROM l WHERE label IS NOT NULL";

static int table_parts(struct history *h, history_visit *visit, void *to, struct err *e)
{
	struct table *t = table_of(h);
	STRV_AUTO labels = { 0 };

	if (connect_to(t, e) < 0)
		return -1;
	if (t->there && pg_each(t->pg, labels_sql, NULL, 0, take_label, &labels, e) < 0)
		return refused(t, e);
	for (size_t i = 0; i < labels.n; i++) {
		struct table part = { .h = t->h, .place = t->place, .pg = t->pg, .there = true };

		part.only = labels.v[i];
		if (visit(&part.h, to, e) < 0)
			return -1;
	}
	return 0;
}

static void table_close(struct history *h)
{
	struct table *t = table_of(h);

	pg_close(&t->own);
	free(t->place);
	free(t);
}

struct history *pg_history_open(const char *place)
{
	static const struct history_driver driver = {
		.append = table_append,
		.walk = table_walk,
		.raw = table_raw,
		.parts = table_parts,
		.close = table_close,
	};
	struct table *t;

	if (!history_in_database(place))
		return history_file_open(place);
	t = xcalloc(1, sizeof(*t));
	t->h = (struct history){ .driver = &driver, .name = "the history" };
	t->place = xstrdup(place);
	t->pg = &t->own;
	t->exposed = place != getenv("HISTORY") && pg_has_password(place);
	return &t->h;
}
