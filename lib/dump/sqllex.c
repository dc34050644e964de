#include "lib/dump/sqllex.h"

#include <string.h>
#include <strings.h>

enum inside {
	NOTHING,
	QUOTE,
	E_QUOTE,
	NAME_QUOTE,
	DOLLAR,
	LINE_COMMENT,
	BLOCK_COMMENT,
	REST_OF_LINE
};

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Every byte of a multibyte character counts as a letter. */
static bool begins_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c > 127;
}

static bool goes_on_word(char c)
{
	return begins_word(c) || is_digit(c) || c == '$';
}

void sqllex_reset(struct sqllex *lx)
{
	*lx = (struct sqllex){ .backslashes = lx->backslashes, .encoding = lx->encoding };
}

static enum sql_kind told(struct sqllex *lx, enum sql_kind kind, size_t end, struct sql_token *t)
{
	*t = (struct sql_token){ kind, lx->at, end - lx->at };
	lx->at = end;
	lx->inside = NOTHING;
	if (kind != SQL_COMMENT)
		lx->e_string_end = 0;
	return kind;
}

/* No end in sight: next time, look on from there. */
static enum sql_kind unfinished(struct sqllex *lx, size_t seen, bool final, struct sql_token *t)
{
	lx->seen = seen;
	*t = (struct sql_token){ final ? SQL_UNCLOSED : SQL_MORE, lx->at, 0 };
	return t->kind;
}

static enum sql_kind enter(struct sqllex *lx, enum inside inside, size_t seen)
{
	lx->inside = (int)inside;
	lx->seen = seen;
	return SQL_MORE;
}

/* '...' or "...": a doubled quote is a character, which reads as an end and a new beginning. */
static enum sql_kind quoted(struct sqllex *lx, const char *text, size_t n, char quote, bool final,
			    struct sql_token *t)
{
	enum sql_kind kind = quote == '"' ? SQL_NAME : SQL_STRING;
	size_t i = lx->seen;

	for (;;) {
		const char *p = memchr(text + i, quote, n - i);

		if (p == NULL)
			return unfinished(lx, n, final, t);
		i = (size_t)(p - text);
		if (i + 1 == n && !final)
			return unfinished(lx, i, final, t);
		if (i + 1 == n || text[i + 1] != quote)
			return told(lx, kind, i + 1, t);
		i += 2;
	}
}

static enum sql_kind e_quoted(struct sqllex *lx, const char *text, size_t n, bool final,
			      struct sql_token *t)
{
	size_t i = lx->seen;

	while (i < n) {
		if (text[i] != '\\' && text[i] != '\'') {
			size_t step = encoding_step(lx->encoding, text[i]);

			if (i + step > n)
				break;
			i += step;
			continue;
		}
		if (i + 1 == n)
			break;
		if (text[i] == '\'' && text[i + 1] != '\'') {
			(void)told(lx, SQL_STRING, i + 1, t);
			lx->e_string_end = i + 1;
			return SQL_STRING;
		}
		i += 2;
	}
	if (final && i + 1 == n && text[i] == '\'')
		return told(lx, SQL_STRING, n, t);
	return unfinished(lx, i, final, t);
}

static enum sql_kind dollar_quoted(struct sqllex *lx, const char *text, size_t n, bool final,
				   struct sql_token *t)
{
	const char *p = memmem(text + lx->seen, n - lx->seen, text + lx->at, lx->tag_n);
	size_t body = lx->at + lx->tag_n;

	if (p)
		return told(lx, SQL_STRING, (size_t)(p - text) + lx->tag_n, t);
	/* The closing tag may have begun. */
	return unfinished(lx, n > body + lx->tag_n ? n - lx->tag_n : body, final, t);
}

static enum sql_kind rest_of_line(struct sqllex *lx, enum sql_kind kind, const char *text, size_t n,
				  bool final, struct sql_token *t)
{
	for (size_t i = lx->seen; i < n; i++)
		if (text[i] == '\n' || text[i] == '\r')
			return told(lx, kind, i, t);
	if (final)
		return told(lx, kind, n, t);
	return unfinished(lx, n, false, t);
}

static enum sql_kind block_comment(struct sqllex *lx, const char *text, size_t n, bool final,
				   struct sql_token *t)
{
	size_t i = lx->seen;

	for (; i + 1 < n; i++) {
		if (text[i] == '/' && text[i + 1] == '*') {
			lx->depth++;
			i++;
		} else if (text[i] == '*' && text[i + 1] == '/') {
			if (--lx->depth == 0)
				return told(lx, SQL_COMMENT, i + 2, t);
			i++;
		}
	}
	return unfinished(lx, i, final, t);
}

static enum sql_kind resume(struct sqllex *lx, const char *text, size_t n, bool final,
			    struct sql_token *t)
{
	switch ((enum inside)lx->inside) {
	case QUOTE:
		return quoted(lx, text, n, '\'', final, t);
	case E_QUOTE:
		return e_quoted(lx, text, n, final, t);
	case NAME_QUOTE:
		return quoted(lx, text, n, '"', final, t);
	case DOLLAR:
		return dollar_quoted(lx, text, n, final, t);
	case LINE_COMMENT:
		return rest_of_line(lx, SQL_COMMENT, text, n, final, t);
	case BLOCK_COMMENT:
		return block_comment(lx, text, n, final, t);
	case REST_OF_LINE:
		return rest_of_line(lx, SQL_META, text, n, final, t);
	case NOTHING:
		break;
	}
	return SQL_MORE;
}

/* E'a'<newline>'b' is one string: the second part knows backslashes too. */
static bool continues_e_string(const struct sqllex *lx, const char *text)
{
	size_t from = lx->e_string_end;

	return from > 0 && (memchr(text + from, '\n', lx->at - from) ||
			    memchr(text + from, '\r', lx->at - from));
}

/* Over what goes on a word, from i on, up to a byte stop. half: it stops at the first byte of two,
 * for the second one is not there yet. */
static size_t over_word(const struct sqllex *lx, const char *text, size_t n, size_t i, char stop,
			bool final, bool *half)
{
	*half = false;
	while (i < n && text[i] != stop && goes_on_word(text[i])) {
		size_t step = encoding_step(lx->encoding, text[i]);

		*half = i + step > n;
		if (*half)
			return final ? n : i;
		i += step;
	}
	return i;
}

/* Where to look on in a word that is not over: what was seen of it need not be seen again. */
static size_t from_seen(const struct sqllex *lx)
{
	return lx->seen > lx->at ? lx->seen : lx->at + 1;
}

static enum sql_kind seen_up_to(struct sqllex *lx, size_t i)
{
	lx->seen = i;
	return SQL_MORE;
}

static enum sql_kind number(struct sqllex *lx, const char *text, size_t n, bool final,
			    struct sql_token *t)
{
	size_t i = from_seen(lx);

	while (i < n && (is_digit(text[i]) || text[i] == '.' || text[i] == '_' ||
			 (begins_word(text[i]) && (unsigned char)text[i] < 128)))
		i++;
	if (i == n && !final)
		return seen_up_to(lx, i);
	return told(lx, SQL_NUMBER, i, t);
}

static enum sql_kind dollar(struct sqllex *lx, const char *text, size_t n, bool final,
			    struct sql_token *t)
{
	size_t i = from_seen(lx);
	bool half = false;

	if (lx->at + 1 < n && is_digit(text[lx->at + 1]))
		return number(lx, text, n, final, t);
	if (lx->at + 1 < n && begins_word(text[lx->at + 1]))
		i = over_word(lx, text, n, i, '$', final, &half);
	if ((i == n || half) && !final)
		return seen_up_to(lx, i);
	if (i == n || text[i] != '$')
		return told(lx, SQL_CHAR, lx->at + 1, t);
	lx->tag_n = i + 1 - lx->at;
	return enter(lx, DOLLAR, i + 1);
}

/* A word, unless it is the letter before a quote: E'...', B'...', X'...', N'...', U&'...', U&"...".
 */
static enum sql_kind word(struct sqllex *lx, const char *text, size_t n, bool final,
			  struct sql_token *t)
{
	size_t i = lx->seen > lx->at ? lx->seen : lx->at;
	char first = (char)(text[lx->at] | 0x20);
	bool ampersand = false, half;

	i = over_word(lx, text, n, i, '\0', final, &half);
	if (half && !final)
		return seen_up_to(lx, i);
	if (i - lx->at == 1 && first == 'u' && i < n && text[i] == '&') {
		ampersand = true;
		i++;
	}
	if (i == n && !final)
		return seen_up_to(lx, ampersand ? i - 1 : i);
	if (i < n && i - lx->at == (ampersand ? 2 : 1)) {
		if (text[i] == '"' && ampersand)
			return enter(lx, NAME_QUOTE, i + 1);
		if (text[i] == '\'' && first == 'e')
			return enter(lx, E_QUOTE, i + 1);
		if (text[i] == '\'' && first == 'n')
			return enter(lx, lx->backslashes ? E_QUOTE : QUOTE, i + 1);
		if (text[i] == '\'' && (first == 'b' || first == 'x' || ampersand))
			return enter(lx, QUOTE, i + 1);
	}
	return told(lx, SQL_WORD, ampersand ? i - 1 : i, t);
}

/* A token begins at lx->at. SQL_MORE: it was entered (lx->inside), or more text is needed. */
static enum sql_kind begin(struct sqllex *lx, const char *text, size_t n, bool final,
			   struct sql_token *t)
{
	size_t at = lx->at;
	char c = text[at], next = at + 1 < n ? text[at + 1] : '\0';

	if (begins_word(c))
		return word(lx, text, n, final, t);
	if (is_digit(c))
		return number(lx, text, n, final, t);
	switch (c) {
	case '\'':
		return enter(lx, lx->backslashes || continues_e_string(lx, text) ? E_QUOTE : QUOTE,
			     at + 1);
	case '"':
		return enter(lx, NAME_QUOTE, at + 1);
	case '$':
		return dollar(lx, text, n, final, t);
	case '\\':
		return enter(lx, REST_OF_LINE, at + 1);
	case '-':
	case '/':
		if (at + 1 == n && !final)
			return SQL_MORE;
		if (c == '-' && next == '-')
			return enter(lx, LINE_COMMENT, at + 2);
		if (c == '/' && next == '*') {
			lx->depth = 1;
			return enter(lx, BLOCK_COMMENT, at + 2);
		}
		break;
	default:
		break;
	}
	return told(lx, SQL_CHAR, at + 1, t);
}

enum sql_kind sqllex_next(struct sqllex *lx, const char *text, size_t n, bool final,
			  struct sql_token *t)
{
	enum sql_kind k;

	if (lx->inside == NOTHING) {
		while (lx->at < n && is_blank(text[lx->at]))
			lx->at++;
		*t = (struct sql_token){ final ? SQL_END : SQL_MORE, lx->at, 0 };
		if (lx->at == n)
			return t->kind;
		k = begin(lx, text, n, final, t);
		if (k != SQL_MORE || lx->inside == NOTHING)
			return k;
	}
	return resume(lx, text, n, final, t);
}

enum sql_kind sqllex_meaning(struct sqllex *lx, const char *text, size_t n, struct sql_token *t)
{
	enum sql_kind k;

	do
		k = sqllex_next(lx, text, n, true, t);
	while (k == SQL_COMMENT);
	return k;
}

bool sql_is(const char *text, const struct sql_token *t, const char *word)
{
	return t->kind == SQL_WORD && t->n == strlen(word) &&
	       strncasecmp(text + t->at, word, t->n) == 0;
}

bool sql_value(const char *text, const struct sql_token *t, char *out, size_t size)
{
	const char *p = text + t->at;
	size_t len = 0;
	char quote = t->kind == SQL_NAME ? '"' : '\'';

	if (t->kind == SQL_WORD) {
		if (t->n >= size)
			return false;
		for (size_t i = 0; i < t->n; i++)
			out[len++] = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i]);
		out[len] = '\0';
		return true;
	}
	if ((t->kind != SQL_NAME && t->kind != SQL_STRING) || t->n < 2 || p[0] != quote)
		return false;
	for (size_t i = 1; i + 1 < t->n; i++) {
		if (len + 1 >= size)
			return false;
		out[len++] = p[i];
		if (p[i] == quote)
			i++;
	}
	out[len] = '\0';
	return true;
}
