#include "lib/restore/recovered.h"

#include "lib/pg/query.h"
#include "lib/physical/manifest.h"

#include <string.h>

enum { CONNINFO_MAX = PATH_MAX + 1024, NAMED = 3 };

/* Settings of the connection come before those of roles and databases. conninfo must outlive it. */
static int enter(const struct cluster *c, const char *dbname, struct buf *conninfo, struct pg *pg,
		 struct err *e)
{
	struct pg_target target = { .what = "the temporary server",
				    .env = PG_ENV_NONE,
				    .writable = true };

	(void)cluster_conninfo(c, dbname, conninfo);
	buf_adds(conninfo, " options='" CLUSTER_LOADS_NOTHING
			   " -c search_path=pg_catalog -c default_transaction_read_only=off "
			   "-c TimeZone=UTC -c DateStyle=ISO'");
	target.conninfo = conninfo->s;
	return pg_open(pg, &target, e);
}

static int forget_libraries(struct pg *pg, struct recovered *out, struct err *e)
{
	static const char sql[] =
		"UPDATE pg_db_role_setting SET setconfig = ARRAY(SELECT s FROM unnest(setconfig) s "
		"WHERE s NOT LIKE 'session_preload_libraries=%' "
		"AND s NOT LIKE 'local_preload_libraries=%') WHERE EXISTS (SELECT FROM "
		"unnest(setconfig) s WHERE s LIKE 'session_preload_libraries=%' "
		"OR s LIKE 'local_preload_libraries=%') RETURNING 1";
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, e);

	if (r)
		out->forgotten = (unsigned)PQntuples(r);
	return r ? 0 : -1;
}

static int look_at_point(struct pg *pg, struct recovered *out, struct err *e)
{
	static const char sql[] =
		"SELECT pg_last_wal_replay_lsn(), prev_timeline_id, "
		"(extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000)::bigint "
		"FROM pg_control_checkpoint()";
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, e);
	int64_t timeline = 0;

	if (r == NULL)
		return -1;
	if (pg_cell(r, 0, 0))
		(void)manifest_lsn(pg_cell(r, 0, 0), &out->lsn);
	if (pg_cell_int(r, 0, 1, &timeline))
		out->timeline = (uint32_t)timeline;
	out->has_commit = pg_cell_int(r, 0, 2, &out->commit_ms);
	return 0;
}

static int list_databases(struct pg *pg, struct recovered *out, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg,
				    "SELECT datname, pg_database_size(oid) FROM pg_database "
				    "WHERE NOT datistemplate AND datallowconn ORDER BY 2 DESC, 1",
				    NULL, 0, e);
	int64_t bytes;

	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++) {
		strv_add(&out->databases, pg_cell(r, i, 0));
		if (pg_cell_int(r, i, 1, &bytes))
			out->bytes += bytes;
	}
	return out->databases.n
		       ? 0
		       : err_set(e, ERR_BACKUP, "look for databases: there is none to connect to");
}

int recovered_look(const struct cluster *c, struct recovered *out, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	PG_AUTO pg = { 0 };

	if (enter(c, cluster_database(c), &conninfo, &pg, e) < 0 ||
	    forget_libraries(&pg, out, e) < 0 || look_at_point(&pg, out, e) < 0)
		return -1;
	return list_databases(&pg, out, e);
}

int recovered_answer(const struct cluster *c, const struct recovered *r, struct err *e)
{
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	PG_AUTO pg = { 0 };

	if (enter(c, r->databases.v[0], &conninfo, &pg, e) < 0)
		return -1;
	return pg_run(&pg, "SELECT count(*) FROM pg_class", e);
}

/* Adds the collations of one database that are of another version here. -1: it could not be asked.
 */
static int differing(const struct cluster *c, const char *dbname, unsigned *n, struct buf *names,
		     struct err *e)
{
	static const char by_database[] =
		"SELECT 'the database''s own', datcollversion, "
		"pg_database_collation_actual_version(oid) FROM pg_database "
		"WHERE datname = current_database() AND datcollversion "
		"<> pg_database_collation_actual_version(oid) UNION ALL ";
	static const char by_collation[] =
		"SELECT collname, collversion, pg_collation_actual_version(oid) "
		"FROM pg_collation WHERE collversion <> pg_collation_actual_version(oid)";
	BUF_AUTO conninfo = BUF_INIT(CONNINFO_MAX);
	BUF_AUTO sql = BUF_INIT(2048);
	PGRESULT_AUTO *r = NULL;
	PG_AUTO pg = { 0 };

	buf_addf(&sql, "%s%s", c->opts.bin->major >= 15 ? by_database : "", by_collation);
	if (enter(c, dbname, &conninfo, &pg, e) == 0)
		r = pg_query(&pg, sql.s, NULL, 0, e);
	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++)
		if ((*n)++ < NAMED)
			buf_addf(names, "%s%s in %s (%s, here %s)", names->len ? ", " : "",
				 pg_cell(r, i, 0), dbname, pg_cell(r, i, 1), pg_cell(r, i, 2));
	return 0;
}

void recovered_say_collations(const struct cluster *c, const struct recovered *r, struct stage *st)
{
	BUF_AUTO names = BUF_INIT(1000);
	struct err e = { 0 };
	struct check check;
	unsigned n = 0;
	bool asked = true;

	for (size_t i = 0; asked && i < r->databases.n; i++)
		asked = differing(c, r->databases.v[i], &n, &names, &e) == 0;
	check_init(&check, "collation-versions", "");
	check_metric_int(&check, "differing", n, "");
	if (!asked)
		check_say(&check, V_UNKNOWN, "%s", e.msg);
	else if (n)
		check_say(
			&check, V_WARNING,
			"%u %s of another version here: indexes on text may give wrong answers on "
			"this machine, without being damaged: %s",
			n, n == 1 ? "collation is" : "collations are", names.s);
	else
		check_say(&check, V_OK, "collations are those of the backed-up server");
	stage_check(st, &check);
}

void recovered_free(struct recovered *r)
{
	strv_free(&r->databases);
}
