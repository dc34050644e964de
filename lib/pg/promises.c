#include "lib/pg/promises.h"

#include "lib/base/xmem.h"
#include "lib/pg/pool.h"
#include "lib/pg/query.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
/* Each query below gives rows of: subject, valid, the question, the question to the index, bytes. */
#define SUBJECT(name) "n.nspname || '.' || r.relname || '.' || " name
#define SIZE "pg_relation_size(r.oid)"
#define BROKEN(from_where) "SELECT count(*) FROM (SELECT 1 FROM " from_where " LIMIT 1000) AS broken"
/* Users' tables; temporary ones are another session's. */
#define OF_USERS \
	" JOIN pg_namespace n ON n.oid = r.relnamespace AND left(n.nspname, 3) <> 'pg_'" \
	" AND n.nspname <> 'information_schema' AND r.relpersistence <> 't'"
/* A partitioned table is asked as a whole, an inherited one row by row where it lies. */
#define ONLY(rel) "CASE " rel ".relkind WHEN 'p' THEN '' ELSE 'ONLY ' END"

static const char foreign_keys_sql[] =
	"SELECT " SUBJECT("k.conname") ", k.convalidated,"
	" format('" BROKEN("%s%s AS c__ WHERE (%s) AND NOT EXISTS (SELECT 1 FROM %s%s AS p__ WHERE %s)")
	"', " ONLY("r") ", r.oid::regclass, f.given, " ONLY("t") ", t.oid::regclass, f.matches),"
	" NULL, " SIZE
	" FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid" OF_USERS
	" JOIN pg_class t ON t.oid = k.confrelid"
	" CROSS JOIN LATERAL (SELECT string_agg(format('c__.%I IS NOT NULL', a.attname),"
	"   CASE k.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END) AS given,"
	"  string_agg(format('p__.%I OPERATOR(%I.%s) c__.%I', b.attname, s.nspname, o.oprname,"
	"   a.attname), ' AND ') AS matches"
	"  FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS u(ours, theirs, op)"
	"  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.ours"
	"  JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.theirs"
	"  JOIN pg_operator o ON o.oid = u.op JOIN pg_namespace s ON s.oid = o.oprnamespace) AS f"
	" WHERE k.contype = 'f' AND k.conparentid = 0";

/* NULLs are equal to none, unless the index says so (PostgreSQL 15). */
static const char unique_sql[] =
	"SELECT " SUBJECT("x.relname") ", true,"
	" format('SELECT (SELECT count(*) FROM (SELECT 1 FROM ONLY %s WHERE (%s) AND (%s) GROUP BY"
	" %s HAVING count(*) > 1 LIMIT 1000) AS broken), (SELECT count(*) FROM ONLY %s WHERE %s)',"
	"  r.oid::regclass, f.holds, CASE WHEN coalesce((to_jsonb(i)->>'indnullsnotdistinct')::bool,"
	"  false) THEN 'true' ELSE f.given END, f.columns, r.oid::regclass, f.holds),"
	" format('SELECT count(*) FROM (SELECT 1 FROM ONLY %s WHERE %s ORDER BY %s OFFSET 0) AS led',"
	"  r.oid::regclass, f.holds, f.columns), " SIZE
	" FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid AND x.relkind = 'i'"
	" JOIN pg_class r ON r.oid = i.indrelid" OF_USERS
	" CROSS JOIN LATERAL (SELECT string_agg(format('(%s)', c.def), ', ' ORDER BY c.k) AS columns,"
	"  string_agg(format('(%s) IS NOT NULL', c.def), ' AND ') AS given,"
	"  coalesce(pg_get_expr(i.indpred, i.indrelid), 'true') AS holds"
	"  FROM (SELECT k, pg_get_indexdef(i.indexrelid, k, false) AS def"
	"   FROM generate_series(1, i.indnkeyatts) AS k) AS c) AS f"
	" WHERE i.indisunique AND i.indisvalid AND i.indislive";

static const char checks_sql[] =
	"SELECT " SUBJECT("k.conname") ", k.convalidated,"
	" format('" BROKEN("ONLY %s WHERE NOT (%s)") "', r.oid::regclass,"
	"  pg_get_expr(k.conbin, k.conrelid)), NULL, " SIZE
	" FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid AND r.relkind = 'r'" OF_USERS
	" WHERE k.contype = 'c'";

/* From 17 on "IS NULL" of such a column is false before it is looked at. */
static const char not_null_sql[] =
	"SELECT " SUBJECT("a.attname") ", true,"
	" format('" BROKEN("ONLY %s WHERE num_nulls(%I) > 0") "', r.oid::regclass, a.attname), NULL, " SIZE
	" FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid AND r.relkind = 'r'" OF_USERS
	" WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull";

/* As text: not every type has an equality. */
static const char generated_sql[] =
	"SELECT " SUBJECT("a.attname") ", true,"
	" format('" BROKEN("ONLY %s WHERE %I::text IS DISTINCT FROM ((%s)::%s)::text") "',"
	"  r.oid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid),"
	"  format_type(a.atttypid, a.atttypmod)), NULL, " SIZE
	" FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
	" JOIN pg_class r ON r.oid = a.attrelid AND r.relkind = 'r'" OF_USERS
	" WHERE to_jsonb(a)->>'attgenerated' = 's' AND NOT a.attisdropped";
/* clang-format on */

static const struct {
	const char *check, *word, *sql;
	bool deep;
} kinds[PG_PROMISES] = {
	[PG_FOREIGN_KEY] = { "foreign-keys", "foreign key", foreign_keys_sql, false },
	[PG_UNIQUE] = { "unique-indexes", "unique index", unique_sql, false },
	[PG_CHECK] = { "check-constraints", "CHECK constraint", checks_sql, true },
	[PG_NOT_NULL] = { "not-null-columns", "NOT NULL column", not_null_sql, true },
	[PG_GENERATED] = { "generated-columns", "generated column", generated_sql, true },
};

const char *pg_promise_check(enum pg_promise_kind kind)
{
	return kinds[kind].check;
}

const char *pg_promise_word(enum pg_promise_kind kind)
{
	return kinds[kind].word;
}

void pg_promises_free(struct pg_promises *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].subject);
		free(p->v[i].sql);
		free(p->v[i].by_index);
		free(p->v[i].failure);
	}
	free(p->v);
	*p = (struct pg_promises){ 0 };
}

/* What is not asked is listed only where it is NOT VALID. */
static void add(struct pg_promises *out, enum pg_promise_kind kind, bool deep, const PGresult *r,
		int row)
{
	struct pg_promise *p = &out->v[out->n];
	const char *by_index = pg_cell(r, row, 3);

	*p = (struct pg_promise){ .kind = kind, .valid = pg_cell_true(r, row, 1) };
	if (p->valid && kinds[kind].deep && !deep)
		return;
	out->n++;
	p->subject = xstrdup(PQgetvalue(r, row, 0));
	(void)pg_cell_int(r, row, 4, &p->bytes);
	if (p->valid || deep)
		p->sql = xstrdup(PQgetvalue(r, row, 2));
	if (by_index)
		p->by_index = xstrdup(by_index);
}

int pg_promises_load(struct pg *pg, bool deep, struct pg_promises *out, struct err *e)
{
	*out = (struct pg_promises){ 0 };
	for (enum pg_promise_kind kind = 0; kind < PG_PROMISES; kind++) {
		BUF_AUTO sql = BUF_INIT(8192);
		PGRESULT_AUTO *r = NULL;
		size_t more;

		buf_addf(&sql, "%s ORDER BY 1", kinds[kind].sql);
		r = pg_query(pg, sql.s, NULL, 0, e);
		if (!r)
			return err_wrap(e, "list the %s", kinds[kind].check);
		more = (size_t)PQntuples(r);
		out->v = xrealloc(out->v, out->n + more + 1, sizeof(*out->v));
		for (size_t row = 0; row < more; row++)
			add(out, kind, deep, r, (int)row);
	}
	return 0;
}

/* One list of questions: of the tables, or of the indexes. */
struct asking {
	struct pg_promise **of;
	struct pg_job *jobs;
	size_t n;
	bool indexes;
};

static void answered(struct pg_job *job, const PGresult *rows, enum pg_why why, const struct err *e,
		     void *ctx)
{
	const struct asking *a = ctx;
	struct pg_promise *p = a->of[job - a->jobs];
	bool number;

	if (!rows) {
		p->asked = false;
		p->why = why;
		free(p->failure);
		p->failure = xstrdup(e->msg);
		return;
	}
	if (a->indexes)
		number = pg_cell_int(rows, 0, 0, &p->indexed);
	else
		number = pg_cell_int(rows, 0, 0, &p->broken) &&
			 (!p->by_index || pg_cell_int(rows, 0, 1, &p->rows));
	p->asked = number;
	if (!number)
		p->failure = xstrdup("the server's answer was no number");
}

static int ask(struct pg *pg, unsigned sessions, struct pg_promises *p, bool indexes, struct err *e)
{
	struct asking a = { .indexes = indexes };
	const struct pg_pool pool = {
		.first = pg,
		.sessions = sessions,
		.settings = indexes ? "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;"
				      "SET LOCAL enable_bitmapscan = off;"
				      "SET LOCAL max_parallel_workers_per_gather = 0"
				    : "SET LOCAL enable_indexscan = off;"
				      "SET LOCAL enable_indexonlyscan = off;"
				      "SET LOCAL enable_bitmapscan = off",
		.done = answered,
		.ctx = &a,
	};
	int rc;

	a.of = xcalloc(p->n + 1, sizeof(struct pg_promise *));
	a.jobs = xcalloc(p->n + 1, sizeof(*a.jobs));
	for (size_t i = 0; i < p->n; i++) {
		struct pg_promise *x = &p->v[i];
		const char *sql = indexes ? x->by_index : x->sql;

		if (!sql || (indexes && !x->asked))
			continue;
		a.of[a.n] = x;
		a.jobs[a.n++] = (struct pg_job){ .sql = sql, .weight = x->bytes };
	}
	rc = pg_pool_run(&pool, a.jobs, a.n, e);
	free(a.jobs);
	free(a.of);
	return rc;
}

int pg_promises_ask(struct pg *pg, unsigned sessions, struct pg_promises *p, struct err *e)
{
	if (ask(pg, sessions, p, false, e) < 0)
		return -1;
	return ask(pg, sessions, p, true, e);
}

bool pg_promise_holds(const struct pg_promise *p)
{
	return p->broken == 0 && (!p->by_index || p->indexed == p->rows);
}
