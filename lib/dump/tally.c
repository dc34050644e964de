#include "lib/dump/tally.h"

#include "lib/base/utc.h"

#include <stdlib.h>
#include <string.h>

enum { DATE_N = 10 /* 2026-02-17 */ };

void tally_begin(struct tally *t, int time_field, bool hashes)
{
	tally_free(t);
	*t = (struct tally){ .time_field = time_field, .hashes = hashes };
}

void tally_free(struct tally *t)
{
	rowhash_line_free(t->line);
	t->line = NULL;
}

bool tally_moment(const char *s, size_t n, int64_t *ms)
{
	char text[TALLY_TIME + 16];
	const char *missing;
	bool zone;

	if (n < DATE_N || n >= TALLY_TIME)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	zone = n > DATE_N && strpbrk(text + DATE_N, "+-Z") != NULL;
	missing = n == DATE_N ? " 00:00:00Z" : zone ? "" : "Z";
	memcpy(text + n, missing, strlen(missing) + 1);
	return utc_parse(text, ms);
}

static void see_moment(struct tally *t)
{
	int64_t ms;

	if (!tally_moment(t->held, t->held_n, &ms))
		return;
	if (!t->found || ms > t->newest_ms)
		t->newest_ms = ms;
	t->found = true;
}

/* A longer field is no moment: one byte too many is kept, so that it will not be taken for one. */
static void hold(struct tally *t, const char *p, size_t n)
{
	size_t room = sizeof(t->held) - t->held_n;

	if (n > room)
		n = room;
	memcpy(t->held + t->held_n, p, n);
	t->held_n = (unsigned char)(t->held_n + n);
}

/* Part of one row, without its end. */
static void see_fields(struct tally *t, const char *p, const char *end)
{
	while (t->field <= t->time_field) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		const char *to = tab ? tab : end;

		if (t->field == t->time_field)
			hold(t, p, (size_t)(to - p));
		if (tab == NULL)
			return;
		t->field++;
		p = tab + 1;
	}
}

/* nl: the row ends there; NULL: it goes on in the next piece. */
static void hash(struct tally *t, const char *p, const char *nl, const char *end)
{
	if (nl && !t->in_line) {
		rowhash_add(&t->hash, p, (size_t)(nl - p));
		return;
	}
	if (t->line == NULL)
		t->line = rowhash_line_new();
	if (t->line == NULL) { /* better no hash than a wrong one */
		t->hashes = false;
		return;
	}
	rowhash_line_part(t->line, p, (size_t)((nl ? nl : end) - p));
	if (nl)
		rowhash_line_end(t->line, &t->hash);
	t->in_line = nl == NULL;
}

static void see_rows(struct tally *t, const char *p, const char *end)
{
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (t->hashes)
			hash(t, p, nl, end);
		see_fields(t, p, nl ? nl : end);
		if (nl == NULL)
			return;
		if (t->time_field >= 0)
			see_moment(t);
		t->field = 0;
		t->held_n = 0;
		t->rows++;
		p = nl + 1;
	}
}

void tally_copy(struct tally *t, const char *p, size_t n, uint64_t rows)
{
	if (t->time_field >= 0 || t->hashes)
		see_rows(t, p, p + n);
	else
		t->rows += rows;
	t->bytes += n;
}

void tally_insert(struct tally *t, uint64_t rows, size_t n)
{
	t->rows += rows;
	t->bytes += n;
}
