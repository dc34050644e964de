#include "lib/restore/session.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"
#include "lib/pg/query.h"
#include "lib/restore/harmless.h"
#include "lib/restore/outside.h"
#include "lib/restore/provide.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { NAME = 256, TRIES = 100 };

/* Appendix A of PostgreSQL's documentation: states after which no further statement can succeed. */
static const struct {
	const char *sqlstate, *what;
} last_words[] = {
	{ "53100", "its disk is full; give more space" },
	{ "53200", "it is out of memory" },
	{ "53300", "it takes no more connections" },
	{ "57P01", "it was shut down" },
	{ "57P02", "it crashed" },
	{ "57P03", "it is not running" },
	{ "58030", "it cannot read or write its disk" },
};

static const char *state_of(const PGresult *r)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;

	return state ? state : "";
}

/* The first line of what the server says, and where in the data: "COPY users, line 7". The rest of
 * the context quotes the data itself. */
static void words_of(const struct session *s, const PGresult *r, struct buf *out)
{
	const char *message = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *context = r ? PQresultErrorField(r, PG_DIAG_CONTEXT) : NULL;
	const char *comma;

	buf_adds(out, message ? message : PQerrorMessage(s->db.link));
	if (context == NULL || strncmp(context, "COPY ", 5) != 0)
		return;
	comma = strstr(context, ", line ");
	if (comma)
		buf_addf(out, " (%.*s)",
			 (int)(comma + 7 + strspn(comma + 7, "0123456789") - context), context);
}

/* -1 when this was the server's end, not the statement's. */
static int check_alive(const struct session *s, uint64_t line, const PGresult *r, struct err *e)
{
	const char *state = state_of(r);

	for (size_t i = 0; i < sizeof(last_words) / sizeof(last_words[0]); i++)
		if (strcmp(state, last_words[i].sqlstate) == 0)
			return err_set(e, ERR_SYSTEM,
				       "restore line %" PRIu64 " into the temporary server: %s",
				       line, last_words[i].what);
	if (PQstatus(s->db.link) == CONNECTION_OK)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "restore line %" PRIu64 " into the temporary server: the connection is lost",
		       line);
}

static int note(struct session *s, uint64_t line, const PGresult *r, const char *sql, struct err *e)
{
	BUF_AUTO words = BUF_INIT(MISHAP_MESSAGE * 4);
	const char *why;

	if (check_alive(s, line, r, e) < 0)
		return -1;
	words_of(s, r, &words);
	why = harmless(state_of(r), words.s, sql);
	mishaps_add(s->mishaps, why ? MISHAP_HARMLESS : MISHAP_FAILED, line, state_of(r), words.s,
		    sql, why);
	return 0;
}

static struct pg_target target_of(const struct session *s)
{
	return (struct pg_target){
		.what = "the temporary server",
		.conninfo = s->conninfo,
		.dbname = s->dbname,
		.env = PG_ENV_NONE,
		.writable = true,
	};
}

int session_connect(struct session *s, uint64_t line, const char *dbname, struct err *e)
{
	struct pg_target target = target_of(s);
	struct err why = { 0 };
	char sql[NAME + 16];

	pg_close(&s->db);
	s->copying = false;
	if (snprintf(s->dbname, sizeof(s->dbname), "%s", dbname) >= (int)sizeof(s->dbname))
		return err_set(e, ERR_BACKUP,
			       "restore line %" PRIu64 ": no database has such a name", line);
	if (pg_open(&s->db, &target, &why) == 0)
		return 0;
	pg_close(&s->db);
	if (s->db.why != PG_WHY_NO_DATABASE) {
		*e = why;
		return -1;
	}
	(void)snprintf(sql, sizeof(sql), "\\connect %s", s->dbname);
	mishaps_add(s->mishaps, MISHAP_FAILED, line, s->db.sqlstate, why.msg, sql, NULL);
	return 0;
}

/* Makes it on a connection of its own, for the script may have become somebody who must not, or be
 * in a transaction. Closed at once: the script may drop that database next. */
static int make(const struct session *s, int (*provide)(struct pg *, const char *, struct err *),
		const char *what, const char *name, struct err *e)
{
	struct pg_target target = target_of(s);
	PG_AUTO pg = { 0 };
	int made;

	if (pg_open(&pg, &target, e) < 0)
		return -1;
	made = provide(&pg, name, e);
	if (made > 0)
		strv_addf(s->made, "%s %s", what, name);
	return made;
}

/* The name in a message like: role "alice" does not exist */
static bool named(const char *message, const char *before, const char *after, char out[NAME])
{
	size_t b = strlen(before), a = strlen(after), n = strlen(message);

	if (n <= a + b || n - a - b >= NAME || strncmp(message, before, b) != 0 ||
	    strcmp(message + n - a, after) != 0)
		return false;
	memcpy(out, message + b, n - a - b);
	out[n - a - b] = '\0';
	return true;
}

static bool becomes(const char *sql)
{
	char words[32];

	return strcmp(sqlstmt_words(sql, strlen(sql), words, sizeof(words)),
		      "set session authorization") == 0;
}

/* Was a role or a tablespace missing, and is it there now? */
static bool provide(const struct session *s, const PGresult *r, const char *sql)
{
	const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
	struct err e = { 0 };
	char name[NAME];

	if (message == NULL || PQtransactionStatus(s->db.link) != PQTRANS_IDLE)
		return false;
	if (named(message, "role \"", "\" does not exist", name))
		return !s->roles_expected &&
		       make(s, becomes(sql) ? provide_author : provide_role, "role", name, &e) > 0;
	if (named(message, "tablespace \"", "\" does not exist", name) ||
	    (detail && named(detail, "Tablespace \"", "\" does not exist.", name)))
		return make(s, provide_tablespace, "tablespace", name, &e) > 0;
	return false;
}

/* CREATE DATABASE with a locale that this machine does not have: the same without it. */
static bool without_locale(const PGresult *r, const char *sql, struct buf *out)
{
	static const char *const options[] = { "locale",          "lc_collate", "lc_ctype",
					       "locale_provider", "icu_locale", "builtin_locale" };
	const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(sql), from = 0;
	char words[32];
	bool is_option;

	if (strcmp(sqlstmt_words(sql, n, words, sizeof(words)), "create database") != 0 &&
	    strncmp(words, "create database ", 16) != 0)
		return false;
	if (message == NULL || strstr(message, "locale") == NULL)
		return false;
	while (sqllex_meaning(&lx, sql, n, &t) > SQL_UNCLOSED) {
		is_option = false;
		for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
			is_option |= sql_is(sql, &t, options[i]);
		if (!is_option)
			continue;
		buf_add(out, sql + from, t.at - from);
		if (sqllex_meaning(&lx, sql, n, &t) == SQL_CHAR) /* = */
			(void)sqllex_meaning(&lx, sql, n, &t);
		from = t.at + t.n;
	}
	buf_add(out, sql + from, n - from);
	/* The server's own is for UTF8 only; "C" goes with every encoding. */
	if (strstr(sql, "'UTF8'") == NULL)
		buf_adds(out, " LC_COLLATE 'C' LC_CTYPE 'C'");
	return from > 0 && !out->full;
}

static bool succeeded(const PGresult *r)
{
	ExecStatusType k = PQresultStatus(r);

	return k == PGRES_COMMAND_OK || k == PGRES_TUPLES_OK || k == PGRES_EMPTY_QUERY;
}

/* In a transaction a failure would end it all: the roles that the statement names are made before.
 */
static void provide_before(struct session *s, const char *sql)
{
	static const char *const with_roles[] = { "alter", "grant", "revoke", "create", "set" };
	STRV_AUTO roles = { 0 };
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(sql);
	struct err e = { 0 };
	bool may = false;

	(void)sqllex_meaning(&lx, sql, n, &t);
	for (size_t i = 0; i < sizeof(with_roles) / sizeof(with_roles[0]); i++)
		may |= sql_is(sql, &t, with_roles[i]);
	if (!may || s->roles_expected || PQtransactionStatus(s->db.link) != PQTRANS_INTRANS)
		return;
	sqlstmt_roles(sql, n, &roles);
	for (size_t i = 0; i < roles.n; i++) {
		if (strv_has(&s->known, roles.v[i]))
			continue;
		if (make(s, becomes(sql) ? provide_author : provide_role, "role", roles.v[i], &e) >=
		    0)
			strv_add(&s->known, roles.v[i]);
	}
}

/* Again, as long as what was missing could be made. NULL with *e: -1. */
static PGresult *run(struct session *s, const char *sql, struct err *e)
{
	PGresult *r;

	provide_before(s, sql);
	r = PQexec(s->db.link, sql);

	for (int i = 0; i < TRIES && r && PQresultStatus(r) == PGRES_FATAL_ERROR; i++) {
		if (!provide(s, r, sql))
			break;
		PQclear(r);
		r = PQexec(s->db.link, sql);
	}
	if (r == NULL)
		(void)err_set(e, ERR_SYSTEM, "run a statement: %s", PQerrorMessage(s->db.link));
	return r;
}

/* A statement that turned out to be COPY after all: data is neither there nor wanted. */
static void abandon_copy(struct session *s, const PGresult *r)
{
	PGresult *more;
	char *data;

	if (PQresultStatus(r) == PGRES_COPY_IN)
		(void)PQputCopyEnd(s->db.link, "no data follows");
	else
		while (PQgetCopyData(s->db.link, &data, 0) > 0)
			PQfreemem(data);
	while ((more = PQgetResult(s->db.link)) != NULL)
		PQclear(more);
}

static bool refuse(struct session *s, uint64_t line, const char *sql)
{
	const char *why = outside(sql, strlen(sql));

	if (why)
		mishaps_add(s->mishaps, MISHAP_REFUSED, line, "", "refused", sql, why);
	return why != NULL;
}

/* CREATE TABLESPACE name [OWNER role] LOCATION 'directory': inside the data directory instead. */
static bool make_tablespace(struct session *s, uint64_t line, const char *sql)
{
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(sql);
	struct err e = { 0 };
	char name[NAME];

	if (sqllex_meaning(&lx, sql, n, &t) != SQL_WORD || !sql_is(sql, &t, "create") ||
	    sqllex_meaning(&lx, sql, n, &t) != SQL_WORD || !sql_is(sql, &t, "tablespace"))
		return false;
	(void)sqllex_meaning(&lx, sql, n, &t);
	if (!sql_value(sql, &t, name, sizeof(name)))
		return false;
	if (make(s, provide_tablespace, "tablespace", name, &e) < 0)
		mishaps_add(s->mishaps, MISHAP_HARMLESS, line, "", e.msg, sql,
			    "the objects go into the default tablespace");
	return true;
}

/* 1: made with another locale; 0: that was not it; -1. */
static int try_without_locale(struct session *s, uint64_t line, const PGresult *r, const char *sql,
			      struct err *e)
{
	BUF_AUTO other = BUF_INIT(16 * 1024);
	PGRESULT_AUTO *again = NULL;

	if (!without_locale(r, sql, &other))
		return 0;
	again = run(s, other.s, e);
	if (again == NULL)
		return -1;
	if (!succeeded(again))
		return 0;
	mishaps_add(s->mishaps, MISHAP_HARMLESS, line, state_of(r),
		    PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), sql,
		    "its locale is not installed here: made with another one, which sorts "
		    "differently");
	return 1;
}

int session_run(struct session *s, uint64_t line, const char *sql, struct err *e)
{
	PGRESULT_AUTO *r = NULL;
	int made;

	if (s->db.link == NULL || refuse(s, line, sql) || make_tablespace(s, line, sql))
		return 0;
	r = run(s, sql, e);
	if (r == NULL)
		return -1;
	if (succeeded(r))
		return 0;
	if (PQresultStatus(r) == PGRES_COPY_IN || PQresultStatus(r) == PGRES_COPY_OUT) {
		abandon_copy(s, r);
		mishaps_add(s->mishaps, MISHAP_FAILED, line, "", "COPY without its data", sql,
			    NULL);
		return 0;
	}
	made = try_without_locale(s, line, r, sql, e);
	return made ? (made > 0 ? 0 : -1) : note(s, line, r, sql, e);
}

int session_copy_begin(struct session *s, uint64_t line, const char *sql, struct err *e)
{
	PGRESULT_AUTO *r = NULL;

	s->copying = false;
	if (s->db.link == NULL || refuse(s, line, sql))
		return 0;
	r = run(s, sql, e);
	if (r == NULL)
		return -1;
	if (PQresultStatus(r) != PGRES_COPY_IN)
		return note(s, line, r, sql, e);
	free(s->copy);
	s->copy = xstrdup(sql);
	s->copy_line = line;
	s->copying = true;
	return 0;
}

int session_copy_put(struct session *s, const char *p, size_t n, struct err *e)
{
	while (s->copying && n > 0) {
		int k = n > INT_MAX ? INT_MAX : (int)n;

		if (PQputCopyData(s->db.link, p, k) != 1)
			return err_set(e, ERR_SYSTEM,
				       "restore the data of line %" PRIu64
				       " into the temporary server: the connection is lost",
				       s->copy_line);
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int session_copy_end(struct session *s, struct err *e)
{
	PGresult *r;
	int result = 0;

	if (!s->copying)
		return 0;
	s->copying = false;
	if (PQputCopyEnd(s->db.link, NULL) != 1)
		return check_alive(s, s->copy_line, NULL, e);
	while ((r = PQgetResult(s->db.link)) != NULL) {
		if (succeeded(r))
			s->rows += strtoull(PQcmdTuples(r), NULL, 10);
		else if (result == 0)
			result = note(s, s->copy_line, r, s->copy, e);
		PQclear(r);
	}
	return result < 0 ? -1 : check_alive(s, s->copy_line, NULL, e);
}

bool session_in_transaction(const struct session *s)
{
	return s->db.link && PQtransactionStatus(s->db.link) != PQTRANS_IDLE;
}

void session_close(struct session *s)
{
	pg_close(&s->db);
	strv_free(&s->known);
	free(s->copy);
	s->copy = NULL;
}
