#include "lib/alert/mrkdwn.h"

#include "lib/base/text.h"
#include "lib/base/utf8.h"

#include <string.h>

enum { LINE_MOST = 64 * 1024 }; /* bytes */

/* The three that Slack decodes again, and nothing else. */
static const char *escaped(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	default:
		return NULL;
	}
}

static void escape(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (escaped(*s))
			buf_adds(out, escaped(*s));
		else
			buf_addc(out, *s);
	}
}

void mrkdwn_tame(struct buf *out, const char *s, size_t most)
{
	BUF_AUTO safe = BUF_INIT(LINE_MOST);
	size_t at = 0, fits = 0, cost = 0;

	text_safe(&safe, s);
	while (safe.s[at] && cost <= most) {
		cost += escaped(safe.s[at]) ? strlen(escaped(safe.s[at])) : 1;
		at += utf8_prefix(safe.s + at, 1);
		if (cost < most) /* with room for the ellipsis */
			fits = at;
	}
	buf_add(out, safe.s, cost <= most ? safe.len : fits);
	if (cost > most)
		buf_adds(out, "\xe2\x80\xa6"); /* U+2026 HORIZONTAL ELLIPSIS */
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Could a pair of these marks be formatting? It opens where no word goes on: "_a_", not "a_b_c". */
static bool is_paired(const char *s, char mark_)
{
	const char *open = strchr(s, mark_);

	while (open && open > s && is_word(open[-1]))
		open = strchr(open + 1, mark_);
	return open && strchr(open + 1, mark_);
}

/* ":key:" */
static bool has_shortcode(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static const char others[] = "0123456789_+-'abcdefghijklmnopqrstuvwxyz";

	for (s = strchr(s, ':'); s; s = strchr(s + 1, ':')) {
		const size_t n = strspn(s + 1, others);

		if (s[1 + n] == ':' && strcspn(s + 1, letters) < n)
			return true;
	}
	return false;
}

/* Would mrkdwn make more of it than text? */
static bool is_marked(const char *s)
{
	return *s == '>' || strchr(s, '`') || is_paired(s, '*') || is_paired(s, '_') ||
	       is_paired(s, '~') || has_shortcode(s);
}

static void quote(struct buf *out, char *line)
{
	for (char *tick = line; (tick = strchr(tick, '`')); tick++)
		*tick = '\'';
	buf_addc(out, '`');
	escape(out, line);
	buf_addc(out, '`');
}

void mrkdwn_data(struct buf *out, const char *s, size_t most)
{
	BUF_AUTO line = BUF_INIT(LINE_MOST);

	mrkdwn_tame(&line, s, most);
	if (is_marked(line.s))
		quote(out, line.s);
	else
		escape(out, line.s);
}

void mrkdwn_code(struct buf *out, const char *s, size_t most)
{
	BUF_AUTO line = BUF_INIT(LINE_MOST);

	mrkdwn_tame(&line, s, most);
	quote(out, line.s);
}

bool mrkdwn_link(struct buf *out, const char *url, const char *name, size_t most)
{
	BUF_AUTO address = BUF_INIT(LINE_MOST);

	if (strpbrk(url, "|<> \t\r\n\"") ||
	    (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0))
		return false;
	escape(&address, url);
	if (address.full || utf8_count(address.s) > most)
		return false;
	buf_addf(out, "<%s|", address.s);
	escape(out, name);
	buf_addc(out, '>');
	return true;
}
