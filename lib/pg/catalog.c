#include "lib/pg/catalog.h"

#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3, SIZES_LOCK_S = 1 };

/* pg_table_size() wants a lock on each table and waits for whoever holds a stronger one; the
 * sizes as of the last VACUUM need none. */
#define SIZE_NOW "coalesce(pg_table_size(c.oid), 0), coalesce(pg_relation_size(c.oid), 0)"
#define SIZE_NOTED \
	"(c.relpages + coalesce((SELECT t.relpages FROM pg_class t WHERE t.oid = " \
	"c.reltoastrelid), 0))::bigint * current_setting('block_size')::bigint," \
	" c.relpages * current_setting('block_size')::bigint"

#define TABLES(size) \
	"SELECT c.oid, n.nspname, c.relname, c.relkind = 'm', c.relispopulated," \
	" c.relispartition, c.relpersistence = 'u', c.reltuples::bigint, " size \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'" \
	" AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'" \
	" AND NOT EXISTS (SELECT 1 FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid" \
	"  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'" \
	"  AND d.refclassid = 'pg_extension'::regclass" \
	"  AND c.oid <> ALL (coalesce(x.extconfig, '{}')))"

/* Columns of timestamptz (1184), timestamp (1114) and date (1082), domains over them included.
 * Generated columns say nothing of their own, and reading a virtual one runs its expression. */
static const char columns_sql[] =
	"SELECT a.attrelid, a.attname, b.oid, a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"
	" EXISTS (SELECT 1 FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid"
	"  JOIN pg_am am ON am.oid = ic.relam WHERE i.indrelid = a.attrelid"
	"  AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL"
	"  AND am.amname = 'btree')"
	" FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid"
	" JOIN pg_type b ON b.oid = CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END"
	" LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
	" WHERE a.attnum > 0 AND NOT a.attisdropped AND b.oid IN (1184, 1114, 1082)"
	" AND ($1::oid IS NULL OR a.attrelid = $1::oid)"
	" AND ($2::text IS NULL OR a.attname = $2)";

static void timecol_free(struct pg_timecol *c)
{
	free(c->name);
	*c = (struct pg_timecol){ 0 };
}

void pg_tables_free(struct pg_tables *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].schema);
		free(t->v[i].name);
		free(t->v[i].full);
		timecol_free(&t->v[i].created);
		timecol_free(&t->v[i].changed);
	}
	free(t->v);
	*t = (struct pg_tables){ 0 };
}

static void fill_table(struct pg_table *t, const PGresult *r, int row)
{
	t->schema = xstrdup(PQgetvalue(r, row, 1));
	t->name = xstrdup(PQgetvalue(r, row, 2));
	t->full = xasprintf("%s.%s", t->schema, t->name);
	t->view = pg_cell_true(r, row, 3);
	t->populated = pg_cell_true(r, row, 4);
	t->partition = pg_cell_true(r, row, 5);
	t->unlogged = pg_cell_true(r, row, 6);
	(void)pg_cell_int(r, row, 0, &t->oid);
	(void)pg_cell_int(r, row, 7, &t->estimate);
	(void)pg_cell_int(r, row, 8, &t->bytes);
	(void)pg_cell_int(r, row, 9, &t->heap_b);
}

static int by_oid(const void *a, const void *b)
{
	const struct pg_table *x = a, *y = b;

	return (x->oid > y->oid) - (x->oid < y->oid);
}

static int by_name(const void *a, const void *b)
{
	const struct pg_table *x = a, *y = b;
	int c = strcmp(x->schema, y->schema);

	return c ? c : strcmp(x->name, y->name);
}

/* A standby may cancel any query. */
static PGresult *query(struct pg *pg, const char *sql, const char *const *params, int n,
		       struct err *e)
{
	PGresult *r = NULL;

	for (int tries = 0; !r && tries < TRIES; tries++) {
		r = pg_query(pg, sql, params, n, e);
		if (!r && (pg->why != PG_WHY_CONFLICT || !pg->link))
			break;
	}
	return r;
}

static PGresult *query_columns(struct pg *pg, const struct pg_table *t, const char *column,
			       struct err *e)
{
	char oid[24];
	const char *params[] = { NULL, column };
	BUF_AUTO sql = BUF_INIT(sizeof(columns_sql) + 64);

	if (t) {
		(void)snprintf(oid, sizeof(oid), "%lld", (long long)t->oid);
		params[0] = oid;
	}
	buf_adds(&sql, columns_sql);
	if (PQserverVersion(pg->link) >= 120000)
		buf_adds(&sql, " AND a.attgenerated = ''");
	buf_adds(&sql, " ORDER BY a.attrelid, a.attnum");
	return query(pg, sql.s, params, 2, e);
}

static enum pg_time_type type_of(const char *oid)
{
	if (strcmp(oid, "1184") == 0)
		return PG_TIME_ZONED;
	return strcmp(oid, "1114") == 0 ? PG_TIME_PLAIN : PG_TIME_DATE;
}

static struct pg_timecol_facts facts_of(const PGresult *r, int row)
{
	return (struct pg_timecol_facts){
		.name = PQgetvalue(r, row, 1),
		.type = type_of(PQgetvalue(r, row, 2)),
		.not_null = pg_cell_true(r, row, 3),
		.deflt = pg_cell(r, row, 4),
		.indexed = pg_cell_true(r, row, 5),
	};
}

/* Among equals the first column of the table stays. */
static void offer(struct pg_timecol *best, const struct pg_timecol_facts *f, int score)
{
	if (best->name && best->score >= score)
		return;
	free(best->name);
	*best = (struct pg_timecol){
		.name = xstrdup(f->name), .type = f->type, .score = score, .indexed = f->indexed
	};
}

/* Both are in the order of the tables' oids. */
static void fill_timecols(struct pg_tables *t, const PGresult *r)
{
	size_t i = 0;

	for (int row = 0; row < PQntuples(r); row++) {
		struct pg_timecol_facts f = facts_of(r, row);
		int64_t oid = 0;
		int score;

		(void)pg_cell_int(r, row, 0, &oid);
		while (i < t->n && t->v[i].oid < oid)
			i++;
		if (i == t->n || t->v[i].oid != oid)
			continue;
		switch (pg_timecol_judge(&f, &score)) {
		case PG_ROLE_CREATED:
			offer(&t->v[i].created, &f, score);
			break;
		case PG_ROLE_CHANGED:
			offer(&t->v[i].changed, &f, score);
			break;
		case PG_ROLE_NONE:
			break;
		}
	}
}

static int wait_for_locks(struct pg *pg, uint64_t seconds, struct err *e)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "SET lock_timeout = '%llus'", (unsigned long long)seconds);
	return pg->target.lock_s > SIZES_LOCK_S ? pg_run(pg, sql, e) : 0;
}

/* A size takes a lock, and is not worth a long wait: statistics know it too. */
static PGresult *query_tables(struct pg *pg, struct err *e)
{
	PGresult *r;

	if (wait_for_locks(pg, SIZES_LOCK_S, e) < 0)
		return NULL;
	r = query(pg, TABLES(SIZE_NOW), NULL, 0, e);
	if (!r && pg->why == PG_WHY_LOCKED)
		r = query(pg, TABLES(SIZE_NOTED), NULL, 0, e);
	if (r && wait_for_locks(pg, pg->target.lock_s, e) < 0) {
		PQclear(r);
		return NULL;
	}
	return r;
}

int pg_tables_load(struct pg *pg, struct pg_tables *out, struct err *e)
{
	PGRESULT_AUTO *tables = query_tables(pg, e);
	PGRESULT_AUTO *columns = tables ? query_columns(pg, NULL, NULL, e) : NULL;

	*out = (struct pg_tables){ 0 };
	if (!columns)
		return err_wrap(e, "list the tables");
	out->n = (size_t)PQntuples(tables);
	out->v = xcalloc(out->n + 1, sizeof(*out->v));
	for (size_t i = 0; i < out->n; i++)
		fill_table(&out->v[i], tables, (int)i);
	qsort(out->v, out->n, sizeof(*out->v), by_oid);
	fill_timecols(out, columns);
	qsort(out->v, out->n, sizeof(*out->v), by_name);
	return 0;
}

struct pg_table *pg_tables_find(const struct pg_tables *t, const struct pg_table *like)
{
	return t->n ? bsearch(like, t->v, t->n, sizeof(*t->v), by_name) : NULL;
}

bool pg_table_matches(const struct pg_table *t, const char *pattern)
{
	return strcmp(pattern, t->full) == 0 || strcmp(pattern, t->name) == 0 ||
	       fnmatch(pattern, t->full, 0) == 0 ||
	       (!strchr(pattern, '.') && fnmatch(pattern, t->name, 0) == 0);
}

int pg_table_name_timecol(struct pg *pg, struct pg_table *t, const char *column, bool *found,
			  struct err *e)
{
	PGRESULT_AUTO *r = query_columns(pg, t, column, e);
	struct pg_timecol_facts f;

	if (!r)
		return -1;
	*found = PQntuples(r) == 1;
	if (!*found)
		return 0;
	f = facts_of(r, 0);
	timecol_free(&t->created);
	timecol_free(&t->changed);
	offer(&t->created, &f, 0);
	t->created.named = true;
	return 0;
}
