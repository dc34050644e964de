#include "lib/storage/profile.h"

#include "lib/base/buf.h"

#include <stdbool.h>
#include <string.h>

enum { LINE_LIMIT = 16 * 1024 };

/* A piece of the text, without the blanks around it. */
struct piece {
	const char *s;
	size_t n;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct piece trim(const char *s, size_t n)
{
	while (n > 0 && is_blank(s[0])) {
		s++;
		n--;
	}
	while (n > 0 && is_blank(s[n - 1]))
		n--;
	return (struct piece){ s, n };
}

static void take(struct buf *b, struct piece p)
{
	buf_reset(b);
	buf_add(b, p.s, p.n);
}

/* [profile "two words"] is the section: profile two words. */
static bool take_section(struct buf *section, struct piece line)
{
	const char *end = memchr(line.s, ']', line.n);
	struct piece name;

	if (end == NULL)
		return false;
	name = trim(line.s + 1, (size_t)(end - line.s - 1));
	buf_reset(section);
	for (size_t i = 0; i < name.n; i++)
		if (name.s[i] != '"')
			buf_addc(section, name.s[i]);
	return section->len > 0 && !section->full;
}

struct parser {
	struct buf section, parent, key, value;
};

static const char *take_setting(struct parser *p, struct piece line, bool indented)
{
	const char *equals = memchr(line.s, '=', line.n);

	if (equals == NULL || equals == line.s || p->section.len == 0)
		return "not key = value in a [section]";
	take(&p->key, trim(line.s, (size_t)(equals - line.s)));
	take(&p->value, trim(equals + 1, line.n - (size_t)(equals + 1 - line.s)));
	if (!indented)
		take(&p->parent, (struct piece){ p->key.s, p->value.len ? 0 : p->key.len });
	return p->key.full || p->value.full ? "too long" : NULL;
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct parser *p, const char *s, size_t n,
			     void (*each)(const struct profile_item *item, void *ctx), void *ctx)
{
	struct piece line = trim(s, n);
	bool indented = n > 0 && (s[0] == ' ' || s[0] == '\t');
	const char *wrong;

	if (line.n == 0 || line.s[0] == '#' || line.s[0] == ';')
		return NULL;
	if (memchr(line.s, '\0', line.n))
		return "a NUL byte in it";
	if (line.s[0] == '[') {
		buf_reset(&p->parent);
		return take_section(&p->section, line) ? NULL : "a broken [section]";
	}
	wrong = take_setting(p, line, indented);
	if (wrong == NULL)
		each(&(struct profile_item){ p->section.s, indented ? p->parent.s : "", p->key.s,
					     p->value.s },
		     ctx);
	return wrong;
}

static void free_parser(struct parser *p)
{
	explicit_bzero(p->value.s, p->value.len);
	buf_free(&p->section);
	buf_free(&p->parent);
	buf_free(&p->key);
	buf_free(&p->value);
}

int profile_parse(const char *text, size_t len,
		  void (*each)(const struct profile_item *item, void *ctx), void *ctx,
		  struct err *e)
{
	struct parser p = { BUF_INIT(LINE_LIMIT), BUF_INIT(LINE_LIMIT), BUF_INIT(LINE_LIMIT),
			    BUF_INIT(LINE_LIMIT) };
	const char *wrong = NULL;
	unsigned number = 0;

	for (size_t at = 0; at < len && wrong == NULL; number++) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t n = newline ? (size_t)(newline - text) - at : len - at;

		wrong = take_line(&p, text + at, n, each, ctx);
		at += n + 1;
	}
	free_parser(&p);
	return wrong ? err_set(e, ERR_USAGE, "line %u: %s", number, wrong) : 0;
}
