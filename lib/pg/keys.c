#include "lib/pg/keys.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <stdio.h>
#include <stdlib.h>

/* Types int8 (20), int2 (21), int4 (23). */
static const char column_sql[] =
	"SELECT a.attname, n.nspname, s.relname FROM pg_depend d"
	" JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'"
	" JOIN pg_namespace n ON n.oid = s.relnamespace"
	" JOIN pg_sequence q ON q.seqrelid = s.oid AND q.seqincrement > 0 AND NOT q.seqcycle"
	" JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
	" WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
	" AND d.deptype IN ('a', 'i') AND d.refobjid = $1::oid AND a.atttypid IN (20, 21, 23)"
	" ORDER BY a.attnum LIMIT 1";

static const char there_sql[] = "SELECT 1 FROM pg_attribute WHERE attrelid = $1::oid"
				" AND attname = $2 AND atttypid IN (20, 21, 23)";

void pg_key_free(struct pg_key *k)
{
	free(k->column);
	*k = (struct pg_key){ 0 };
}

static int ask_values(struct pg *pg, const struct pg_table *t, const PGresult *names,
		      struct pg_key *out, struct err *e)
{
	BUF_AUTO sql = BUF_INIT(2048);
	PGRESULT_AUTO *r = NULL;

	buf_adds(&sql, "SELECT CASE WHEN s.is_called THEN s.last_value END, m.largest FROM ");
	if (pg_quote(pg, PQgetvalue(names, 0, 1), PQgetvalue(names, 0, 2), &sql, e) < 0)
		return -1;
	buf_adds(&sql, " AS s, (SELECT max(r__.");
	if (pg_quote(pg, NULL, PQgetvalue(names, 0, 0), &sql, e) < 0)
		return -1;
	buf_adds(&sql, ") AS largest FROM ONLY ");
	if (pg_quote(pg, t->schema, t->name, &sql, e) < 0)
		return -1;
	buf_adds(&sql, " AS r__) AS m");
	r = pg_query(pg, sql.s, NULL, 0, e);
	if (!r)
		return -1;
	/* A sequence that was left behind its rows is no witness, nor is one of an empty table. */
	if (pg_cell_int(r, 0, 0, &out->drawn) && pg_cell_int(r, 0, 1, &out->largest) &&
	    out->largest <= out->drawn)
		out->column = xstrdup(PQgetvalue(names, 0, 0));
	return 0;
}

int pg_key_find(struct pg *pg, const struct pg_table *t, struct pg_key *out, struct err *e)
{
	PGRESULT_AUTO *names = NULL;
	char oid[24];
	const char *params[] = { oid };

	*out = (struct pg_key){ 0 };
	(void)snprintf(oid, sizeof(oid), "%lld", (long long)t->oid);
	names = pg_query(pg, column_sql, params, 1, e);
	if (names && PQntuples(names) == 0)
		return 0;
	if (names && ask_values(pg, t, names, out, e) == 0)
		return 0;
	return pg->link ? 0 : -1;
}

bool pg_key_there(struct pg *pg, const struct pg_table *t, const char *column)
{
	char oid[24];
	const char *params[] = { oid, column };
	struct err ignored;
	PGRESULT_AUTO *r = NULL;

	(void)snprintf(oid, sizeof(oid), "%lld", (long long)t->oid);
	r = pg_query(pg, there_sql, params, 2, &ignored);
	return r && PQntuples(r) == 1;
}
