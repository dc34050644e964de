#include "lib/dump/content.h"

#include "lib/dump/lines.h"
#include "lib/dump/sqlstmt.h"

#include <string.h>

/* What stands behind the rows of COPY text. */
static const char copy_end[] = "\\.\n\n\n";
enum { COPY_END = sizeof(copy_end) - 1, INSERTS_END = 2 /* line ends */, TARGET_MAX = 1024 };

void content_begin(struct content *c, const struct archive_entry *entry, const char *name,
		   struct tally *tally)
{
	*c = (struct content){ .kind = CONTENT_OBJECT };
	if (strcmp(entry->desc, "TABLE DATA") != 0)
		return;
	c->tally = tally;
	c->kind = entry->copy[0] ? CONTENT_COPY : CONTENT_INSERTS;
	if (c->kind == CONTENT_INSERTS)
		c->scan = sqlscan_new(name, 0);
}

static void drain(struct content *c)
{
	char target[TARGET_MAX];
	struct sqlscan_event ev;
	uint64_t rows;

	while (c->failed.kind == ERR_NONE && sqlscan_next(c->scan, &ev, &c->failed) > 0)
		if (c->tally && ev.kind == SQLSCAN_STATEMENT &&
		    sqlstmt_insert(ev.text, ev.n, target, sizeof(target), &rows))
			tally_insert(c->tally, rows, 0);
}

static void count(const struct content *c, const char *p, size_t n)
{
	tally_copy(c->tally, p, n, lines_count(p, n));
}

/* All but the last bytes of what was seen and of p: those may be the end mark. */
static void count_rows(struct content *c, const char *p, size_t n)
{
	size_t held = c->bytes < COPY_END ? (size_t)c->bytes : COPY_END;
	size_t over = held + n > COPY_END ? held + n - COPY_END : 0;
	size_t old = over < held ? over : held;

	count(c, c->tail + CONTENT_TAIL - held, old);
	count(c, p, over - old);
}

void content_see(struct content *c, const void *p, size_t n)
{
	const char *s = p;
	size_t k = n < sizeof(c->tail) ? n : sizeof(c->tail);

	if (c->tally && c->kind == CONTENT_COPY)
		count_rows(c, s, n);
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
		whole = ends(c, "\n\\.\n\n\n") || (c->bytes == COPY_END && ends(c, copy_end));
	if (c->kind == CONTENT_INSERTS)
		whole = c->failed.kind == ERR_NONE &&
			(ends(c, ";\n\n\n") || (c->bytes == INSERTS_END && ends(c, "\n\n")));
	if (c->kind == CONTENT_INSERTS && c->tally && whole)
		tally_insert(c->tally, 0, (size_t)c->bytes - INSERTS_END);
	return whole;
}
