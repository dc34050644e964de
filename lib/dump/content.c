#include "lib/dump/content.h"

#include <string.h>

void content_begin(struct content *c, const struct archive_entry *entry, const char *name)
{
	*c = (struct content){ .kind = CONTENT_OBJECT };
	if (strcmp(entry->desc, "TABLE DATA") != 0)
		return;
	c->kind = entry->copy[0] ? CONTENT_COPY : CONTENT_INSERTS;
	if (c->kind == CONTENT_INSERTS)
		c->scan = sqlscan_new(name, 0);
}

static void drain(struct content *c)
{
	struct sqlscan_event ev;

	while (c->failed.kind == ERR_NONE && sqlscan_next(c->scan, &ev, &c->failed) > 0)
		continue;
}

void content_see(struct content *c, const void *p, size_t n)
{
	const char *s = p;
	size_t k = n < sizeof(c->tail) ? n : sizeof(c->tail);

	memmove(c->tail, c->tail + k, sizeof(c->tail) - k);
	memcpy(c->tail + sizeof(c->tail) - k, s + n - k, k);
	c->bytes += n;
	if (c->scan) {
		sqlscan_feed(c->scan, p, n);
		drain(c);
	}
}

static bool ends(const struct content *c, const char *with)
{
	size_t n = strlen(with);

	return c->bytes >= n && memcmp(c->tail + sizeof(c->tail) - n, with, n) == 0;
}

bool content_end(struct content *c)
{
	bool whole = true;

	if (c->scan) {
		sqlscan_feed_end(c->scan);
		drain(c);
		sqlscan_free(c->scan);
		c->scan = NULL;
	}
	if (c->kind == CONTENT_COPY)
		whole = ends(c, "\n\\.\n\n\n") || (c->bytes == 5 && ends(c, "\\.\n\n\n"));
	if (c->kind == CONTENT_INSERTS)
		whole = c->failed.kind == ERR_NONE &&
			(ends(c, ";\n\n\n") || (c->bytes == 2 && ends(c, "\n\n")));
	return whole;
}
