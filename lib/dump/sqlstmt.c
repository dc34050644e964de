#include "lib/dump/sqlstmt.h"

#include "lib/base/num.h"
#include "lib/dump/sqlwords.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_B = 256 }; /* four times what PostgreSQL takes */

bool sqlstmt_is_copy_from_stdin(const char *text, size_t n)
{
	struct sqlwords w = { .text = text, .n = n };
	unsigned parens = 0;
	bool from = false;

	if (!sqlwords_next(&w) || !sqlwords_is(&w, "copy"))
		return false;
	while (sqlwords_next(&w)) {
		if (from)
			return sqlwords_is(&w, "stdin");
		if (sqlwords_char(&w, '('))
			parens++;
		else if (sqlwords_char(&w, ')') && parens)
			parens--;
		from = parens == 0 && sqlwords_is(&w, "from");
	}
	return false;
}

/* A table's name as it is written; w then stands behind it. */
static bool target(struct sqlwords *w, char *out, size_t size)
{
	size_t from = w->t.at, to;

	for (;;) {
		if (w->t.kind != SQL_WORD && w->t.kind != SQL_NAME)
			return false;
		to = w->t.at + w->t.n;
		if (!sqlwords_next(w) || !sqlwords_char(w, '.'))
			break;
		if (!sqlwords_next(w))
			return false;
	}
	if (to - from >= size)
		return false;
	memcpy(out, w->text + from, to - from);
	out[to - from] = '\0';
	return true;
}

bool sqlstmt_copy_target(const char *text, size_t n, char *out, size_t size)
{
	struct sqlwords w = { .text = text, .n = n };

	return sqlwords_next(&w) && sqlwords_is(&w, "copy") && sqlwords_next(&w) &&
	       target(&w, out, size);
}

int sqlstmt_copy_column(const char *text, size_t n, const char *column)
{
	struct sqlwords w = { .text = text, .n = n };
	char name[NAME_MAX_B];
	int i = 0;

	while (sqlwords_next(&w) && !sqlwords_char(&w, '('))
		continue;
	while (sqlwords_next(&w) && !sqlwords_char(&w, ')')) {
		if (sql_value(text, &w.t, name, sizeof(name)) && strcmp(name, column) == 0)
			return i;
		i += sqlwords_char(&w, ',');
	}
	return -1;
}

/* The rows behind VALUES: one for each pair of outermost parentheses. */
static uint64_t value_lists(struct sqlwords *w)
{
	uint64_t rows = 0;
	unsigned depth = 0;

	while (sqlwords_next(w)) {
		if (sqlwords_char(w, '('))
			rows += depth++ == 0;
		else if (sqlwords_char(w, ')') && depth)
			depth--;
		else if (depth == 0 && !sqlwords_char(w, ','))
			break; /* ON CONFLICT (...) */
	}
	return rows;
}

bool sqlstmt_insert(const char *text, size_t n, char *out, size_t size, uint64_t *rows)
{
	struct sqlwords w = { .text = text, .n = n };
	bool defaults = false;

	if (!sqlwords_next(&w) || !sqlwords_is(&w, "insert") || !sqlwords_next(&w) ||
	    !sqlwords_is(&w, "into") || !sqlwords_next(&w) || !target(&w, out, size))
		return false;
	for (unsigned depth = 0; !sqlwords_is(&w, "values") || depth;) {
		defaults = depth == 0 && sqlwords_is(&w, "default");
		if (sqlwords_char(&w, '('))
			depth++;
		else if (sqlwords_char(&w, ')') && depth)
			depth--;
		if (!sqlwords_next(&w))
			return false;
	}
	*rows = defaults ? 1 : value_lists(&w);
	return true;
}

bool sqlstmt_plain_name(const char *written, const char *schema, char *out, size_t size)
{
	struct sqlwords w = { .text = written, .n = strlen(written) };
	char name[NAME_MAX_B], in[NAME_MAX_B];
	int n;

	if (!sqlwords_next(&w) || !sql_value(written, &w.t, name, sizeof(name)))
		return false;
	(void)snprintf(in, sizeof(in), "%s", schema);
	while (sqlwords_next(&w) && sqlwords_char(&w, '.') && sqlwords_next(&w)) {
		(void)snprintf(in, sizeof(in), "%s", name);
		if (!sql_value(written, &w.t, name, sizeof(name)))
			return false;
	}
	n = snprintf(out, size, "%s%s%s", in, in[0] ? "." : "", name);
	return n >= 0 && (size_t)n < size;
}

bool sqlstmt_setting(const char *text, size_t n, const char *name, char *value, size_t size)
{
	struct sqlwords w = { .text = text, .n = n };

	return sqlwords_next(&w) && sqlwords_is(&w, "set") && sqlwords_next(&w) &&
	       sqlwords_is(&w, name) && sqlwords_next(&w) &&
	       (sqlwords_char(&w, '=') || sqlwords_is(&w, "to")) && sqlwords_next(&w) &&
	       sql_value(text, &w.t, value, size);
}

bool sqlstmt_encoding(const char *text, size_t n, char *value, size_t size)
{
	struct sqlwords w = { .text = text, .n = n };

	return sqlstmt_setting(text, n, "client_encoding", value, size) ||
	       (sqlwords_next(&w) && sqlwords_is(&w, "set") && sqlwords_next(&w) &&
		sqlwords_is(&w, "names") && sqlwords_next(&w) &&
		sql_value(text, &w.t, value, size));
}

/* A whole number; w then stands behind it. */
static bool whole_number(struct sqlwords *w, int64_t *value)
{
	char text[32] = "";
	const size_t sign = sqlwords_char(w, '-') ? 1 : 0;
	struct err e;

	text[0] = '-';
	if ((sign && !sqlwords_next(w)) || w->t.kind != SQL_NUMBER || sign + w->t.n >= sizeof(text))
		return false;
	memcpy(text + sign, w->text + w->t.at, w->t.n);
	text[sign + w->t.n] = '\0';
	return num_i64(text, INT64_MIN, INT64_MAX, value, &e) == 0 && sqlwords_next(w);
}

bool sqlstmt_setval(const char *text, size_t n, char *out, size_t size, int64_t *last, bool *called)
{
	struct sqlwords w = { .text = text, .n = n };

	if (!sqlwords_next(&w) || !sqlwords_is(&w, "select") || !sqlwords_next(&w))
		return false;
	if (sqlwords_is(&w, "pg_catalog") &&
	    !(sqlwords_next(&w) && sqlwords_char(&w, '.') && sqlwords_next(&w)))
		return false;
	if (!sqlwords_is(&w, "setval") || !sqlwords_next(&w) || !sqlwords_char(&w, '(') ||
	    !sqlwords_next(&w) || w.t.kind != SQL_STRING || !sql_value(text, &w.t, out, size) ||
	    !sqlwords_next(&w) || !sqlwords_char(&w, ',') || !sqlwords_next(&w) ||
	    !whole_number(&w, last) || !sqlwords_char(&w, ',') || !sqlwords_next(&w))
		return false;
	*called = sqlwords_is(&w, "true");
	return *called || sqlwords_is(&w, "false");
}

bool sqlstmt_extension(const char *text, size_t n, char *name, size_t size)
{
	struct sqlwords w = { .text = text, .n = n };
	bool more = sqlwords_next(&w) &&
		    (sqlwords_is(&w, "create") || sqlwords_is(&w, "alter") ||
		     sqlwords_is(&w, "comment")) &&
		    sqlwords_next(&w);

	if (more && sqlwords_is(&w, "on"))
		more = sqlwords_next(&w);
	more = more && sqlwords_is(&w, "extension") && sqlwords_next(&w);
	if (more && sqlwords_is(&w, "if")) /* not exists */
		for (int i = 0; more && i < 3; i++)
			more = sqlwords_next(&w);
	return more && sql_value(text, &w.t, name, size);
}

const char *sqlstmt_words(const char *text, size_t n, char *out, size_t size)
{
	struct sqlwords w = { .text = text, .n = n };
	size_t len = 0;

	out[0] = '\0';
	while (sqlwords_next(&w) && w.t.kind == SQL_WORD) {
		if (!sql_value(text, &w.t, out + len + (len > 0), size - len - (len > 0)))
			break;
		if (len > 0)
			out[len] = ' ';
		len = strlen(out);
		if (len + 2 >= size)
			break;
	}
	return out;
}

static void add_role(const struct sqlwords *w, struct strv *roles)
{
	static const char *const not_roles[] = { "public",       "current_user", "session_user",
						 "current_role", "group",        "default" };
	char name[NAME_MAX_B];

	if (!sql_value(w->text, &w->t, name, sizeof(name)))
		return;
	for (size_t i = 0; i < sizeof(not_roles) / sizeof(not_roles[0]); i++)
		if (w->t.kind == SQL_WORD && strcmp(name, not_roles[i]) == 0)
			return;
	if (!strv_has(roles, name))
		strv_add(roles, name);
}

/* role [, role ...]; stops behind the list, at a token that was not looked at. */
static bool role_list(struct sqlwords *w, struct strv *roles)
{
	for (;;) {
		if (w->t.kind != SQL_WORD && w->t.kind != SQL_NAME && w->t.kind != SQL_STRING)
			return true;
		if (sqlwords_is(w, "group") && !sqlwords_next(w))
			return false;
		add_role(w, roles);
		if (!sqlwords_next(w))
			return false;
		if (!sqlwords_char(w, ','))
			return true;
		if (!sqlwords_next(w))
			return false;
	}
}

/* One statement, up to its ';'. A quoted name is never a keyword. */
static bool statement_roles(struct sqlwords *w, struct strv *roles)
{
	bool grants = false, policy = false, defaults = false, mapping = false;
	bool alter = sqlwords_is(w, "alter"), owner = false, more = true;

	for (unsigned place = 0; more && !sqlwords_char(w, ';'); place++) {
		bool list = ((grants || policy || owner) && sqlwords_is(w, "to")) ||
			    (grants && sqlwords_is(w, "from")) ||
			    (mapping && sqlwords_is(w, "for")) ||
			    ((defaults || (alter && place == 1)) &&
			     (sqlwords_is(w, "role") || sqlwords_is(w, "user"))) ||
			    sqlwords_is(w, "authorization");

		grants = grants || ((place == 0 || defaults) &&
				    (sqlwords_is(w, "grant") || sqlwords_is(w, "revoke")));
		defaults = defaults || (place == 1 && sqlwords_is(w, "default"));
		mapping = mapping || (place == 2 && sqlwords_is(w, "mapping"));
		policy = (policy && !list) || (place == 1 && sqlwords_is(w, "policy"));
		owner = sqlwords_is(w, "owner");
		more = sqlwords_next(w);
		if (list && more)
			more = role_list(w, roles);
	}
	return more;
}

void sqlstmt_roles(const char *text, size_t n, struct strv *roles)
{
	struct sqlwords w = { .text = text, .n = n };

	while (sqlwords_next(&w))
		if (!sqlwords_char(&w, ';') && !statement_roles(&w, roles))
			return;
}
