#include "lib/physical/amcheck.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/pg/pool.h"
#include "lib/pg/query.h"
#include "lib/physical/relfiles.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGED_SAID = 20, SQL_MAX = 1024 };

/* Nothing that a database or a role has set decides which function is meant, and in which words it
 * fails. */
#define ONLY_OURS "SET search_path = pg_catalog; SET lc_messages = 'C'"

/* A kind of relation, and what looks at one of them: rows, or an error, are damage. */
struct kind {
	const char *check, *what;
	const char *list; /* oid, name, pages */
	/* What looks at one: select, the schema of amcheck, a dot, function, the oid, rest. */
	const char *select, *function, *rest, *deep_function, *deep_rest;
	const char *unique_rest; /* deep_rest where amcheck looks for duplicates, too */
	const char *others; /* how many there are that amcheck does not know, and of which kinds */
};

static const struct kind kinds[] = {
	{ "heap-integrity", "tables and sequences",
	  "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relpages "
	  "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
	  "WHERE (c.relkind = 'S' OR c.relkind IN ('r', 'm', 't') AND c.relam = (SELECT oid FROM "
	  "pg_am WHERE amname = 'heap')) AND c.relpersistence <> 't'",
	  "SELECT 'block ' || blkno || coalesce(', item ' || offnum, '') || ': ' || msg FROM ",
	  "verify_heapam(", "::oid) LIMIT 5", "verify_heapam(",
	  "::oid, check_toast => true) LIMIT 5", "::oid, check_toast => true) LIMIT 5",
	  "SELECT count(*), string_agg(DISTINCT a.amname, ', ') FROM pg_class c "
	  "JOIN pg_am a ON a.oid = c.relam WHERE a.amtype = 't' AND a.amname <> 'heap' AND "
	  "c.relkind IN ('r', 'm', 't')" },
	{ "index-integrity", "B-tree indexes",
	  "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relpages "
	  "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
	  "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' AND "
	  "i.indisvalid AND i.indisready AND c.relpersistence <> 't' AND c.relam = (SELECT oid "
	  "FROM pg_am WHERE amname = 'btree')",
	  "SELECT ", "bt_index_check(", "::oid::regclass) OFFSET 1", "bt_index_parent_check(",
	  "::oid::regclass, true, true) OFFSET 1", "::oid::regclass, true, true, true) OFFSET 1",
	  "SELECT count(*), string_agg(DISTINCT a.amname, ', ') FROM pg_class c "
	  "JOIN pg_am a ON a.oid = c.relam WHERE c.relkind = 'i' AND a.amname <> 'btree' AND "
	  "c.relpersistence <> 't'" },
};

/* All relations of one kind in one database. */
struct inspection {
	struct stage *st;
	const struct kind *kind;
	const PGresult *list;
	const struct pg_job *jobs; /* one for each of the list's rows */
	int bad, failed, late;
	struct err why; /* of one that failed */
};

/* By its first rows; without rows by the error. */
static void damaged(const struct inspection *w, const char *name, const PGresult *rows,
		    const struct err *e)
{
	struct check c;

	check_init(&c, w->kind->check, name);
	for (int i = 0; rows && i < PQntuples(rows); i++)
		check_say(&c, V_CRITICAL, "%s", pg_cell(rows, i, 0));
	if (rows == NULL)
		check_say(&c, V_CRITICAL, "%s", e->msg);
	stage_check(w->st, &c);
}

/* Does it stand for damage, or for a query that could not be run? XX001, XX002: data and index
 * corrupted; others of class XX are what damaged pages raise, too. A file that is missing is damage
 * (58P01), unless it is the library of a type's functions, which only the words tell (dfmgr.c). */
static bool is_damage(const struct pg_job *job, enum pg_why why, const char *words)
{
	if (strstr(words, "could not access file") || strstr(words, "could not load library"))
		return false;
	return why == PG_WHY_DAMAGED || strncmp(job->sqlstate, "XX", 2) == 0;
}

static void looked(struct pg_job *job, const PGresult *rows, enum pg_why why, const struct err *e,
		   void *ctx)
{
	struct inspection *w = ctx;

	if (rows != NULL && PQntuples(rows) == 0)
		return;
	if (rows == NULL && why == PG_WHY_TIMEOUT) {
		w->late++;
	} else if (rows == NULL && !is_damage(job, why, e->msg)) {
		w->failed++;
		w->why = *e;
	} else if (w->bad++ < DAMAGED_SAID) {
		damaged(w, pg_cell(w->list, (int)(job - w->jobs), 1), rows, e);
	}
}

static void say_all(const struct inspection *w, const char *dbname, const char *others)
{
	const int all = PQntuples(w->list), n = all - w->late - w->failed;
	const char *const what = w->kind->what;
	struct check c;

	check_init(&c, w->kind->check, dbname);
	if (w->failed > 0)
		check_say(&c, V_UNKNOWN, "%d of %d %s could not be looked at: %s", w->failed, all,
			  what, w->why.msg);
	if (w->late > 0)
		check_say(&c, V_WARNING, "%d of %d %s looked at: there was no time for the others",
			  n, all, what);
	if (w->bad > 0)
		check_say(&c, V_CRITICAL, "%d of %d %s are damaged", w->bad, n, what);
	if (!c.said)
		check_say(&c, V_OK, "%d %s are sound%s", n, what, others);
	check_metric_int(&c, "relations", n, "");
	check_metric_int(&c, "damaged_relations", w->bad, "");
	stage_check(w->st, &c);
}

/* Said, so that nobody takes them for looked at. */
static int find_others(struct pg *pg, const struct kind *k, struct buf *out, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, k->others, NULL, 0, e);
	int64_t n = 0;

	if (r && pg_cell_int(r, 0, 0, &n) && n > 0)
		buf_addf(out, "; %" PRId64 " of other kinds (%s) it cannot look at", n,
			 pg_cell(r, 0, 1));
	return r ? 0 : -1;
}

/* The extension in the database at hand. */
struct extension {
	char *schema; /* quoted */
	bool unique;  /* from PostgreSQL 17 on it looks for duplicates in unique indexes */
};

static int run_all(struct pg *pg, struct inspection *w, const struct extension *x,
		   const struct amcheck_opts *opts, struct err *e)
{
	const struct pg_pool pool = { .first = pg,
				      .sessions = opts->jobs,
				      .until_ms = opts->until_ms,
				      .settings = ONLY_OURS,
				      .done = looked,
				      .ctx = w };
	const size_t n = (size_t)PQntuples(w->list);
	const struct kind *k = w->kind;
	const char *const function = opts->deep ? k->deep_function : k->function;
	const char *const rest = !opts->deep ? k->rest : x->unique ? k->unique_rest : k->deep_rest;
	struct pg_job *jobs = xcalloc(n + 1, sizeof(*jobs));
	char **sql = xcalloc(n + 1, sizeof(*sql));
	int status;

	for (size_t i = 0; i < n; i++) {
		sql[i] = xasprintf("%s%s.%s%s%s", k->select, x->schema, function,
				   pg_cell(w->list, (int)i, 0), rest);
		jobs[i].sql = sql[i];
		(void)pg_cell_int(w->list, (int)i, 2, &jobs[i].weight);
	}
	w->jobs = jobs;
	status = pg_pool_run(&pool, jobs, n, e);
	for (size_t i = 0; i < n; i++)
		free(sql[i]);
	free(sql);
	free(jobs);
	return status;
}

static void look_at_all(struct stage *st, struct pg *pg, const struct kind *k,
			const struct extension *x, const struct amcheck_opts *opts)
{
	AUTO_FREE char *dbname = xstrdup(PQdb(pg->link));
	BUF_AUTO others = BUF_INIT(SQL_MAX);
	struct err e = { 0 };
	PGRESULT_AUTO *list = pg_query(pg, k->list, NULL, 0, &e);
	struct inspection w = { .st = st, .kind = k, .list = list };

	if (list == NULL || find_others(pg, k, &others, &e) < 0 || run_all(pg, &w, x, opts, &e) < 0)
		stage_error(st, k->check, dbname, &e);
	else
		say_all(&w, dbname, others.s);
}

static void find_invalid(struct stage *st, struct pg *pg)
{
	static const char sql[] = "SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
				  "WHERE NOT (indisvalid AND indisready) ORDER BY 1";
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, &e);
	struct check c;

	if (r == NULL) {
		stage_error(st, "index-valid", "", &e);
		return;
	}
	check_init(&c, "index-valid", PQdb(pg->link));
	for (int i = 0; i < PQntuples(r); i++)
		check_say(&c, V_WARNING,
			  "%s is not valid: it was never finished, and answers nothing",
			  pg_cell(r, i, 0));
	if (!c.said)
		check_say(&c, V_OK, "every index is valid");
	stage_check(st, &c);
}

/* The schema of the extension: where the database has it, or one of our own, for in others there
 * may be functions of these names. */
static char *find_schema(struct pg *pg, struct err *e)
{
	static const char where[] =
		"SELECT quote_ident(n.nspname) FROM pg_extension x JOIN "
		"pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'amcheck'";
	PGRESULT_AUTO *r = pg_query(pg, where, NULL, 0, e);

	if (r == NULL)
		return NULL;
	if (PQntuples(r) > 0)
		return pg_run(pg, "ALTER EXTENSION amcheck UPDATE", e) < 0
			       ? NULL
			       : xstrdup(pg_cell(r, 0, 0));
	if (pg_run(pg,
		   "CREATE SCHEMA IF NOT EXISTS backup_probes_amcheck; CREATE EXTENSION amcheck "
		   "SCHEMA "
		   "backup_probes_amcheck",
		   e) < 0)
		return NULL;
	return xstrdup("backup_probes_amcheck");
}

/* The library is loaded first: where it is missing, every relation would seem to be damaged. */
static int find_amcheck(struct pg *pg, struct extension *x, struct err *e)
{
	AUTO_FREE char *unique = NULL;
	PGRESULT_AUTO *r = NULL;

	x->schema = find_schema(pg, e);
	if (x->schema == NULL || pg_run(pg, "LOAD '$libdir/amcheck'", e) < 0)
		return -1;
	unique = xasprintf("%s.bt_index_parent_check(regclass, boolean, boolean, boolean)",
			   x->schema);
	r = pg_query(pg, "SELECT 1 WHERE to_regprocedure($1) IS NOT NULL",
		     (const char *const[]){ unique }, 1, e);
	x->unique = r != NULL && PQntuples(r) > 0;
	return r ? 0 : -1;
}

static void say_missing(struct stage *st, const struct pg *pg, const struct err *why)
{
	struct check c;

	check_init(&c, "index-integrity", pg->link ? PQdb(pg->link) : "");
	check_say(&c, V_UNKNOWN,
		  "amcheck cannot be used: %s; it comes with PostgreSQL's contrib package "
		  "(postgresql-contrib)",
		  why->msg);
	stage_check(st, &c);
}

void amcheck_run(struct stage *st, struct pg *pg, const struct amcheck_opts *opts)
{
	struct extension x = { NULL, false };
	struct err e = { 0 };

	if (pg_run(pg, ONLY_OURS, &e) < 0) {
		stage_error(st, "index-integrity", pg->link ? PQdb(pg->link) : "", &e);
		return;
	}
	relfiles_check(st, pg);
	find_invalid(st, pg);
	if (find_amcheck(pg, &x, &e) < 0)
		say_missing(st, pg, &e);
	else
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && pg->link; i++)
			look_at_all(st, pg, &kinds[i], &x, opts);
	free(x.schema);
}
