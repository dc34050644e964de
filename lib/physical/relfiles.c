#include "lib/physical/relfiles.h"

#include "lib/base/human.h"
#include "lib/pg/query.h"

#include <string.h>

enum { FAULTS_SAID = 20 };

/* What, relation, file, its bytes. Of an empty file nobody knows that a dropped relation has left
 * it until the next checkpoint, so it is no orphan. */
static const char sql[] =
	"WITH place(dir) AS ("
	" SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()"
	" UNION ALL SELECT 'pg_tblspc/' || t.oid || '/PG_' ||"
	"  current_setting('server_version_num')::int / 10000 || '_' || c.catalog_version_no || "
	"'/' ||"
	"  d.oid FROM pg_tablespace t, pg_control_system() c, pg_database d"
	"  WHERE t.spcname NOT IN ('pg_default', 'pg_global') AND d.datname = current_database()"
	" UNION ALL SELECT 'global'), "
	"file AS MATERIALIZED ("
	" SELECT dir, dir || '/' || m[1] AS path, dir || '/' || name AS name,"
	"  coalesce(m[2], '') AS fork, coalesce(m[3]::bigint, 0) AS segment,"
	"  (pg_stat_file(dir || '/' || name, true)).size AS bytes"
	" FROM place, pg_ls_dir(dir, true, false) name,"
	"  regexp_match(name, '^([0-9]+)(?:_(fsm|vm|init))?(?:[.]([0-9]+))?$') m"
	" WHERE m IS NOT NULL), "
	"rel AS MATERIALIZED ("
	" SELECT pg_relation_filepath(c.oid) AS path, c.relkind = 'S' OR EXISTS (SELECT FROM"
	"  pg_index i WHERE i.indexrelid = c.oid AND i.indisready) AS filled,"
	"  quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name"
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('r', 'i', 't', 'm', 'S') AND c.relpersistence <> 't'), "
	"unit AS (SELECT current_setting('block_size')::bigint AS block,"
	" pg_size_bytes(current_setting('segment_size')) AS segment) "
	"SELECT 'all', NULL, NULL, count(*) FROM rel "
	"UNION ALL SELECT 'missing', name, path, 0 FROM rel WHERE NOT EXISTS"
	" (SELECT FROM file f WHERE f.path = rel.path AND f.fork = '' AND f.segment = 0) "
	"UNION ALL SELECT 'missing', r.name, f.path || coalesce('_' || nullif(f.fork, ''), '') ||"
	"  CASE WHEN f.segment > 1 THEN '.' || f.segment - 1 ELSE '' END, 0"
	" FROM rel r JOIN file f USING (path)"
	" WHERE f.segment > (f.fork = '')::int AND NOT EXISTS"
	"  (SELECT FROM file g WHERE g.path = f.path AND g.fork = f.fork"
	"   AND g.segment = f.segment - 1) "
	"UNION ALL SELECT 'size', r.name, f.name, f.bytes"
	" FROM rel r JOIN file f USING (path), unit u WHERE f.bytes % u.block <> 0"
	"  OR (f.fork = '' AND f.segment = 0 AND f.bytes = 0 AND r.filled)"
	"  OR (f.bytes <> u.segment AND EXISTS (SELECT FROM file g WHERE g.path = f.path"
	"   AND g.fork = f.fork AND g.segment = f.segment + 1)) "
	"UNION ALL SELECT 'orphan', NULL, name, bytes FROM file WHERE dir <> 'global'"
	" AND bytes > 0 AND NOT EXISTS (SELECT FROM rel WHERE rel.path = file.path)";

struct tally {
	int64_t relations, bad, orphans, orphan_b;
};

static void see(struct stage *st, const PGresult *r, int row, struct tally *t)
{
	const char *const what = pg_cell(r, row, 0);
	char size[HUMAN_SIZE];
	int64_t n = 0;
	struct check c;

	(void)pg_cell_int(r, row, 3, &n);
	if (strcmp(what, "all") == 0) {
		t->relations = n;
		return;
	}
	if (strcmp(what, "orphan") == 0) {
		t->orphans++;
		t->orphan_b += n;
		return;
	}
	if (t->bad++ >= FAULTS_SAID)
		return;
	check_init(&c, "relation-files", pg_cell(r, row, 1));
	if (strcmp(what, "missing") == 0)
		check_say(&c, V_CRITICAL, "its file is missing: %s", pg_cell(r, row, 2));
	else
		check_say(&c, V_CRITICAL, "no relation has a file of this size: %s, %s",
			  pg_cell(r, row, 2), human_bytes((uint64_t)n, size));
	stage_check(st, &c);
}

void relfiles_check(struct stage *st, struct pg *pg)
{
	char count[HUMAN_SIZE], size[HUMAN_SIZE], files[HUMAN_SIZE];
	struct tally t = { 0 };
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, &e);
	struct check c;

	if (r == NULL) {
		stage_error(st, "relation-files", pg->link ? PQdb(pg->link) : "", &e);
		return;
	}
	for (int i = 0; i < PQntuples(r); i++)
		see(st, r, i, &t);
	check_init(&c, "relation-files", PQdb(pg->link));
	check_metric_int(&c, "relations", t.relations, "");
	check_metric_int(&c, "orphaned_files", t.orphans, "");
	check_metric_int(&c, "orphaned_bytes", t.orphan_b, "B");
	(void)human_count(t.relations, count);
	if (t.bad)
		check_say(&c, V_CRITICAL, "%s of %s relations lack a file, or have one cut short",
			  human_count(t.bad, files), count);
	else if (t.orphans)
		check_say(&c, V_OK, "%s relations have their files; %s %s belong to none of them",
			  count, human_count(t.orphans, files),
			  human_bytes((uint64_t)t.orphan_b, size));
	else
		check_say(&c, V_OK, "%s relations have their files", count);
	stage_check(st, &c);
}
