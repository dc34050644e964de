#include "lib/restore/outside.h"

#include "lib/dump/sqlscan.h"
#include "lib/dump/sqlwords.h"

#include <stdbool.h>
#include <string.h>

#define PROGRAM "runs a program on the server"
#define FILES "reads or writes a file of the server"
#define CONNECTS "connects to another server"
#define SETTINGS "changes the server's settings"

/* COPY ... FROM or TO, outside parentheses, is followed by STDIN, STDOUT, PROGRAM or a file. */
static const char *copy(struct sqlwords *w)
{
	unsigned parens = 0;
	bool way = false;

	while (sqlwords_next(w)) {
		char c = w->t.kind == SQL_CHAR ? w->text[w->t.at] : '\0';

		if (way && sqlwords_is(w, "program"))
			return PROGRAM;
		if (way && w->t.kind == SQL_STRING)
			return FILES;
		parens += c == '(';
		parens -= c == ')' && parens;
		way = parens == 0 && (sqlwords_is(w, "from") || sqlwords_is(w, "to"));
	}
	return NULL;
}

/* pg_dump writes subscriptions with connect = false: such a one does nothing by itself. */
static const char *create_subscription(struct sqlwords *w)
{
	while (sqlwords_next(w)) {
		if (!sqlwords_is(w, "connect"))
			continue;
		if (sqlwords_next(w) && sqlwords_char(w, '=') && sqlwords_next(w) &&
		    sqlwords_is(w, "false"))
			return NULL;
	}
	return CONNECTS;
}

/* Renaming one, or giving it to somebody else, is all that a dump does. */
static const char *alter_subscription(struct sqlwords *w)
{
	(void)sqlwords_next(w); /* its name */
	if (sqlwords_next(w) && (sqlwords_is(w, "owner") || sqlwords_is(w, "rename")))
		return NULL;
	return CONNECTS;
}

static const struct {
	const char *function, *does;
} calls[] = {
	{ "pg_read_file", FILES },
	{ "pg_read_binary_file", FILES },
	{ "pg_ls_dir", FILES },
	{ "pg_stat_file", FILES },
	{ "pg_file_write", FILES },
	{ "pg_file_rename", FILES },
	{ "pg_file_unlink", FILES },
	{ "lo_import", FILES },
	{ "lo_export", FILES },
	{ "dblink", CONNECTS },
	{ "dblink_connect", CONNECTS },
	{ "dblink_connect_u", CONNECTS },
	{ "dblink_exec", CONNECTS },
	{ "dblink_open", CONNECTS },
	{ "dblink_send_query", CONNECTS },
	{ "http", CONNECTS },
	{ "http_get", CONNECTS },
	{ "http_post", CONNECTS },
	{ "pg_reload_conf", SETTINGS },
};

/* Of the token, when a parenthesis follows it. */
static const char *called(struct sqlwords *w)
{
	const char *does = NULL;
	char name[64];

	if ((w->t.kind != SQL_WORD && w->t.kind != SQL_NAME) ||
	    !sql_value(w->text, &w->t, name, sizeof(name)))
		return NULL;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(name, calls[i].function) == 0)
			does = calls[i].does;
	return does && sqlwords_next(w) && sqlwords_char(w, '(') ? does : NULL;
}

/* A statement that runs what it names; a definition (of a view, a function) does not. */
static const char *call(struct sqlwords *w)
{
	const char *does = NULL;

	while (does == NULL && sqlwords_next(w))
		does = called(w);
	return does;
}

/* The code is in a string; it is looked through by its words alone. */
static const char *block(struct sqlwords *w)
{
	const char *does = NULL;
	struct sqlwords code;
	bool way = false;
	size_t quote;

	while (sqlwords_next(w) && w->t.kind != SQL_STRING)
		;
	if (w->t.kind != SQL_STRING)
		return NULL;
	quote = w->text[w->t.at] == '$' ? strcspn(w->text + w->t.at + 1, "$") + 2 : 1;
	if (w->t.n < 2 * quote)
		return NULL;
	code = (struct sqlwords){ .text = w->text + w->t.at + quote, .n = w->t.n - 2 * quote };
	while (does == NULL && sqlwords_next(&code)) {
		if (way && sqlwords_is(&code, "program"))
			return PROGRAM;
		way = sqlwords_is(&code, "from") || sqlwords_is(&code, "to");
		does = called(&code);
	}
	return does;
}

/* CREATE FUNCTION ... LANGUAGE c AS '/tmp/library': loaded when it is made. A dump says $libdir. */
static const char *create_function(struct sqlwords *w)
{
	bool in_c = false, as = false, path = false;

	while (sqlwords_next(w)) {
		if (sqlwords_is(w, "language"))
			in_c = sqlwords_next(w) && (sqlwords_is(w, "c") || w->t.kind == SQL_STRING);
		else if (as && w->t.kind == SQL_STRING)
			path = path || (w->t.n > 1 && w->text[w->t.at + 1] == '/');
		as = sqlwords_is(w, "as");
	}
	return in_c && path ? "loads a library that is not PostgreSQL's" : NULL;
}

static const char *create(struct sqlwords *w)
{
	if (sqlwords_is(w, "or") &&
	    !(sqlwords_next(w) && sqlwords_is(w, "replace") && sqlwords_next(w)))
		return NULL;
	if (sqlwords_is(w, "subscription"))
		return create_subscription(w);
	return sqlwords_is(w, "function") ? create_function(w) : NULL;
}

static bool runs(const struct sqlwords *w)
{
	static const char *const words[] = { "select",  "with",    "values", "insert",
					     "update",  "delete",  "merge",  "call",
					     "execute", "explain", "table",  "declare" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (sqlwords_is(w, words[i]))
			return true;
	return false;
}

const char *outside(const char *statement, size_t n)
{
	struct sqlwords w = { .text = statement, .n = n };

	if (!sqlwords_next(&w))
		return NULL;
	if (runs(&w))
		return call(&w);
	if (sqlwords_is(&w, "do"))
		return block(&w);
	if (sqlwords_is(&w, "import"))
		return CONNECTS;
	if (sqlwords_is(&w, "copy"))
		return copy(&w);
	if (sqlwords_is(&w, "load"))
		return "loads a library into the server";
	if (sqlwords_is(&w, "alter") && sqlwords_next(&w)) {
		if (sqlwords_is(&w, "system"))
			return SETTINGS;
		return sqlwords_is(&w, "subscription") ? alter_subscription(&w) : NULL;
	}
	return sqlwords_is(&w, "create") && sqlwords_next(&w) ? create(&w) : NULL;
}

static const char *look(struct sqlscan *sc, const char *piece, size_t n)
{
	const char *does = NULL;
	struct sqlscan_event ev;
	struct err e;

	sqlscan_feed(sc, piece, n);
	while (does == NULL && sqlscan_next(sc, &ev, &e) > 0)
		if (ev.kind == SQLSCAN_STATEMENT || ev.kind == SQLSCAN_COPY)
			does = outside(ev.text, ev.n);
	return does;
}

const char *outside_any(const char *text, size_t n)
{
	SQLSCAN_AUTO *sc = sqlscan_new("", 0);
	const char *does = look(sc, text, n);

	/* The last one needs no semicolon of its own. */
	return does ? does : look(sc, "\n;", 2);
}
