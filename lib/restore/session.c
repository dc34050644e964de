#include "lib/restore/session.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/sqlstmt.h"
#include "lib/pg/query.h"
#include "lib/restore/harmless.h"
#include "lib/restore/mend.h"
#include "lib/restore/outside.h"

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

static enum mishap_kind kind_of(const struct session *s, const char *state)
{
	return s->left_out && harmless_undefined(state) ? MISHAP_SKIPPED : MISHAP_FAILED;
}

static int note(struct session *s, uint64_t line, const PGresult *r, const char *sql, struct err *e)
{
	BUF_AUTO words = BUF_INIT(MISHAP_MESSAGE * 4);
	const char *why;

	if (check_alive(s, line, r, e) < 0)
		return -1;
	words_of(s, r, &words);
	why = harmless(state_of(r), words.s, sql);
	mishaps_add(s->mishaps, why ? MISHAP_HARMLESS : kind_of(s, state_of(r)), line, state_of(r),
		    words.s, sql, why);
	return 0;
}

struct pg_target session_target(const struct session *s)
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
	struct pg_target target = session_target(s);
	struct err why = { 0 };
	char sql[NAME + 16];

	pg_close(&s->db);
	s->copying = s->started = false;
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

static bool succeeded(const PGresult *r)
{
	ExecStatusType k = PQresultStatus(r);

	return k == PGRES_COMMAND_OK || k == PGRES_TUPLES_OK || k == PGRES_EMPTY_QUERY;
}

static bool deadlocked(const PGresult *r)
{
	return strcmp(state_of(r), "40P01") == 0;
}

/* Again, as long as what was missing could be made, or two sessions stood in each other's way. NULL
 * with *e: -1. */
static PGresult *run(struct session *s, const char *sql, struct err *e)
{
	PGresult *r;

	mend_before(s, sql);
	r = PQexec(s->db.link, sql);

	for (int i = 0; i < TRIES && r && PQresultStatus(r) == PGRES_FATAL_ERROR; i++) {
		if (!deadlocked(r) && !mend_missing(s, r, sql))
			break;
		PQclear(r);
		r = PQexec(s->db.link, sql);
	}
	if (r == NULL)
		(void)err_set(e, ERR_SYSTEM, "run a statement in the temporary server: %s",
			      PQerrorMessage(s->db.link));
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

/* CREATE EXTENSION, and what is said about one that is left out. */
static bool leave_out(struct session *s, uint64_t line, const char *sql)
{
	AUTO_FREE char *what = NULL;
	char name[NAME];

	if (s->left_out == NULL || !sqlstmt_extension(sql, strlen(sql), name, sizeof(name)) ||
	    !strv_has(s->left_out, name))
		return false;
	what = xasprintf("extension %s", name);
	mishaps_add(s->mishaps, MISHAP_SKIPPED, line, "", what, sql, NULL);
	return true;
}

/* 1: made with another locale; 0: that was not it; -1. */
static int try_without_locale(struct session *s, uint64_t line, const PGresult *r, const char *sql,
			      struct err *e)
{
	BUF_AUTO other = BUF_INIT(16 * 1024);
	PGRESULT_AUTO *again = NULL;

	if (!mend_locale(r, sql, &other))
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

	if (s->db.link == NULL || refuse(s, line, sql) || leave_out(s, line, sql) ||
	    mend_tablespace(s, line, sql))
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

static bool obeyed(const struct session *s, const char *sql)
{
	PGRESULT_AUTO *r = PQexec(s->db.link, sql);

	return succeeded(r);
}

/* What was written into a table since it was made or emptied in the same transaction needs no WAL:
 * so an empty one is emptied again. It is locked before it is looked at: another session may be
 * about to fill it. Where that is not possible, COPY goes on without. */
static void begin_ours(struct session *s, const char *copy)
{
	BUF_AUTO sql = BUF_INIT(8 * NAME);
	PGRESULT_AUTO *r = NULL;
	char table[2 * NAME];

	if (PQtransactionStatus(s->db.link) != PQTRANS_IDLE ||
	    !sqlstmt_copy_target(copy, strlen(copy), table, sizeof(table)))
		return;
	buf_addf(&sql, "BEGIN; LOCK TABLE ONLY %s; SELECT FROM ONLY %s LIMIT 1", table, table);
	r = PQexec(s->db.link, sql.s);
	s->in_ours = PQresultStatus(r) == PGRES_TUPLES_OK && PQntuples(r) == 0;
	buf_reset(&sql);
	buf_addf(&sql, "TRUNCATE TABLE ONLY %s", table);
	if (s->in_ours)
		s->in_ours = obeyed(s, sql.s);
	if (!s->in_ours)
		(void)obeyed(s, "ROLLBACK");
}

static void end_ours(struct session *s, bool good)
{
	if (s->in_ours)
		(void)obeyed(s, good ? "COMMIT" : "ROLLBACK");
	s->in_ours = false;
}

static int put(const struct session *s, const char *p, size_t n, struct err *e)
{
	while (n > 0) {
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

/* Now it is known whether there is much data. */
static int copy_start(struct session *s, bool much, struct err *e)
{
	PGRESULT_AUTO *r = NULL;

	if (much)
		begin_ours(s, s->copy);
	r = run(s, s->copy, e);
	if (r == NULL)
		return -1;
	s->started = PQresultStatus(r) == PGRES_COPY_IN;
	if (s->started)
		return put(s, s->early.s, s->early.len, e);
	s->copying = false;
	end_ours(s, false);
	return note(s, s->copy_line, r, s->copy, e);
}

void session_copy_begin(struct session *s, uint64_t line, const char *sql)
{
	s->copying = s->started = false;
	if (s->db.link == NULL || refuse(s, line, sql))
		return;
	free(s->copy);
	s->copy = xstrdup(sql);
	s->copy_line = line;
	s->copying = true;
	buf_reset(&s->early);
}

int session_copy_put(struct session *s, const char *p, size_t n, struct err *e)
{
	if (s->copying && !s->started) {
		if (n <= s->early.max - s->early.len) {
			buf_add(&s->early, p, n);
			return 0;
		}
		if (copy_start(s, true, e) < 0)
			return -1;
	}
	return s->started ? put(s, p, n, e) : 0;
}

int session_copy_end(struct session *s, struct err *e)
{
	bool good = true;
	PGresult *r;
	int result = 0;

	if (s->copying && !s->started && copy_start(s, false, e) < 0)
		return -1;
	if (!s->copying)
		return 0;
	s->copying = s->started = false;
	if (PQputCopyEnd(s->db.link, NULL) != 1)
		return check_alive(s, s->copy_line, NULL, e);
	while ((r = PQgetResult(s->db.link)) != NULL) {
		if (succeeded(r))
			s->rows += strtoull(PQcmdTuples(r), NULL, 10);
		else if (result == 0)
			result = note(s, s->copy_line, r, s->copy, e);
		good &= succeeded(r);
		PQclear(r);
	}
	end_ours(s, good);
	return result < 0 ? -1 : check_alive(s, s->copy_line, NULL, e);
}

void session_copy_drop(struct session *s)
{
	PGresult *r;

	if (s->started && PQputCopyEnd(s->db.link, "the rest of it is missing") == 1)
		while ((r = PQgetResult(s->db.link)) != NULL)
			PQclear(r);
	s->copying = s->started = false;
	end_ours(s, false);
}

void session_repeat(struct session *s, const char *sql)
{
	(void)obeyed(s, sql);
}

bool session_in_transaction(const struct session *s)
{
	return s->db.link && PQtransactionStatus(s->db.link) != PQTRANS_IDLE;
}

void session_close(struct session *s)
{
	pg_close(&s->db);
	strv_free(&s->known);
	buf_free(&s->early);
	free(s->copy);
	s->copy = NULL;
}
