#include "lib/restore/meta.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 1024 };

/* One argument: plain characters, or text in double quotes with "" for a quote. Nothing of psql's
 * other syntax (variables, single quotes, backticks) is taken. False at the end or when bad. */
static bool next_word(const char **at, char *out, size_t size)
{
	const char *p = *at + strspn(*at, " \t\r");
	size_t n = 0;
	bool quoted = *p == '"';

	if (quoted) {
		for (p++; *p && n + 1 < size; p++) {
			if (*p == '"' && *++p != '"')
				break;
			out[n++] = *p;
		}
		if (p[-1] != '"' || n == 0)
			return false;
	} else {
		while (*p && !strchr(" \t\r\"'`\\:", *p) && n + 1 < size)
			out[n++] = *p++;
	}
	out[n] = '\0';
	*at = p;
	return n > 0 && (*p == '\0' || strchr(" \t\r", *p));
}

/* "dbname='we ird'" and nothing else. */
static bool only_dbname(const char *conninfo, char *out, size_t size)
{
	PQconninfoOption *all = PQconninfoParse(conninfo, NULL);
	bool good = all != NULL;

	out[0] = '\0';
	for (const PQconninfoOption *o = all; o && o->keyword; o++) {
		if (o->val == NULL)
			continue;
		if (strcmp(o->keyword, "dbname") != 0 ||
		    snprintf(out, size, "%s", o->val) >= (int)size)
			good = false;
	}
	PQconninfoFree(all);
	return good && out[0];
}

static enum meta_kind parse_connect(const char *at, char *arg, size_t size)
{
	char word[WORD];

	if (!next_word(&at, word, sizeof(word)))
		return META_REFUSED;
	if (strcmp(word, "-reuse-previous=on") == 0) {
		if (!next_word(&at, word, sizeof(word)) || !only_dbname(word, arg, size))
			return META_REFUSED;
	} else if (strchr(word, '=') || strstr(word, "://") || strcmp(word, "-") == 0 ||
		   snprintf(arg, size, "%s", word) >= (int)size) {
		return META_REFUSED;
	}
	return at[strspn(at, " \t\r")] ? META_REFUSED : META_CONNECT;
}

enum meta_kind meta_parse(const char *line, char *arg, size_t size)
{
	size_t n = strcspn(line, " \t\r");
	const char *at = line + n;

	arg[0] = '\0';
	if ((n == 9 && strncmp(line, "\\restrict", n) == 0) ||
	    (n == 11 && strncmp(line, "\\unrestrict", n) == 0))
		return META_NOTHING;
	if ((n == 8 && strncmp(line, "\\connect", n) == 0) ||
	    (n == 2 && strncmp(line, "\\c", n) == 0))
		return parse_connect(at, arg, size);
	if (n == 9 && strncmp(line, "\\encoding", n) == 0 && next_word(&at, arg, size) &&
	    at[strspn(at, " \t\r")] == '\0')
		return META_ENCODING;
	return META_REFUSED;
}
