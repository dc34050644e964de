#include "lib/pg/state.h"

#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "lib/pg/content.h"
#include "lib/pg/content_json.h"
#include "lib/pg/query.h"
#include "lib/pg/schema.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 4096 };

/* Several threads, each with its session, take the tables one after the other. */
struct crew {
	const struct pg_state_plan *plan;
	const struct pg_relation **queue; /* the heaviest first */
	size_t n, next;                   /* next, tables, failures: under the lock */
	pthread_mutex_t lock;
	json_t *tables;
	size_t failures;
};

struct member {
	struct crew *crew;
	struct pg *pg;
	pthread_t thread;
};

static int heavier(const void *a, const void *b)
{
	const struct pg_relation *x = *(const struct pg_relation *const *)a;
	const struct pg_relation *y = *(const struct pg_relation *const *)b;

	return (x->table->bytes < y->table->bytes) - (x->table->bytes > y->table->bytes);
}

static const struct pg_relation *take(struct crew *c)
{
	const struct pg_relation *r;

	(void)pthread_mutex_lock(&c->lock);
	r = c->next < c->n ? c->queue[c->next++] : NULL;
	(void)pthread_mutex_unlock(&c->lock);
	return r;
}

static void give(struct crew *c, const struct pg_relation *r, json_t *entry, bool failed)
{
	(void)pthread_mutex_lock(&c->lock);
	(void)json_object_set_new(c->tables, r->ident, entry);
	c->failures += failed;
	if (c->plan->progress)
		c->plan->progress(r->table->full, c->plan->ctx);
	(void)pthread_mutex_unlock(&c->lock);
}

static int read_content(const struct crew *c, struct pg *pg, const struct pg_relation *r,
			struct pg_content *out, struct err *e)
{
	const json_t *like = json_object_get(json_object_get(c->plan->like, "tables"), r->ident);

	if (!c->plan->checksum)
		return pg_content_count(pg, r, out, e);
	pg_ranges_like(like, &out->ranges, r->key_number);
	return pg_content_hash(pg, r, out, e);
}

/* False: the session is of no more use. */
static bool read_one(struct crew *c, struct pg *pg, const struct pg_relation *r)
{
	struct pg_content content = { 0 };
	struct err e = { 0 }, ignored;
	bool usable = true, failed = pg_run(pg, "SAVEPOINT relation", &e) < 0 ||
				     read_content(c, pg, r, &content, &e) < 0;

	if (failed) {
		give(c, r, json_pack("{s:o}", "failed", record_string(e.msg, strlen(e.msg))), true);
		usable = pg->link && pg_run(pg, "ROLLBACK TO relation", &ignored) == 0;
	} else {
		give(c, r, pg_content_json(&content, r, c->plan->checksum), false);
		usable = pg_run(pg, "RELEASE relation", &ignored) == 0;
	}
	pg_content_free(&content);
	return usable;
}

static void *work(void *of)
{
	struct member *m = of;
	const struct pg_relation *r;

	while ((r = take(m->crew)))
		if (!read_one(m->crew, m->pg, r))
			break;
	return NULL;
}

/* Threads that do not start are not needed: the caller's own is one. */
static void run(struct crew *c)
{
	struct member *m = xcalloc(c->plan->n, sizeof(*m));
	size_t started = 1;
	const struct pg_relation *r;

	for (size_t i = 0; i < c->plan->n; i++)
		m[i] = (struct member){ .crew = c, .pg = &c->plan->sessions[i] };
	while (started < c->plan->n &&
	       pthread_create(&m[started].thread, NULL, work, &m[started]) == 0)
		started++;
	(void)work(&m[0]);
	for (size_t i = 1; i < started; i++)
		(void)pthread_join(m[i].thread, NULL);
	free(m);
	while ((r = take(c)))
		give(c, r, json_pack("{s:s}", "failed", "no session is left"), true);
}

static bool wanted(const struct pg_state_plan *plan, const struct pg_table *t)
{
	bool in = !plan->only || plan->only->n == 0;

	for (size_t i = 0; !in && i < plan->only->n; i++)
		in = pg_table_matches(t, plan->only->v[i]);
	for (size_t i = 0; in && plan->exclude && i < plan->exclude->n; i++)
		in = !pg_table_matches(t, plan->exclude->v[i]);
	return in && !t->view;
}

static json_t *read_tables(const struct pg_state_plan *plan, size_t *failures, struct err *e)
{
	struct crew c = { .plan = plan, .lock = PTHREAD_MUTEX_INITIALIZER };
	PG_TABLES_AUTO tables = { 0 };
	PG_RELATIONS_AUTO all = { 0 };

	if (pg_tables_load(&plan->sessions[0], &tables, e) < 0 ||
	    pg_relations_load(&plan->sessions[0], &tables, &all, e) < 0)
		return NULL;
	c.queue = xcalloc(all.n + 1, sizeof(struct pg_relation *));
	for (size_t i = 0; i < all.n; i++)
		if (wanted(plan, all.v[i].table))
			c.queue[c.n++] = &all.v[i];
	qsort(c.queue, c.n, sizeof(struct pg_relation *), heavier);
	c.tables = json_object();
	run(&c);
	free(c.queue);
	*failures = c.failures;
	return c.tables;
}

json_t *pg_state_sequences(struct pg *pg, struct err *e)
{
	PGRESULT_AUTO *rows = pg_query(
		pg,
		"SELECT format('%I.%I', schemaname, sequencename),"
		" coalesce(last_value, start_value), last_value IS NOT NULL,"
		" increment_by < 0 FROM pg_sequences"
		" WHERE left(schemaname, 3) <> 'pg_' AND NOT EXISTS (SELECT 1 FROM pg_depend d"
		"  WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e' AND d.objid ="
		"  format('%I.%I', schemaname, sequencename)::regclass)",
		NULL, 0, e);
	json_t *all;

	if (!rows) {
		(void)err_wrap(e, "read the sequences");
		return NULL;
	}
	all = json_object();
	for (int i = 0; i < PQntuples(rows); i++) {
		json_t *entry = json_object();
		int64_t last = 0;

		(void)pg_cell_int(rows, i, 1, &last);
		(void)json_object_set_new(entry, "last", json_integer(last));
		(void)json_object_set_new(entry, "called", json_boolean(pg_cell_true(rows, i, 2)));
		if (pg_cell_true(rows, i, 3))
			(void)json_object_set_new(entry, "descending", json_true());
		(void)json_object_set_new(all, PQgetvalue(rows, i, 0), entry);
	}
	return all;
}

/* Columns of whole numbers that a sequence serves: as their owner, or in their default. */
static const char serves_sql[] =
	"SELECT DISTINCT format('%I.%I', sn.nspname, s.relname), format('%I.%I', tn.nspname,"
	" t.relname), quote_ident(a.attname) FROM pg_depend o"
	" JOIN pg_class s ON s.oid = o.objid AND s.relkind = 'S'"
	" JOIN pg_namespace sn ON sn.oid = s.relnamespace"
	" JOIN pg_class t ON t.oid = o.refobjid AND t.relkind IN ('r', 'p')"
	" JOIN pg_namespace tn ON tn.oid = t.relnamespace"
	" JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid"
	" WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass"
	" AND o.deptype IN ('a', 'i') AND a.atttypid IN (20, 21, 23)"
	" AND s.relpersistence <> 't'";

static int mark_one(struct pg *pg, json_t *entry, const char *table, const char *column,
		    struct err *e)
{
	const bool descending = record_true(entry, "descending");
	BUF_AUTO sql = BUF_INIT(SQL_MAX);
	PGRESULT_AUTO *rows = NULL;
	int64_t last = 0, outermost;

	buf_addf(&sql, "SELECT %s(%s) FROM %s", descending ? "min" : "max", column, table);
	rows = pg_query(pg, sql.s, NULL, 0, e);
	if (!rows)
		return err_wrap(e, "find the largest %s.%s", table, column);
	(void)record_int(entry, "last", &last);
	if (!pg_cell_int(rows, 0, 0, &outermost) ||
	    (descending ? outermost >= last : outermost <= last))
		return 0;
	(void)json_object_set_new(entry, "behind", json_sprintf("%s.%s", table, column));
	(void)json_object_set_new(entry, "outermost", json_integer(outermost));
	return 0;
}

int pg_state_mark_behind(struct pg *pg, json_t *sequences, struct err *e)
{
	PGRESULT_AUTO *rows = pg_query(pg, serves_sql, NULL, 0, e);

	if (!rows)
		return err_wrap(e, "find what the sequences serve");
	for (int i = 0; i < PQntuples(rows); i++) {
		json_t *entry = json_object_get(sequences, PQgetvalue(rows, i, 0));

		if (entry &&
		    mark_one(pg, entry, PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2), e) < 0)
			return -1;
	}
	return 0;
}

static json_t *read_large_objects(const struct pg_state_plan *plan, struct err *e)
{
	struct pg_content content = { 0 };
	json_t *entry = NULL;

	pg_ranges_like(json_object_get(plan->like, "large_objects"), &content.ranges, true);
	if (pg_content_large_objects(&plan->sessions[0], plan->checksum, &content, e) == 0)
		entry = pg_content_json(&content, NULL, true);
	pg_content_free(&content);
	return entry;
}

/* Under "name", unless it is NULL. */
static bool put(json_t *state, const char *name, json_t *part)
{
	return part && json_object_set_new(state, name, part) == 0;
}

static int settle(const struct pg_state_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->n; i++)
		if (pg_content_settings(&plan->sessions[i], e) < 0)
			return -1;
	return 0;
}

json_t *pg_state_read(const struct pg_state_plan *plan, size_t *failures, struct err *e)
{
	struct pg *first = &plan->sessions[0];
	json_t *state = json_object();

	*failures = 0;
	if (put(state, "schema", pg_schema_read(first, e)) && settle(plan, e) == 0 &&
	    put(state, "tables", read_tables(plan, failures, e)) && first->link &&
	    put(state, "large_objects", read_large_objects(plan, e)))
		return state;
	if (e->kind == ERR_NONE)
		(void)err_set(e, ERR_REMOTE, "read %s: the connection is lost", first->where);
	json_decref(state);
	return NULL;
}
