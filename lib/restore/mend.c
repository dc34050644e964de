#include "lib/restore/mend.h"

#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"
#include "lib/restore/provide.h"

#include <string.h>

enum { NAME = 256 };

/* Makes it on a connection of its own, for the script may have become somebody who must not, or be
 * in a transaction. Closed at once: the script may drop that database next. */
static int make(struct session *s, int (*provide)(struct pg *, const char *, struct err *),
		const char *what, const char *name, struct err *e)
{
	struct pg_target target = session_target(s);
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

bool mend_missing(struct session *s, const PGresult *r, const char *sql)
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

/* In a transaction a failure would end it all: the roles that the statement names are made before.
 */
void mend_before(struct session *s, const char *sql)
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

bool mend_locale(const PGresult *r, const char *sql, struct buf *out)
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

bool mend_tablespace(struct session *s, uint64_t line, const char *sql)
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
