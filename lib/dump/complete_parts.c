#include "lib/dump/complete_parts.h"

#include "lib/base/xmem.h"
#include "lib/dump/content.h"
#include "lib/dump/parallel.h"
#include "lib/dump/sqlstmt.h"

#include <inttypes.h>
#include <string.h>

void parts_add_oid(struct oids *l, uint32_t oid)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n++] = oid;
}

static bool parse_oid(const char *s, const char **end, uint32_t *oid)
{
	uint64_t v = 0;
	const char *p = s;

	for (; *p >= '0' && *p <= '9' && v <= UINT32_MAX; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*end = p;
	*oid = (uint32_t)v;
	return p > s && v > 0 && v <= UINT32_MAX;
}

/* Up to 1.15 an entry BLOB is one large object, its tag the oid; from 1.16 on BLOB METADATA lists
 * the oids in its defn, one a line (pg_dump.c, dumpLO). */
static void created_by(const struct archive_entry *t, struct oids *created)
{
	const char *at = strcmp(t->desc, "BLOB") == 0 ? t->tag : t->defn;
	uint32_t oid;

	if (strcmp(t->desc, "BLOB") != 0 && strcmp(t->desc, "BLOB METADATA") != 0)
		return;
	while (parse_oid(at, &at, &oid)) {
		parts_add_oid(created, oid);
		if (*at != '\n')
			break;
		at++;
	}
}

enum { TABLE_NAME = 512 };

static void expect_rows(struct parts *p, size_t i)
{
	const struct archive_entry *t = &p->archive.entries[i];
	char name[TABLE_NAME];

	if (strcmp(t->desc, "ENCODING") == 0)
		(void)sqlstmt_setting(t->defn, strlen(t->defn), "client_encoding", p->out->encoding,
				      sizeof(p->out->encoding));
	if (strcmp(t->desc, "SEQUENCE SET") == 0)
		census_statement(p->rows, "", t->schema, t->defn, strlen(t->defn));
	if (!t->has_data || strcmp(t->desc, "TABLE DATA") != 0)
		return;
	(void)snprintf(name, sizeof(name), "%s.%s", t->schema, t->tag);
	p->tables[i] = census_table(p->rows, "", name);
	census_begin_copy(p->rows, p->tables[i], t->copy, strlen(t->copy));
}

int parts_read(struct parts *p, struct stream *s, struct err *e)
{
	if (archive_read(s, &p->archive, e) < 0)
		return -1;
	p->found = xcalloc(p->archive.n, sizeof(*p->found));
	p->bytes = xcalloc(p->archive.n, sizeof(*p->bytes));
	for (size_t i = 0; i < p->archive.n; i++)
		created_by(&p->archive.entries[i], &p->created);
	if (p->rows == NULL)
		return 0;
	p->tables = xcalloc(p->archive.n, sizeof(struct census_table *));
	for (size_t i = 0; i < p->archive.n; i++)
		expect_rows(p, i);
	return 0;
}

void parts_free(struct parts *p)
{
	archive_free(&p->archive);
	free(p->tables);
	free(p->found);
	free(p->bytes);
	free(p->created.v);
	free(p->listed.v);
	free(p->there.v);
	(void)pthread_mutex_destroy(&p->lock);
	*p = (struct parts){ 0 };
}

int64_t parts_find(const struct parts *p, int64_t id)
{
	const struct archive_entry *t = archive_entry_by_id(&p->archive, id);

	return t ? t - p->archive.entries : -1;
}

const char *parts_name(const struct archive_entry *t, char out[PARTS_NAME])
{
	if (strcmp(t->desc, "TABLE DATA") == 0)
		(void)snprintf(out, PARTS_NAME, "the data of %.60s.%.60s", t->schema, t->tag);
	else
		(void)snprintf(out, PARTS_NAME, "%.60s %.60s", t->desc, t->tag);
	return out;
}

uint32_t parts_object_file(const char *name)
{
	const char *end;
	uint32_t oid;

	if (strncmp(name, "blob_", 5) != 0 || !parse_oid(name + 5, &end, &oid) ||
	    strcmp(end, ".dat") != 0)
		return 0;
	return oid;
}

const char *parts_list_line(struct parts *p, const char *line, struct err *e)
{
	const char *at;
	uint32_t oid;

	if (!parse_oid(line, &at, &oid) || *at != ' ' || parts_object_file(at + 1) != oid) {
		(void)err_set(
			e, ERR_BACKUP,
			"read %.200s: damaged: \"%.40s\" is no line of a list of large objects",
			p->path, line);
		return NULL;
	}
	parts_add_oid(&p->listed, oid);
	return at + 1;
}

struct stream_opts parts_limits(const struct parts *p, const char *name)
{
	return (struct stream_opts){ .name = name, .max_ratio = p->limits.max_ratio };
}

/* The limit is on all parts together. */
static int count_out(struct parts *p, uint64_t n, struct err *e)
{
	bool too_much;

	(void)pthread_mutex_lock(&p->lock);
	p->unpacked_b += n;
	p->out->data_b += n;
	too_much = p->limits.max_out_b && p->unpacked_b > p->limits.max_out_b;
	(void)pthread_mutex_unlock(&p->lock);
	if (!too_much)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "read %.200s: more than %" PRIu64
		       " bytes come out of it; raise MAX_UNPACKED if that is right",
		       p->path, p->limits.max_out_b);
}

void parts_object_there(struct parts *p, uint32_t oid, bool bare)
{
	(void)pthread_mutex_lock(&p->lock);
	if (bare)
		(void)snprintf(p->out->note, sizeof(p->out->note),
			       "large objects without compression have no end mark: that they are "
			       "whole is not proven");
	parts_add_oid(&p->there, oid);
	(void)pthread_mutex_unlock(&p->lock);
}

void parts_object_in_block(struct parts *p, uint32_t oid)
{
	(void)pthread_mutex_lock(&p->lock);
	parts_add_oid(&p->listed, oid);
	parts_add_oid(&p->there, oid);
	(void)pthread_mutex_unlock(&p->lock);
}

void parts_forget(struct parts *p)
{
	memset(p->found, 0, p->archive.n * sizeof(*p->found));
	memset(p->bytes, 0, p->archive.n * sizeof(*p->bytes));
	p->listed.n = p->there.n = 0;
	p->out->data_b = 0;
}

/* Up to n bytes of s into c: how many there were; -1. */
static int64_t see_content(struct parts *p, struct stream *s, uint64_t n, struct content *c,
			   struct err *e)
{
	const unsigned char *at;
	uint64_t left = n;
	ssize_t got;

	while (left > 0 && (got = stream_next_of(s, left, &at, e)) != 0) {
		if (got < 0 || count_out(p, (uint64_t)got, e) < 0)
			return -1;
		content_see(c, at, (size_t)got);
		left -= (uint64_t)got;
	}
	return (int64_t)(n - left);
}

int parts_object(struct parts *p, struct stream *s, uint64_t n, const char *where, struct err *e)
{
	struct content c = { .kind = CONTENT_OBJECT };
	int64_t got = see_content(p, s, n, &c, e);

	if (got >= 0 && n != UINT64_MAX && (uint64_t)got < n)
		return err_set(e, ERR_BACKUP, "read %.200s: truncated in %.80s", p->path, where);
	return got < 0 ? -1 : 0;
}

int parts_content(struct parts *p, struct stream *s, uint64_t n, const struct archive_entry *t,
		  const char *where, struct err *e)
{
	struct census_table *table = p->tables ? p->tables[t - p->archive.entries] : NULL;
	char name[PARTS_NAME];
	struct content c;
	int64_t got;
	bool whole;

	content_begin(&c, t, where ? where : p->path, table ? &table->tally : NULL);
	got = see_content(p, s, n, &c, e);
	whole = content_end(&c);
	if (got < 0)
		return -1;
	p->bytes[t - p->archive.entries] = (uint64_t)got;
	if (!whole && where == NULL)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: %s has no end mark, after %" PRIu64
			       " bytes",
			       p->path, parts_name(t, name), c.bytes);
	if (!whole)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: %s (%.80s) ends after %" PRIu64
			       " bytes without its end mark",
			       p->path, parts_name(t, name), where, c.bytes);
	if (n != UINT64_MAX && (uint64_t)got < n)
		return err_set(e, ERR_BACKUP, "read %.200s: truncated in %s (%.80s)", p->path,
			       parts_name(t, name), where);
	if (table)
		table->whole = true;
	return 0;
}

int parts_each(struct parts *p, size_t n, int (*work)(void *ctx, size_t i, struct err *e),
	       void *ctx, struct err *e)
{
	size_t failed = parallel_run(n, p->threads, work, ctx, e);

	if (failed > 1)
		(void)err_wrap(e, "%zu parts of it are bad, one of them", failed);
	return failed ? -1 : 0;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void sort(const struct oids *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_value);
}

/* Every one of want must be in have. */
static int compare(const struct parts *p, const struct oids *want, const struct oids *have,
		   struct err *e)
{
	size_t k = 0, missing = 0;
	uint32_t first = 0;

	sort(want);
	sort(have);
	for (size_t i = 0; i < want->n; i++) {
		while (k < have->n && have->v[k] < want->v[i])
			k++;
		if (k < have->n && have->v[k] == want->v[i])
			continue;
		if (missing++ == 0)
			first = want->v[i];
	}
	if (missing == 0)
		return 0;
	return err_set(
		e, ERR_BACKUP,
		"read %.200s: incomplete: %zu of %zu large objects are missing, first %" PRIu32,
		p->path, missing, want->n, first);
}

static int all_objects(const struct parts *p, struct err *e)
{
	bool dumped = false; /* not with pg_dump --no-blobs, --schema-only */

	for (size_t i = 0; i < p->archive.n; i++)
		dumped |= strcmp(p->archive.entries[i].desc, "BLOBS") == 0;
	if (dumped && compare(p, &p->created, &p->listed, e) < 0)
		return -1;
	return compare(p, &p->listed, &p->there, e);
}

/* Whose rows it is over: the position of the entry of a table; -1: it is no index. */
static int64_t indexed(const struct parts *p, const struct archive_entry *t)
{
	if (strcmp(t->desc, "INDEX") != 0 && strcmp(t->desc, "CONSTRAINT") != 0)
		return -1;
	for (size_t i = 0; i < t->n_depends; i++) {
		int64_t on = parts_find(p, t->depends[i]);

		if (on >= 0 && strcmp(p->archive.entries[on].desc, "TABLE") == 0)
			return on;
	}
	return -1;
}

static void sum_up(const struct parts *p)
{
	const struct archive *a = &p->archive;
	AUTO_FREE uint64_t *rows_b = xcalloc(a->n, sizeof(*rows_b)); /* by the table's entry */

	for (size_t i = 0; i < a->n; i++) {
		const struct archive_entry *t = &a->entries[i];

		p->out->rows_b += p->bytes[i];
		for (size_t k = 0; p->bytes[i] && k < t->n_depends; k++) {
			int64_t of = parts_find(p, t->depends[k]);

			if (of >= 0)
				rows_b[of] += p->bytes[i];
		}
	}
	for (size_t i = 0; i < a->n; i++) {
		int64_t on = indexed(p, &a->entries[i]);

		p->out->indexes += on >= 0;
		p->out->indexed_b += on >= 0 ? rows_b[on] : 0;
	}
}

int parts_all_found(const struct parts *p, struct err *e)
{
	const struct archive_entry *first = NULL;
	size_t missing = 0, all = 0;
	char name[PARTS_NAME];

	for (size_t i = 0; i < p->archive.n; i++) {
		const struct archive_entry *t = &p->archive.entries[i];

		if (!t->has_data)
			continue;
		all++;
		p->out->tables += strcmp(t->desc, "TABLE DATA") == 0;
		if (!p->found[i] && missing++ == 0)
			first = t;
	}
	p->out->objects = p->listed.n;
	sum_up(p);
	if (first)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: incomplete: %zu of %zu parts are missing, first %s",
			       p->path, missing, all, parts_name(first, name));
	return all_objects(p, e);
}
