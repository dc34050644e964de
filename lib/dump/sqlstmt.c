#include "lib/dump/sqlstmt.h"

#include "lib/dump/sqllex.h"

#include <string.h>

enum { NAME_MAX_B = 256 }; /* four times what PostgreSQL takes */

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

static bool is_char(const struct words *w, char c)
{
	return w->t.kind == SQL_CHAR && w->text[w->t.at] == c;
}

bool sqlstmt_is_copy_from_stdin(const char *text, size_t n)
{
	struct words w = { .text = text, .n = n };
	unsigned parens = 0;
	bool from = false;

	if (!next(&w) || !is(&w, "copy"))
		return false;
	while (next(&w)) {
		if (from)
			return is(&w, "stdin");
		if (is_char(&w, '('))
			parens++;
		else if (is_char(&w, ')') && parens)
			parens--;
		from = parens == 0 && is(&w, "from");
	}
	return false;
}

bool sqlstmt_copy_target(const char *text, size_t n, char *out, size_t size)
{
	struct words w = { .text = text, .n = n };
	size_t from, to;

	if (!next(&w) || !is(&w, "copy") || !next(&w))
		return false;
	from = w.t.at;
	for (;;) {
		if (w.t.kind != SQL_WORD && w.t.kind != SQL_NAME)
			return false;
		to = w.t.at + w.t.n;
		if (!next(&w) || !is_char(&w, '.'))
			break;
		if (!next(&w))
			return false;
	}
	if (to - from >= size)
		return false;
	memcpy(out, text + from, to - from);
	out[to - from] = '\0';
	return true;
}

bool sqlstmt_setting(const char *text, size_t n, const char *name, char *value, size_t size)
{
	struct words w = { .text = text, .n = n };

	return next(&w) && is(&w, "set") && next(&w) && is(&w, name) && next(&w) &&
	       (is_char(&w, '=') || is(&w, "to")) && next(&w) && sql_value(text, &w.t, value, size);
}

const char *sqlstmt_words(const char *text, size_t n, char *out, size_t size)
{
	struct words w = { .text = text, .n = n };
	size_t len = 0;

	out[0] = '\0';
	while (next(&w) && w.t.kind == SQL_WORD) {
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

static void add_role(const struct words *w, struct strv *roles)
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
static bool role_list(struct words *w, struct strv *roles)
{
	for (;;) {
		if (w->t.kind != SQL_WORD && w->t.kind != SQL_NAME && w->t.kind != SQL_STRING)
			return true;
		if (is(w, "group") && !next(w))
			return false;
		add_role(w, roles);
		if (!next(w))
			return false;
		if (!is_char(w, ','))
			return true;
		if (!next(w))
			return false;
	}
}

/* One statement, up to its ';'. A quoted name is never a keyword. */
static bool statement_roles(struct words *w, struct strv *roles)
{
	bool grants = false, policy = false, defaults = false, mapping = false;
	bool alter = is(w, "alter"), owner = false, more = true;

	for (unsigned place = 0; more && !is_char(w, ';'); place++) {
		bool list =
			((grants || policy || owner) && is(w, "to")) || (grants && is(w, "from")) ||
			(mapping && is(w, "for")) ||
			((defaults || (alter && place == 1)) && (is(w, "role") || is(w, "user"))) ||
			is(w, "authorization");

		grants =
			grants || ((place == 0 || defaults) && (is(w, "grant") || is(w, "revoke")));
		defaults = defaults || (place == 1 && is(w, "default"));
		mapping = mapping || (place == 2 && is(w, "mapping"));
		policy = (policy && !list) || (place == 1 && is(w, "policy"));
		owner = is(w, "owner");
		more = next(w);
		if (list && more)
			more = role_list(w, roles);
	}
	return more;
}

void sqlstmt_roles(const char *text, size_t n, struct strv *roles)
{
	struct words w = { .text = text, .n = n };

	while (next(&w))
		if (!is_char(&w, ';') && !statement_roles(&w, roles))
			return;
}
