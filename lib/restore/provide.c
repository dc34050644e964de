#include "lib/restore/provide.h"

#include "lib/base/buf.h"
#include "lib/pg/query.h"

enum { SQL_MAX = 1024 };

/* 1: there is such a row. */
static int there(struct pg *pg, const char *query, const char *name, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg, query, &name, 1, e);

	return r ? PQntuples(r) > 0 : -1;
}

static int make(struct pg *pg, const char *before, const char *name, const char *after,
		struct err *e)
{
	BUF_AUTO sql = BUF_INIT(SQL_MAX);

	buf_adds(&sql, before);
	if (pg_quote(pg, NULL, name, &sql, e) < 0)
		return -1;
	buf_adds(&sql, after);
	if (sql.full)
		return err_set(e, ERR_BACKUP, "make %.80s: its name is too long", name);
	return pg_run(pg, sql.s, e) < 0 ? -1 : 1;
}

static int role(struct pg *pg, const char *name, const char *with, struct err *e)
{
	int r = there(pg, "SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", name, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	return make(pg, "CREATE ROLE ", name, with, e);
}

int provide_role(struct pg *pg, const char *name, struct err *e)
{
	return role(pg, name, " NOLOGIN", e);
}

int provide_author(struct pg *pg, const char *name, struct err *e)
{
	return role(pg, name, " NOLOGIN SUPERUSER", e);
}

int provide_tablespace(struct pg *pg, const char *name, struct err *e)
{
	int r = there(pg, "SELECT FROM pg_catalog.pg_tablespace WHERE spcname = $1", name, e);

	if (r != 0)
		return r < 0 ? -1 : 0;
	if (pg_run(pg, "SET allow_in_place_tablespaces = on", e) < 0)
		return -1;
	return make(pg, "CREATE TABLESPACE ", name, " LOCATION ''", e);
}
