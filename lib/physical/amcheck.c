#include "lib/physical/amcheck.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/pg/query.h"

#include <inttypes.h>
#include <string.h>

enum { DAMAGED_SAID = 20 };

/* A kind of relation, and what looks at one of them ($1 is its oid). */
struct kind {
	const char *check, *what;
	const char *list;             /* oid, name */
	const char *look, *look_deep; /* rows, or an error: damage */
};

static const struct kind kinds[] = {
	{ "heap-integrity", "tables",
	  "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
	  "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 't') AND "
	  "c.relam = (SELECT oid FROM pg_am WHERE amname = 'heap') AND c.relpersistence <> 't' "
	  "ORDER BY c.relpages DESC",
	  "SELECT 'block ' || blkno || coalesce(', item ' || offnum, '') || ': ' || msg "
	  "FROM public.verify_heapam($1::oid) LIMIT 5",
	  "SELECT 'block ' || blkno || coalesce(', item ' || offnum, '') || ': ' || msg "
	  "FROM public.verify_heapam($1::oid, check_toast => true) LIMIT 5" },
	{ "index-integrity", "B-tree indexes",
	  "SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_index i "
	  "JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
	  "WHERE c.relkind = 'i' AND i.indisvalid AND i.indisready AND c.relpersistence <> 't' AND "
	  "c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree') ORDER BY c.relpages DESC",
	  "SELECT public.bt_index_check($1::oid::regclass) OFFSET 1",
	  "SELECT public.bt_index_parent_check($1::oid::regclass, true, true) OFFSET 1" },
};

static void damaged(struct stage *st, const struct kind *k, const char *name, const char *why)
{
	struct check c;

	check_init(&c, k->check, name);
	check_say(&c, V_CRITICAL, "%s", why);
	stage_check(st, &c);
}

/* Does it stand for damage, or for a query that could not be run? XX001, XX002: data and index
 * corrupted; others of class XX are what damaged pages raise, too. */
static bool is_damage(const struct pg *pg)
{
	return strncmp(pg->sqlstate, "XX", 2) == 0;
}

static void look_at_all(struct stage *st, struct pg *pg, const struct kind *k,
			const struct amcheck_opts *opts)
{
	struct err e = { 0 };
	PGRESULT_AUTO *list = pg_query(pg, k->list, NULL, 0, &e);
	int n = 0, bad = 0, failed = 0;
	struct check c;

	if (list == NULL) {
		stage_error(st, k->check, PQdb(pg->link), &e);
		return;
	}
	for (; n < PQntuples(list) && pg->link; n++) {
		const char *const oid = pg_cell(list, n, 0), *name = pg_cell(list, n, 1);
		PGRESULT_AUTO *r = NULL;

		if (opts->until_ms && mono_ms() > opts->until_ms)
			break;
		r = pg_query(pg, opts->deep ? k->look_deep : k->look, &oid, 1, &e);
		if (r != NULL && PQntuples(r) == 0)
			continue;
		if (r == NULL && !is_damage(pg)) {
			failed++;
			continue;
		}
		if (bad++ < DAMAGED_SAID)
			damaged(st, k, name, r ? pg_cell(r, 0, 0) : e.msg);
	}
	check_init(&c, k->check, pg->link ? PQdb(pg->link) : "");
	if (failed > 0)
		check_say(&c, V_UNKNOWN, "%d of %d %s could not be looked at: %s", failed,
			  PQntuples(list), k->what, e.msg);
	if (n < PQntuples(list))
		check_say(&c, V_WARNING, "%d of %d %s looked at: there was no time for the others",
			  n, PQntuples(list), k->what);
	if (bad > 0)
		check_say(&c, V_CRITICAL, "%d of %d %s are damaged", bad, n, k->what);
	if (!c.said)
		check_say(&c, V_OK, "%d %s are sound", n, k->what);
	check_metric_int(&c, "relations", n, "");
	check_metric_int(&c, "damaged_relations", bad, "");
	stage_check(st, &c);
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

void amcheck_run(struct stage *st, struct pg *pg, const struct amcheck_opts *opts)
{
	struct err e = { 0 };
	struct check c;

	find_invalid(st, pg);
	if (pg_run(pg, "CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA public", &e) < 0) {
		check_init(&c, "index-integrity", PQdb(pg->link));
		check_say(&c, V_UNKNOWN,
			  "amcheck cannot be used: %s; it comes with PostgreSQL's contrib package "
			  "(postgresql-contrib)",
			  e.msg);
		stage_check(st, &c);
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		look_at_all(st, pg, &kinds[i], opts);
}
