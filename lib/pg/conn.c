#include "lib/pg/conn.h"

#include "lib/base/buf.h"
#include "lib/base/strv.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CONNECT_S = 10,
	SILENCE_S = 60,  /* a peer that acknowledges nothing for so long is gone */
	IDLE_S = 10 * 60 /* an abandoned transaction must not hold back vacuum for ever */
};

/* Keywords and values side by side, in the form of PQconnectdbParams(). */
struct params {
	struct strv keys, values;
};

static void params_free(struct params *p)
{
	strv_free(&p->keys);
	strv_free(&p->values);
}

static bool has(const struct params *p, const char *key)
{
	return strv_has(&p->keys, key);
}

/* The last entry of a keyword wins in libpq, so that a later put overrides. */
static void put(struct params *p, const char *key, const char *value)
{
	strv_add(&p->keys, key);
	strv_add(&p->values, value);
}

static void put_int(struct params *p, const char *key, uint64_t value)
{
	strv_add(&p->keys, key);
	strv_addf(&p->values, "%llu", (unsigned long long)value);
}

/* Like libpq: what is neither a URI nor holds a '=' is the name of a database. */
static bool bare_name(const char *conninfo)
{
	return !strchr(conninfo, '=') && strncmp(conninfo, "postgresql://", 13) != 0 &&
	       strncmp(conninfo, "postgres://", 11) != 0;
}

/* We take the string apart and hand over keywords with expand_dbname=0, so that a database named
 * "host=elsewhere" stays a name. libpq's own words about a bad string quote pieces of it, perhaps
 * of the password: they are dropped. */
static int parse(const char *conninfo, struct params *p)
{
	PQconninfoOption *options;
	char *words = NULL;

	if (!conninfo || !*conninfo)
		return 0;
	if (bare_name(conninfo)) {
		put(p, "dbname", conninfo);
		return 0;
	}
	options = PQconninfoParse(conninfo, &words);
	PQfreemem(words);
	if (!options)
		return -1;
	for (const PQconninfoOption *o = options; o->keyword; o++)
		if (o->val && *o->val)
			put(p, o->keyword, o->val);
	PQconninfoFree(options);
	return 0;
}

static bool string_has(const char *conninfo, const char *key)
{
	__attribute__((cleanup(params_free))) struct params p = { 0 };

	return parse(conninfo, &p) == 0 && has(&p, key);
}

bool pg_has_password(const char *conninfo)
{
	return string_has(conninfo, "password") || string_has(conninfo, "sslpassword");
}

bool pg_names_database(const char *conninfo)
{
	return string_has(conninfo, "dbname") || string_has(conninfo, "service");
}

static int gather(const struct pg_target *t, struct params *p, struct err *e)
{
	if (parse(t->conninfo, p) < 0)
		return err_set(e, ERR_USAGE,
			       "connect to %s: its connection string is neither key=value pairs "
			       "nor a postgresql:// URI; quote values that hold blanks",
			       t->what);
	if (has(p, "replication"))
		return err_set(e, ERR_USAGE,
			       "connect to %s: leave \"replication\" out of the "
			       "connection string",
			       t->what);
	if (t->dbname)
		put(p, "dbname", t->dbname);
	if (t->connect_s)
		put_int(p, "connect_timeout", t->connect_s);
	else if (!has(p, "connect_timeout") && !getenv("PGCONNECT_TIMEOUT"))
		put_int(p, "connect_timeout", CONNECT_S);
	if (!has(p, "tcp_user_timeout"))
		put_int(p, "tcp_user_timeout", SILENCE_S * 1000ULL);
	if (!has(p, "keepalives_idle"))
		put_int(p, "keepalives_idle", SILENCE_S / 2);
	if (!has(p, "keepalives_interval"))
		put_int(p, "keepalives_interval", SILENCE_S / 6);
	if (!has(p, "keepalives_count"))
		put_int(p, "keepalives_count", 3);
	put(p, "application_name", "backup-probes");
	if (!t->writable)
		put(p, "client_encoding", "UTF8");
	return 0;
}

static bool hidden(const char *variable, enum pg_env env)
{
	static const char *const address[] = { "PGHOST=", "PGHOSTADDR=", "PGPORT=", "PGDATABASE=",
					       "PGUSER=" };

	if (env == PG_ENV_NONE)
		return strncmp(variable, "PG", 2) == 0;
	for (size_t i = 0; env == PG_ENV_NO_ADDRESS && i < sizeof(address) / sizeof(*address); i++)
		if (strncmp(variable, address[i], strlen(address[i])) == 0)
			return true;
	return false;
}

/* libpq fills gaps from the environment and cannot be told not to: take the variables out of its
 * sight while it connects. No other thread of a tool looks at them. */
static void hide(enum pg_env env, struct strv *names, struct strv *values)
{
	for (char **v = environ; *v; v++) {
		const char *eq = strchr(*v, '=');

		if (!eq || !hidden(*v, env))
			continue;
		strv_addf(names, "%.*s", (int)(eq - *v), *v);
		strv_add(values, eq + 1);
	}
	for (size_t i = 0; i < names->n; i++)
		(void)unsetenv(names->v[i]);
}

static void unhide(const struct strv *names, const struct strv *values)
{
	for (size_t i = 0; i < names->n; i++)
		(void)setenv(names->v[i], values->v[i], 1);
}

static PGconn *dial(const struct params *p, enum pg_env env)
{
	STRV_AUTO names = { 0 };
	STRV_AUTO values = { 0 };
	PGconn *link;

	hide(env, &names, &values);
	link = PQconnectdbParams((const char *const *)p->keys.v, (const char *const *)p->values.v,
				 0);
	unhide(&names, &values);
	return link;
}

/* Warnings of a restored or foreign server are not ours to print. */
static void swallow(void *ctx, const PGresult *notice)
{
	(void)ctx;
	(void)notice;
}

static void name_place(struct pg *pg)
{
	const char *host = PQhost(pg->link), *port = PQport(pg->link), *db = PQdb(pg->link);

	if (!host || !*host)
		(void)snprintf(pg->where, sizeof(pg->where), "%s", pg->target.what);
	else if (*host == '/' || *host == '@')
		(void)snprintf(pg->where, sizeof(pg->where), "%s (%.80s on the socket in %.150s)",
			       pg->target.what, db ? db : "?", host);
	else
		(void)snprintf(pg->where, sizeof(pg->where), "%s (%.80s on %.150s:%s)",
			       pg->target.what, db ? db : "?", host, port ? port : "?");
}

static int refused(struct pg *pg, struct err *e)
{
	BUF_AUTO words = BUF_INIT(sizeof(e->msg) / 2);

	pg_words(&words, PQerrorMessage(pg->link), PQpass(pg->link));
	pg->why = pg_why_of_text(words.s);
	/* In any language: a password was asked for, and it went no further. */
	if (pg->why == PG_WHY_OTHER &&
	    (PQconnectionNeedsPassword(pg->link) || PQconnectionUsedPassword(pg->link)))
		pg->why = PG_WHY_AUTH;
	(void)err_set(e, ERR_REMOTE, "connect to %s: %s%s", pg->where, words.s,
		      pg_way_out(pg->why));
	PQfinish(pg->link);
	pg->link = NULL;
	return -1;
}

/* As pg_settings shows them; the limits come from the target. */
struct setting {
	const char *name;
	const char *value;
};

static const struct setting fixed[] = {
	{ "default_transaction_read_only", "on" },
	{ "search_path", "pg_catalog" },
	{ "row_security", "off" },
	{ "TimeZone", "UTC" },
	{ "DateStyle", "ISO, YMD" },
	{ "IntervalStyle", "postgres" },
	{ "extra_float_digits", "1" },
	{ "bytea_output", "hex" },
	{ "lc_monetary", "C" },
	{ "xmlbinary", "base64" },
	{ "standard_conforming_strings", "on" },
};

enum { FIXED = sizeof(fixed) / sizeof(fixed[0]), LIMITS = 3, SETTINGS = FIXED + LIMITS };

static void settings(const struct pg_target *t, struct setting out[SETTINGS], char text[LIMITS][24])
{
	static const char *const names[LIMITS] = { "statement_timeout", "lock_timeout",
						   "idle_in_transaction_session_timeout" };
	const uint64_t limit_s[LIMITS] = { t->statement_s, t->lock_s, IDLE_S };

	memcpy(out, fixed, sizeof(fixed));
	for (size_t i = 0; i < LIMITS; i++) {
		uint64_t s = limit_s[i] < INT_MAX / 1000 ? limit_s[i] : INT_MAX / 1000;

		(void)snprintf(text[i], sizeof(text[i]), "%llu", (unsigned long long)s * 1000);
		out[FIXED + i] = (struct setting){ names[i], text[i] };
	}
}

/* SET is a utility statement: it looks up no function that a hostile schema could offer. */
static int apply_settings(struct pg *pg, const struct setting set[SETTINGS], struct err *e)
{
	const char *encoding = PQparameterStatus(pg->link, "server_encoding");
	BUF_AUTO sql = BUF_INIT(4096);

	for (size_t i = 0; i < SETTINGS; i++)
		buf_addf(&sql, "SET %s = '%s';", set[i].name, set[i].value);
	/* A tool that is killed must not leave its query running (14 and later). */
	if (PQserverVersion(pg->link) >= 140000)
		buf_adds(&sql, "SET client_connection_check_interval = '10s';");
	if (encoding && strcmp(encoding, "SQL_ASCII") == 0)
		buf_adds(&sql, "SET client_encoding = 'SQL_ASCII';");
	/* The role's or the database's own limit holds until a statement has lifted it. */
	if (pg_run(pg, "SET statement_timeout = 0", e) < 0)
		return -1;
	return pg_run(pg, sql.s, e);
}

static const char *shown(const PGresult *r, const char *name)
{
	for (int i = 0; i < PQntuples(r); i++)
		if (strcmp(PQgetvalue(r, i, 0), name) == 0)
			return PQgetvalue(r, i, 1);
	return "";
}

static int verify_settings(struct pg *pg, const struct setting set[SETTINGS], struct err *e)
{
	PGRESULT_AUTO *r =
		pg_query(pg, "SELECT name, setting FROM pg_catalog.pg_settings", NULL, 0, e);

	if (!r)
		return -1;
	for (size_t i = 0; i < SETTINGS; i++)
		if (strcmp(shown(r, set[i].name), set[i].value) != 0)
			return err_set(e, ERR_REMOTE,
				       "connect to %s: its setting %s stays \"%s\", \"%s\" is "
				       "needed; connect to the server itself, not through a pooler",
				       pg->where, set[i].name, shown(r, set[i].name), set[i].value);
	return 0;
}

static int read_identity(struct pg *pg, struct err *e)
{
	PGRESULT_AUTO *r = pg_query(pg,
				    "SELECT pg_catalog.pg_is_in_recovery(),"
				    " pg_catalog.pg_postmaster_start_time()::text",
				    NULL, 0, e);

	if (!r)
		return -1;
	pg->standby = PQgetvalue(r, 0, 0)[0] == 't';
	(void)snprintf(pg->started, sizeof(pg->started), "%s", PQgetvalue(r, 0, 1));
	return 0;
}

static int settle(struct pg *pg, struct err *e)
{
	struct setting set[SETTINGS];
	char text[LIMITS][24];

	settings(&pg->target, set, text);
	if (apply_settings(pg, set, e) == 0 && verify_settings(pg, set, e) == 0 &&
	    read_identity(pg, e) == 0)
		return 0;
	pg_close(pg);
	return -1;
}

int pg_open(struct pg *pg, const struct pg_target *target, struct err *e)
{
	__attribute__((cleanup(params_free))) struct params p = { 0 };

	*pg = (struct pg){ .target = *target, .why = PG_WHY_OTHER };
	if (gather(target, &p, e) < 0)
		return -1;
	pg->link = dial(&p, target->env);
	if (!pg->link)
		return err_set(e, ERR_SYSTEM, "connect to %s: out of memory", target->what);
	name_place(pg);
	if (PQstatus(pg->link) != CONNECTION_OK)
		return refused(pg, e);
	(void)PQsetNoticeReceiver(pg->link, swallow, NULL);
	pg->why = PG_WHY_NONE;
	return target->writable ? 0 : settle(pg, e);
}

void pg_close(struct pg *pg)
{
	PQclear(pg->held);
	pg->held = NULL;
	PQfinish(pg->link);
	pg->link = NULL;
}

bool pg_same_database(const struct pg *a, const struct pg *b)
{
	return *a->started && strcmp(a->started, b->started) == 0 &&
	       strcmp(PQdb(a->link), PQdb(b->link)) == 0;
}
