#include "lib/restore/mishap.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/base/xmem.h"
#include "lib/dump/sqllex.h"
#include "lib/dump/sqlstmt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Statements that carry rows of people's data, or passwords: of roles, user mappings,
 * subscriptions, foreign servers, and settings of databases. */
static bool may_be_secret(const char *statement)
{
	static const char *const rows[] = { "insert", "update", "delete", "select", "with",
					    "values", "merge",  "call",   "do",     "execute" };
	static const char *const about[] = { "role",     "user",   "group",  "subscription",
					     "database", "server", "foreign" };
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(statement);

	(void)sqllex_meaning(&lx, statement, n, &t);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sql_is(statement, &t, rows[i]))
			return true;
	if (!sql_is(statement, &t, "create") && !sql_is(statement, &t, "alter"))
		return false;
	(void)sqllex_meaning(&lx, statement, n, &t);
	for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
		if (sql_is(statement, &t, about[i]))
			return true;
	return false;
}

static void quote(char *out, size_t size, const char *text, size_t n)
{
	BUF_AUTO b = BUF_INIT(size * 4), whole = BUF_INIT(size);

	buf_add(&whole, text, n < size - 1 ? n : size - 1);
	for (char *p = whole.s; *p; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	text_safe(&b, whole.s);
	(void)snprintf(out, size, "%s", b.s);
}

static void quote_statement(char out[MISHAP_STATEMENT], const char *statement)
{
	enum { BEGINNING = 64 * 1024 }; /* of a statement; what is shown is shorter */
	BUF_AUTO b = BUF_INIT(BEGINNING);
	struct sqllex lx = { 0 };
	struct sql_token t;
	size_t n = strlen(statement), at = 0;

	if (!may_be_secret(statement)) {
		quote(out, MISHAP_STATEMENT, statement, n);
		return;
	}
	while (b.len < MISHAP_STATEMENT &&
	       sqllex_next(&lx, statement, n, true, &t) > SQL_UNCLOSED) {
		if (t.kind != SQL_STRING && t.kind != SQL_NUMBER)
			continue;
		buf_add(&b, statement + at, t.at - at);
		buf_adds(&b, "***");
		at = t.at + t.n;
	}
	if (!b.full)
		buf_add(&b, statement + at, lx.at - at);
	quote(out, MISHAP_STATEMENT, b.s, b.len);
}

/* The place for one more of this kind: the last of too many goes. NULL: it would be that one. */
static struct mishap *make_room(struct mishaps *l, enum mishap_kind kind, uint64_t line)
{
	size_t kept = 0, last = 0, at;

	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].kind == kind) {
			kept++;
			last = i;
		}
	}
	if (kept >= MISHAP_KEPT) {
		if (l->v[last].line <= line)
			return NULL;
		l->n--;
		memmove(&l->v[last], &l->v[last + 1], (l->n - last) * sizeof(*l->v));
	}
	for (at = l->n; at > 0 && l->v[at - 1].line > line; at--)
		l->v[at] = l->v[at - 1];
	l->n++;
	return &l->v[at];
}

void mishaps_add(struct mishaps *l, enum mishap_kind kind, uint64_t line, const char *sqlstate,
		 const char *message, const char *statement, const char *why)
{
	struct mishap *m = make_room(l, kind, line);

	l->count[kind]++;
	if (m == NULL)
		return;
	*m = (struct mishap){ .kind = kind, .line = line, .why = why };
	(void)snprintf(m->sqlstate, sizeof(m->sqlstate), "%s", sqlstate);
	quote(m->message, sizeof(m->message), message, strlen(message));
	quote_statement(m->statement, statement);
}

void mishaps_merge(struct mishaps *l, const struct mishaps *part)
{
	for (size_t i = 0; i < part->n; i++) {
		struct mishap *m = make_room(l, part->v[i].kind, part->v[i].line);

		if (m)
			*m = part->v[i];
	}
	for (int k = 0; k < MISHAP_KINDS; k++)
		l->count[k] += part->count[k];
}

void mishaps_free(struct mishaps *l)
{
	free(l->v);
	*l = (struct mishaps){ 0 };
}
