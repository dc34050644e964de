#include "lib/restore/outside.h"

#include "lib/dump/sqllex.h"

#include <stdbool.h>

struct words {
	struct sqllex lx;
	const char *text;
	size_t n;
	struct sql_token t;
};

static bool next(struct words *w)
{
	return sqllex_meaning(&w->lx, w->text, w->n, &w->t) > SQL_UNCLOSED;
}

static bool is(const struct words *w, const char *word)
{
	return sql_is(w->text, &w->t, word);
}

/* COPY ... FROM or TO, outside parentheses, is followed by STDIN, STDOUT, PROGRAM or a file. */
static const char *copy(struct words *w)
{
	unsigned parens = 0;
	bool way = false;

	while (next(w)) {
		char c = w->t.kind == SQL_CHAR ? w->text[w->t.at] : '\0';

		if (way && is(w, "program"))
			return "runs a program on the server";
		if (way && w->t.kind == SQL_STRING)
			return "reads or writes a file of the server";
		parens += c == '(';
		parens -= c == ')' && parens;
		way = parens == 0 && (is(w, "from") || is(w, "to"));
	}
	return NULL;
}

/* pg_dump writes subscriptions with connect = false: such a one does nothing by itself. */
static const char *create_subscription(struct words *w)
{
	while (next(w)) {
		if (!is(w, "connect"))
			continue;
		if (next(w) && w->t.kind == SQL_CHAR && w->text[w->t.at] == '=' && next(w) &&
		    is(w, "false"))
			return NULL;
	}
	return "connects to another server";
}

/* Renaming one, or giving it to somebody else, is all that a dump does. */
static const char *alter_subscription(struct words *w)
{
	(void)next(w); /* its name */
	if (next(w) && (is(w, "owner") || is(w, "rename")))
		return NULL;
	return "connects to another server";
}

const char *outside(const char *statement, size_t n)
{
	struct words w = { .text = statement, .n = n };

	if (!next(&w))
		return NULL;
	if (is(&w, "copy"))
		return copy(&w);
	if (is(&w, "load"))
		return "loads a library into the server";
	if (is(&w, "alter") && next(&w)) {
		if (is(&w, "system"))
			return "changes the server's settings";
		return is(&w, "subscription") ? alter_subscription(&w) : NULL;
	}
	if (is(&w, "create") && next(&w) && is(&w, "subscription"))
		return create_subscription(&w);
	return NULL;
}
