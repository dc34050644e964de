#ifndef TESTS_UNIT_PGSERVER_H
#define TESTS_UNIT_PGSERVER_H
/*
 * pgserver: real servers for a test, and the programs that belong to them.
 */
#include "lib/base/proc.h"
#include "lib/base/strv.h"
#include "lib/base/tmpdir.h"
#include "lib/pg/cluster.h"
#include "lib/pg/query.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

struct pgserver {
	struct pg_bindir bin;
	struct identity who;
	struct tmpdir dir;
	struct cluster c;
	char conninfo[PATH_MAX + 100];
};

/* False, with a line that says so, where no PostgreSQL is installed. */
static inline bool pgserver_installed(void)
{
	struct pg_bindir bin;
	struct identity who;
	struct err e = { 0 };

	if (identity_unprivileged(NULL, &who, &e) == 0 &&
	    pg_bindir_find(NULL, 0, &who, &bin, &e) == 0)
		return true;
	printf("skip - %s\n", e.msg);
	return false;
}

static inline void pgserver_start(struct pgserver *s)
{
	BUF_AUTO conninfo = BUF_INIT(sizeof(s->conninfo) - 1);
	struct err e = { 0 };

	*s = (struct pgserver){ 0 };
	ck_assert_int_eq(identity_unprivileged(NULL, &s->who, &e), 0);
	ck_assert_int_eq(pg_bindir_find(NULL, 0, &s->who, &s->bin, &e), 0);
	ck_assert_msg(tmpdir_create(&s->dir, NULL, "test", &s->who, &e) == 0, "%s", e.msg);
	s->c.opts = (struct cluster_opts){
		.bin = &s->bin, .as = &s->who, .dir = s->dir.path, .jobs = 2
	};
	ck_assert_msg(cluster_init(&s->c, &e) == 0, "%s", e.msg);
	ck_assert_msg(cluster_start(&s->c, 60, &e) == 0, "%s", e.msg);
	(void)snprintf(s->conninfo, sizeof(s->conninfo), "%s",
		       cluster_conninfo(&s->c, "postgres", &conninfo));
}

static inline void pgserver_stop(struct pgserver *s)
{
	struct err e = { 0 };

	(void)cluster_stop(&s->c, &e);
	ck_assert_int_eq(cluster_sweep(s->dir.path, &e), 0);
	ck_assert_int_eq(tmpdir_remove(&s->dir, &e), 0);
}

/* One value, or "" for none. Returns out. */
static inline const char *pgserver_ask(struct pgserver *s, const char *dbname, const char *sql,
				       char *out, size_t size)
{
	struct pg_target target = { .what = "it",
				    .conninfo = s->conninfo,
				    .dbname = dbname,
				    .env = PG_ENV_NONE,
				    .writable = true };
	struct err e = { 0 };
	PG_AUTO pg = { 0 };
	PGRESULT_AUTO *r = NULL;

	ck_assert_msg(pg_open(&pg, &target, &e) == 0, "%s", e.msg);
	r = pg_query(&pg, sql, NULL, 0, &e);
	ck_assert_msg(r != NULL, "%s: %s", sql, e.msg);
	(void)snprintf(out, size, "%s", PQntuples(r) && PQnfields(r) ? PQgetvalue(r, 0, 0) : "");
	return out;
}

static inline void pgserver_do(struct pgserver *s, const char *dbname, const char *sql)
{
	char none[8];

	(void)pgserver_ask(s, dbname, sql, none, sizeof(none));
}

/* Runs one of its programs, arguments up to NULL; it must succeed. */
static inline void pgserver_run(struct pgserver *s, const char *program, ...)
{
	BUF_AUTO out = BUF_INIT(16 * 1024);
	STRV_AUTO argv = { 0 };
	STRV_AUTO env = { 0 };
	struct proc p = { .as = &s->who, .cwd = s->dir.path };
	struct err e = { 0 };
	const char *a;
	va_list ap;
	int status;

	strv_addf(&argv, "%s/%s", s->bin.path, program);
	va_start(ap, program);
	while ((a = va_arg(ap, const char *)) != NULL)
		strv_add(&argv, a);
	va_end(ap);
	cluster_environment(&s->c, &env);
	strv_addf(&env, "PGHOST=%s", s->dir.path);
	strv_addf(&env, "PGUSER=%s", CLUSTER_USER);
	p.argv = argv.v;
	p.env = env.v;
	ck_assert_msg(proc_capture(&p, 120, &out, &status, &e) == 0, "%s", e.msg);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", program, out.s);
}
#endif
