#include "lib/restore/order.h"

#include "lib/dump/sqlstmt.h"
#include "lib/dump/sqlwords.h"

#include <stdio.h>
#include <string.h>

enum { PART = 128 };

/* schema.name, from the token that w is at; behind it w is at its last token. */
static bool qualified(struct sqlwords *w, char schema[PART], char out[ORDER_NAME])
{
	char name[PART];

	if (!sql_value(w->text, &w->t, schema, PART) || !sqlwords_next(w) ||
	    !sqlwords_char(w, '.') || !sqlwords_next(w) ||
	    !sql_value(w->text, &w->t, name, sizeof(name)))
		return false;
	(void)snprintf(out, ORDER_NAME, "%s.%s", schema, name);
	return true;
}

/* One more table or index that the statement is on. */
static bool on(struct sqlwords *w, struct order *o)
{
	char schema[PART];

	return sqlwords_next(w) && qualified(w, schema, o->on[o->n_on]) && ++o->n_on;
}

/* The next token if it is this word, which may be there or not. False at the end. */
static bool pass(struct sqlwords *w, const char *word)
{
	return !sqlwords_is(w, word) || sqlwords_next(w);
}

/* Up to this word outside parentheses, or to the end when there is none to find; a comma on the way
 * means that there is more to the statement. */
static bool reach(struct sqlwords *w, const char *word)
{
	unsigned parens = 0;

	while (sqlwords_next(w)) {
		if (sqlwords_char(w, '('))
			parens++;
		else if (sqlwords_char(w, ')') && parens)
			parens--;
		else if (parens == 0 && sqlwords_char(w, ','))
			return false;
		else if (parens == 0 && word && sqlwords_is(w, word))
			return true;
	}
	return word == NULL;
}

/* ... INDEX name ON [ONLY] schema.table USING ... */
static bool index_on(struct sqlwords *w, struct order *o)
{
	char name[PART], schema[PART];

	if (!sqlwords_next(w) || !sql_value(w->text, &w->t, name, sizeof(name)) ||
	    !sqlwords_next(w) || !sqlwords_is(w, "on") || !sqlwords_next(w) || !pass(w, "only") ||
	    !qualified(w, schema, o->on[0]))
		return false;
	(void)snprintf(o->makes, sizeof(o->makes), "%s.%s", schema, name);
	o->n_on = 1;
	o->shared = true;
	return true;
}

/* TRIGGER name BEFORE INSERT OR UPDATE OF a ON schema.table FOR EACH ROW ... */
static bool trigger_on(struct sqlwords *w, struct order *o)
{
	while (sqlwords_next(w))
		if (sqlwords_is(w, "on"))
			return on(w, o) && sqlwords_next(w) && sqlwords_is(w, "for");
	return false;
}

static void create(struct sqlwords *w, struct order *o)
{
	static const char *const post_data[] = { "rule",  "policy",      "statistics",
						 "event", "publication", "subscription" };
	bool known = false;

	if (!sqlwords_next(w) || !pass(w, "unique") || !pass(w, "constraint"))
		return;
	if (sqlwords_is(w, "index")) {
		o->post_data = true;
		known = index_on(w, o);
	} else if (sqlwords_is(w, "trigger")) {
		o->post_data = true;
		known = trigger_on(w, o);
	}
	for (size_t i = 0; i < sizeof(post_data) / sizeof(post_data[0]); i++)
		o->post_data = o->post_data || sqlwords_is(w, post_data[i]);
	if (known)
		o->kind = ORDER_TABLES;
}

/* ADD CONSTRAINT name PRIMARY KEY, UNIQUE, EXCLUDE, FOREIGN KEY ... REFERENCES schema.table */
static bool constraint(struct sqlwords *w, struct order *o, const char *schema)
{
	char name[PART];

	if (!sqlwords_next(w) || !sqlwords_is(w, "constraint") || !sqlwords_next(w) ||
	    !sql_value(w->text, &w->t, name, sizeof(name)) || !sqlwords_next(w))
		return false;
	if (sqlwords_is(w, "foreign")) {
		o->post_data = true;
		return reach(w, "references") && on(w, o) && reach(w, NULL);
	}
	o->post_data =
		sqlwords_is(w, "primary") || sqlwords_is(w, "unique") || sqlwords_is(w, "exclude");
	(void)snprintf(o->makes, sizeof(o->makes), "%s.%s", schema, name);
	return o->post_data && reach(w, NULL);
}

static void alter_table(struct sqlwords *w, struct order *o)
{
	char schema[PART];
	bool known = false;

	if (!sqlwords_next(w) || !pass(w, "only") || !qualified(w, schema, o->on[0]) ||
	    !sqlwords_next(w))
		return;
	o->n_on = 1;
	if (sqlwords_is(w, "add"))
		known = constraint(w, o, schema);
	else if (sqlwords_is(w, "cluster"))
		known = o->post_data = reach(w, NULL);
	if (known)
		o->kind = ORDER_TABLES;
}

/* ALTER INDEX schema.index ATTACH PARTITION schema.index, ... ALTER COLUMN n SET STATISTICS n */
static void alter_index(struct sqlwords *w, struct order *o)
{
	o->post_data = o->indexes = true;
	if (!on(w, o) || !sqlwords_next(w))
		return;
	if (sqlwords_is(w, "attach")
		    ? sqlwords_next(w) && sqlwords_is(w, "partition") && on(w, o) && reach(w, NULL)
		    : sqlwords_is(w, "alter") && reach(w, NULL))
		o->kind = ORDER_TABLES;
}

/* COMMENT ON INDEX schema.index IS ..., COMMENT ON CONSTRAINT name ON schema.table IS ... */
static void comment(struct sqlwords *w, struct order *o)
{
	char name[PART];
	bool known = false;

	if (!sqlwords_next(w) || !sqlwords_is(w, "on") || !sqlwords_next(w))
		return;
	if (sqlwords_is(w, "index"))
		known = o->indexes = on(w, o);
	else if (sqlwords_is(w, "constraint") || sqlwords_is(w, "trigger"))
		known = sqlwords_next(w) && sql_value(w->text, &w->t, name, sizeof(name)) &&
			sqlwords_next(w) && sqlwords_is(w, "on") && on(w, o);
	if (known)
		o->kind = ORDER_TABLES;
}

/* SET name = value; who the session is, and what is for a transaction only, is no such setting. */
static enum order_kind setting(struct sqlwords *w)
{
	static const char *const strict[] = { "session", "role", "xml" };
	static const char *const alone[] = { "local", "transaction", "constraints" };

	if (!sqlwords_next(w))
		return ORDER_ALONE;
	for (size_t i = 0; i < sizeof(strict) / sizeof(strict[0]); i++)
		if (sqlwords_is(w, strict[i]))
			return ORDER_STRICT;
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (sqlwords_is(w, alone[i]))
			return ORDER_ALONE;
	return ORDER_SETTING;
}

/* SELECT pg_catalog.f(...): of the functions that pg_dump calls it is known what they do. */
static enum order_kind selection(struct sqlwords *w)
{
	static const char *const alone[] = { "setval", "lo_create", "lo_open", "lowrite",
					     "lo_close" };

	if (!sqlwords_next(w) || !sqlwords_is(w, "pg_catalog") || !sqlwords_next(w) ||
	    !sqlwords_char(w, '.') || !sqlwords_next(w))
		return ORDER_STRICT;
	if (sqlwords_is(w, "set_config"))
		return ORDER_SETTING;
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
		if (sqlwords_is(w, alone[i]))
			return ORDER_ALONE;
	return ORDER_STRICT;
}

void order_of(const char *sql, size_t n, struct order *out)
{
	static const char *const strict[] = { "do", "call", "reset", "discard", "load", "execute" };
	struct sqlwords w = { .text = sql, .n = n };

	*out = (struct order){ .kind = ORDER_ALONE };
	if (!sqlwords_next(&w))
		return;
	for (size_t i = 0; i < sizeof(strict) / sizeof(strict[0]); i++)
		if (sqlwords_is(&w, strict[i]))
			out->kind = ORDER_STRICT;
	if (sqlwords_is(&w, "create"))
		create(&w, out);
	else if (sqlwords_is(&w, "comment"))
		comment(&w, out);
	else if (sqlwords_is(&w, "refresh"))
		out->post_data = true;
	else if (sqlwords_is(&w, "set"))
		out->kind = setting(&w);
	else if (sqlwords_is(&w, "select"))
		out->kind = selection(&w);
	else if (sqlwords_is(&w, "alter") && sqlwords_next(&w)) {
		if (sqlwords_is(&w, "table"))
			alter_table(&w, out);
		else if (sqlwords_is(&w, "index"))
			alter_index(&w, out);
	}
}

bool order_of_copy(const char *sql, size_t n, struct order *out)
{
	struct sqlwords w = { .text = sql, .n = n };

	*out = (struct order){ .kind = ORDER_TABLES };
	return sqlwords_next(&w) && sqlwords_is(&w, "copy") && on(&w, out);
}
