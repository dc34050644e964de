#include "lib/pg/relation.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <stdlib.h>
#include <string.h>

/* Columns by number; the key in the index's order, as places in that list. %s is the version's
 * condition for columns that are not generated. Types 20, 21 and 23 are the whole numbers. */
#define RELATIONS \
	"WITH col AS (SELECT a.attrelid, a.attnum, a.attname, a.atttypid," \
	"  row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) - 1 AS at" \
	"  FROM pg_attribute a WHERE a.attnum > 0 AND NOT a.attisdropped%s)," \
	" key AS (SELECT i.indrelid, count(*) AS n, i.indnkeyatts AS wanted," \
	"  string_agg(format('%%I', col.attname), ', ' ORDER BY k.ord) AS list," \
	"  string_agg(col.at::text, ' ' ORDER BY k.ord) AS places," \
	"  bool_and(col.atttypid IN (20, 21, 23)) AND count(*) = 1 AS number" \
	"  FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (num, ord), col" \
	"  WHERE i.indisprimary AND k.ord <= i.indnkeyatts AND col.attrelid = i.indrelid" \
	"  AND col.attnum = k.num GROUP BY i.indexrelid, i.indrelid, i.indnkeyatts)" \
	" SELECT c.oid, format('%%I.%%I', n.nspname, c.relname)," \
	"  coalesce((SELECT string_agg(format('%%I', col.attname), ', ' ORDER BY col.attnum)" \
	"   FROM col WHERE col.attrelid = c.oid), '')," \
	"  CASE WHEN key.n = key.wanted THEN key.list END, key.places, key.number" \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" LEFT JOIN key ON key.indrelid = c.oid" \
	" WHERE c.relkind IN ('r', 'm') AND left(n.nspname, 3) <> 'pg_'" \
	" AND n.nspname <> 'information_schema' ORDER BY c.oid"

enum { SQL_MAX = 4096 };

void pg_relations_free(struct pg_relations *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].ident);
		free(r->v[i].columns);
		free(r->v[i].key);
	}
	free(r->v);
	*r = (struct pg_relations){ 0 };
}

/* "0 3 4" */
static bool fill_places(struct pg_relation *r, const char *places)
{
	char *end;

	for (r->nkey = 0; r->nkey < PG_KEY_COLUMNS && *places; r->nkey++) {
		r->key_at[r->nkey] = (unsigned)strtoul(places, &end, 10);
		places = end + (*end == ' ');
	}
	return *places == '\0';
}

static void fill(struct pg_relation *r, const PGresult *rows, int row)
{
	const char *key = pg_cell(rows, row, 3);

	r->ident = xstrdup(PQgetvalue(rows, row, 1));
	r->columns = xstrdup(PQgetvalue(rows, row, 2));
	if (key && fill_places(r, PQgetvalue(rows, row, 4))) {
		r->key = xstrdup(key);
		r->key_number = pg_cell_true(rows, row, 5);
	}
}

/* The row of a table; they are in the order of their oids. */
static int find(const PGresult *rows, int64_t oid)
{
	int low = 0, high = PQntuples(rows);

	while (low < high) {
		int mid = low + (high - low) / 2;
		int64_t at = 0;

		(void)pg_cell_int(rows, mid, 0, &at);
		if (at == oid)
			return mid;
		if (at < oid)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

int pg_relations_load(struct pg *pg, const struct pg_tables *tables, struct pg_relations *out,
		      struct err *e)
{
	BUF_AUTO sql = BUF_INIT(SQL_MAX);
	PGRESULT_AUTO *rows = NULL;

	*out = (struct pg_relations){ 0 };
	buf_addf(&sql, RELATIONS,
		 PQserverVersion(pg->link) >= 120000 ? " AND a.attgenerated = ''" : "");
	rows = pg_query(pg, sql.s, NULL, 0, e);
	if (!rows)
		return err_wrap(e, "list the columns");
	out->v = xcalloc(tables->n + 1, sizeof(*out->v));
	for (size_t i = 0; i < tables->n; i++) {
		int row = find(rows, tables->v[i].oid);

		if (row < 0)
			return err_set(e, ERR_REMOTE, "list the columns of %s: it is gone",
				       tables->v[i].full);
		out->v[i].table = &tables->v[i];
		out->n = i + 1;
		fill(&out->v[i], rows, row);
	}
	return 0;
}
