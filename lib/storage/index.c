#include "lib/storage/index.h"

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

/* A part of the page. */
struct part {
	const char *s;
	size_t n;
};

static const char *find(struct part p, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= p.n; i++)
		if (strncasecmp(p.s + i, word, n) == 0)
			return p.s + i;
	return NULL;
}

static struct part from(struct part p, const char *at)
{
	return (struct part){ at, p.n - (size_t)(at - p.s) };
}

/* The five entities of HTML that may stand in an attribute, and the numeric ones below 128. */
static void unescape(struct buf *out, struct part p)
{
	static const struct {
		const char *name;
		char is;
	} entities[] = { { "&amp;", '&' },  { "&lt;", '<' },    { "&gt;", '>' },
			 { "&quot;", '"' }, { "&apos;", '\'' }, { "&#39;", '\'' },
			 { "&#34;", '"' },  { "&#43;", '+' },   { "&#x27;", '\'' } };

	for (size_t i = 0; i < p.n;) {
		size_t step = 1;
		char c = p.s[i];

		for (size_t k = 0; c == '&' && k < sizeof(entities) / sizeof(entities[0]); k++) {
			size_t n = strlen(entities[k].name);

			if (n <= p.n - i && strncmp(p.s + i, entities[k].name, n) == 0) {
				c = entities[k].is;
				step = n;
				break;
			}
		}
		buf_addc(out, c);
		i += step;
	}
}

/* The href's value; *rest is what follows the tag. False at the end of the page. */
static bool next_link(struct part *rest, struct part *href)
{
	const char *tag, *end, *value;

	while ((tag = find(*rest, "<a ")) != NULL) {
		*rest = from(*rest, tag);
		end = memchr(rest->s, '>', rest->n);
		if (end == NULL)
			return false;
		value = find((struct part){ tag, (size_t)(end - tag) }, "href=");
		*rest = from(*rest, end + 1);
		if (value == NULL || (value[5] != '"' && value[5] != '\''))
			continue;
		href->s = value + 6;
		end = memchr(href->s, value[5], (size_t)(rest->s - href->s));
		if (end == NULL)
			continue;
		href->n = (size_t)(end - href->s);
		return true;
	}
	return false;
}

/* The name in this directory that a link means; false for links elsewhere. */
static bool link_name(struct part href, const char *base, struct buf *name, bool *directory)
{
	BUF_AUTO plain = BUF_INIT(INDEX_NAME_MAX);
	const char *s;
	size_t n;

	unescape(&plain, href);
	s = plain.s;
	/* A relative reference has no ':' before its first '/' (RFC 3986, section 4.2). */
	if (plain.full || s[strcspn(s, ":/?#")] == ':' || strncmp(s, "//", 2) == 0)
		return false;
	if (s[0] == '/') {
		if (strncmp(s, base, strlen(base)) != 0)
			return false;
		s += strlen(base);
	}
	if (strncmp(s, "./", 2) == 0)
		s += 2;
	n = strcspn(s, "?#");
	*directory = n > 0 && s[n - 1] == '/';
	if (*directory)
		n--;
	buf_reset(name);
	if (n == 0 || s[n + *directory] || !uri_decode(name, s, n, false) || name->full)
		return false;
	return strchr(name->s, '/') == NULL && strcmp(name->s, ".") != 0 &&
	       strcmp(name->s, "..") != 0;
}

/* What stands between this link and the next, without its tags. */
static void row_text(struct part rest, struct buf *out)
{
	const char *end = find(rest, "<a ");
	bool tag = false;

	if (end)
		rest.n = (size_t)(end - rest.s);
	end = find(rest, "</tr");
	if (end)
		rest.n = (size_t)(end - rest.s);
	buf_reset(out);
	for (size_t i = 0; i < rest.n && !out->full; i++) {
		if (rest.s[i] == '<')
			tag = true;
		if (!tag)
			buf_addc(out, rest.s[i]);
		if (rest.s[i] == '>') {
			tag = false;
			buf_addc(out, ' ');
		}
	}
}

/* "Feb" to "02"; NULL for anything else. */
static const char *month_digits(const char *s)
{
	static const char *const months[] = {
		"Jan01", "Feb02", "Mar03", "Apr04", "May05", "Jun06",
		"Jul07", "Aug08", "Sep09", "Oct10", "Nov11", "Dec12"
	};

	for (size_t i = 0; i < sizeof(months) / sizeof(months[0]); i++)
		if (strncmp(s, months[i], 3) == 0)
			return months[i] + 3;
	return NULL;
}

/* "17-Feb-2026 01:58" or "2026-02-17 01:58", with or without seconds; *after is behind it. -1 when
 * none stands here. */
static int64_t read_date(const char *s, const char **after)
{
	char text[UTC_SIZE];
	size_t n = strnlen(s, 17);
	const char *month = n == 17 && s[2] == '-' && s[6] == '-' ? month_digits(s + 3) : NULL;
	int64_t ms;

	if (month)
		(void)snprintf(text, sizeof(text), "%.4s-%s-%.2sT%.5s:00Z", s + 7, month, s,
			       s + 12);
	else
		(void)snprintf(text, sizeof(text), "%.10sT%.5s:00Z", s, n > 11 ? s + 11 : "");
	n = month ? 17 : 16;
	if (!utc_parse(text, &ms))
		return -1;
	*after = s + n;
	if (s[n] == ':' && isdigit((unsigned char)s[n + 1]) && isdigit((unsigned char)s[n + 2]))
		*after += 3;
	return ms;
}

/* After the date stands the size: whole bytes, or rounded with a letter, which is no size here. */
static void read_row(const char *text, struct index_entry *entry)
{
	char word[24] = "";
	struct err ignored;
	const char *after = text;
	uint64_t n;

	entry->bytes = entry->modified_ms = -1;
	for (const char *s = text; *s && entry->modified_ms < 0; s++)
		if (isdigit((unsigned char)*s) && (s == text || !isdigit((unsigned char)s[-1])))
			entry->modified_ms = read_date(s, &after);
	if (entry->modified_ms >= 0 && sscanf(after, " %23s", word) == 1 &&
	    num_u64(word, 0, INT64_MAX, &n, &ignored) == 0)
		entry->bytes = (int64_t)n;
}

static int parse_html(const char *html, size_t len, const char *base,
		      int (*each)(const struct index_entry *entry, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	BUF_AUTO name = BUF_INIT(INDEX_NAME_MAX);
	BUF_AUTO row = BUF_INIT(INDEX_NAME_MAX);
	struct part rest = { html, len }, href;
	struct index_entry entry;

	while (next_link(&rest, &href)) {
		const char *text_end;

		if (!link_name(href, base, &name, &entry.directory))
			continue;
		/* The link's own text may hold a date too: it is the name again. */
		text_end = find(rest, "</a>");
		if (text_end)
			rest = from(rest, text_end);
		row_text(rest, &row);
		read_row(row.s, &entry);
		entry.name = name.s;
		if (each(&entry, ctx, e) < 0)
			return -1;
	}
	return 0;
}

/* [{"name": "x", "type": "file", "mtime": "Tue, 17 Feb 2026 01:58:42 GMT", "size": 1}, ...] */
static json_t *read_json(const char *text, size_t len)
{
	json_t *list = len > 0 && text[0] == '[' ? json_loadb(text, len, 0, NULL) : NULL;

	if (json_is_array(list))
		return list;
	json_decref(list);
	return NULL;
}

static int parse_json(const json_t *list,
		      int (*each)(const struct index_entry *entry, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *type = json_string_value(json_object_get(o, "type"));
		const char *mtime = json_string_value(json_object_get(o, "mtime"));
		const json_t *size = json_object_get(o, "size");
		struct index_entry entry = { .name = json_string_value(json_object_get(o, "name")),
					     .directory = type && strcmp(type, "directory") == 0 };

		if (entry.name == NULL || type == NULL || strchr(entry.name, '/') ||
		    entry.name[0] == '\0' || strcmp(entry.name, ".") == 0 ||
		    strcmp(entry.name, "..") == 0 || strlen(entry.name) > INDEX_NAME_MAX)
			continue;
		entry.bytes = json_is_integer(size) ? json_integer_value(size) : -1;
		if (mtime == NULL || !utc_parse_http(mtime, &entry.modified_ms))
			entry.modified_ms = -1;
		if (each(&entry, ctx, e) < 0)
			return -1;
	}
	return 0;
}

int index_parse(const char *html, size_t len, const char *base,
		int (*each)(const struct index_entry *entry, void *ctx, struct err *e), void *ctx,
		struct err *e)
{
	json_t *list = read_json(html, len);

	if (list) {
		int rc = parse_json(list, each, ctx, e);

		json_decref(list);
		return rc;
	}
	return parse_html(html, len, base, each, ctx, e);
}

bool index_is_listing(const char *html, size_t len)
{
	struct part page = { html, len };
	json_t *list = read_json(html, len);

	json_decref(list);
	if (list)
		return true;

	return find(page, "<title>Index of ") || find(page, "<h1>Index of ") ||
	       find(page, "href=\"../\"") || find(page, "Directory listing for ");
}
