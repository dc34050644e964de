#include "lib/pg/covering.h"

#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void covering_free(struct covering *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].name);
		free(c->v[i].backup);
	}
	free(c->v);
	*c = (struct covering){ 0 };
}

void covering_add_database(struct covering *c, const char *name, int64_t bytes)
{
	c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct covered){ .name = xstrdup(name), .bytes = bytes };
}

/* Bytes of UTF-8 beyond ASCII belong to a word. */
static bool in_word(char byte)
{
	unsigned char c = (unsigned char)byte;

	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (n == 0)
		return false;
	for (const char *p = text; (p = strstr(p, word)) != NULL; p++)
		if ((p == text || !in_word(p[-1])) && !in_word(p[n]))
			return true;
	return false;
}

enum covering_of covering_by_name(const char *backup)
{
	static const char *const cluster[] = { "dumpall", "pg_dumpall", "cluster", "all-databases",
					       "all_databases" };
	static const char *const roles[] = { "globals", "globals-only", "roles" };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (has_word(backup, roles[i]))
			return COVERING_ROLES;
	for (size_t i = 0; i < sizeof(cluster) / sizeof(cluster[0]); i++)
		if (has_word(backup, cluster[i]))
			return COVERING_CLUSTER;
	return COVERING_DATABASE;
}

static struct covered *named(struct covering *c, const char *backup, const char *database)
{
	struct covered *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct covered *d = &c->v[i];

		if (database && *database) {
			if (strcmp(d->name, database) == 0)
				return d;
		} else if (has_word(backup, d->name) &&
			   (best == NULL || strlen(d->name) > strlen(best->name))) {
			best = d;
		}
	}
	return best;
}

static void cover(struct covered *d, const char *backup, int64_t at_ms)
{
	if (d->backup && d->at_ms >= at_ms)
		return;
	free(d->backup);
	d->backup = xstrdup(backup);
	d->at_ms = at_ms;
}

void covering_take(struct covering *c, const char *backup, int64_t at_ms, enum covering_of of,
		   const char *database)
{
	struct covered *d;

	c->backups++;
	c->roles |= of != COVERING_DATABASE;
	if (of == COVERING_CLUSTER)
		for (size_t i = 0; i < c->n; i++)
			cover(&c->v[i], backup, at_ms);
	d = of == COVERING_DATABASE ? named(c, backup, database) : NULL;
	if (d)
		cover(d, backup, at_ms);
}
