#include "lib/dump/mongo.h"

#include "lib/base/xmem.h"

#include <inttypes.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char magic[4] = { 0x6d, 0xe2, 0x99, 0x81 };
static const uint32_t terminator = 0xffffffff;

/* MaxBSONSize, and what a server may put around a document of that size. */
enum { DOCUMENT_MIN = 5, DOCUMENT_MAX = (16 << 20) + (16 << 10), NAME_MAX_B = 256 };

/* What a collection still owes; by its place in the rows. */
struct owed {
	uint64_t crc;
	bool must_end, ended;
};

struct mongo {
	struct stream *s;
	struct census *rows;
	struct owed *owed;
	size_t n_owed;
	unsigned char *document; /* the last one read by read_document() */
	size_t size;             /* of it */
};

/* What we look for in the documents of the archive itself. */
struct header {
	char db[NAME_MAX_B], collection[NAME_MAX_B], type[16];
	bool eof;
	uint64_t crc;
};

static int damaged(const struct mongo *m, struct err *e, const char *what)
{
	return err_set(e, ERR_BACKUP, "read %.200s: damaged: %s, before byte %" PRIu64,
		       stream_name(m->s), what, stream_out_b(m->s));
}

static uint32_t u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t u64(const unsigned char *p)
{
	return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static int take(const struct mongo *m, void *p, size_t n, struct err *e)
{
	ssize_t got = stream_read(m->s, p, n, e);

	if (got < 0 || (size_t)got == n)
		return got < 0 ? -1 : 0;
	return err_set(e, ERR_BACKUP, "read %.200s: truncated: it ends at byte %" PRIu64,
		       stream_name(m->s), stream_out_b(m->s));
}

/* A document, of which *n bytes in all: 1; 0: a terminator instead; -1. */
static int begin_document(const struct mongo *m, uint32_t *n, struct err *e)
{
	unsigned char b[4];

	if (take(m, b, sizeof(b), e) < 0)
		return -1;
	*n = u32(b);
	if (*n == terminator)
		return 0;
	if (*n < DOCUMENT_MIN || *n > DOCUMENT_MAX)
		return damaged(m, e, "no document has such a length");
	return 1;
}

static int read_document(struct mongo *m, struct err *e)
{
	uint32_t n;
	int r = begin_document(m, &n, e);

	if (r <= 0)
		return r;
	m->document = xrealloc(m->document, n, 1);
	m->size = n;
	if (take(m, m->document + 4, n - 4, e) < 0)
		return -1;
	return m->document[n - 1] == 0 ? 1 : damaged(m, e, "a document without its end");
}

/* The size of a value of this type at p, of which n bytes are there; SIZE_MAX: damaged. */
static size_t value_size(unsigned char type, const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char type, fixed; /* bytes */
		bool counted;              /* a length stands before, and is not counted itself */
	} types[] = {
		{ 0x01, 8, false },  { 0x02, 4, true },   { 0x03, 0, true },  { 0x04, 0, true },
		{ 0x05, 5, true },   { 0x07, 12, false }, { 0x08, 1, false }, { 0x09, 8, false },
		{ 0x0a, 0, false },  { 0x10, 4, false },  { 0x11, 8, false }, { 0x12, 8, false },
		{ 0x13, 16, false },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint64_t size = types[i].fixed;

		if (types[i].type != type)
			continue;
		if (types[i].counted && n < 4)
			return SIZE_MAX;
		if (types[i].counted)
			size += u32(p);
		return size <= n ? (size_t)size : SIZE_MAX;
	}
	return SIZE_MAX;
}

/* A string's value, up to a NUL in it. */
static void take_text(char *out, size_t size, const unsigned char *p, size_t n)
{
	size_t len = strnlen((const char *)p + 4, n - 4);

	if (len >= size)
		len = size - 1;
	memcpy(out, p + 4, len);
	out[len] = '\0';
}

static void see_field(struct header *h, const char *name, unsigned char type,
		      const unsigned char *p, size_t n)
{
	if (type == 0x02 && strcmp(name, "db") == 0)
		take_text(h->db, sizeof(h->db), p, n);
	else if (type == 0x02 && strcmp(name, "collection") == 0)
		take_text(h->collection, sizeof(h->collection), p, n);
	else if (type == 0x02 && strcmp(name, "type") == 0)
		take_text(h->type, sizeof(h->type), p, n);
	else if (type == 0x08 && strcmp(name, "EOF") == 0)
		h->eof = p[0] != 0;
	else if (type == 0x12 && strcmp(name, "CRC") == 0)
		h->crc = u64(p);
}

static int parse(const struct mongo *m, struct header *h, struct err *e)
{
	const unsigned char *p = m->document + 4, *end = m->document + m->size - 1;

	*h = (struct header){ 0 };
	while (p < end) {
		unsigned char type = *p++;
		const unsigned char *nul = memchr(p, 0, (size_t)(end - p));
		size_t n = nul ? value_size(type, nul + 1, (size_t)(end - nul - 1)) : SIZE_MAX;

		if (nul == NULL || n == SIZE_MAX)
			return damaged(m, e, "a header that is no BSON");
		see_field(h, (const char *)p, type, nul + 1, n);
		p = nul + 1 + n;
	}
	return 0;
}

static struct owed *owed(struct mongo *m, const char *db, const char *collection,
			 struct census_table **table)
{
	*table = census_table(m->rows, db, collection);
	if (m->rows->n > m->n_owed) {
		m->owed = xrealloc(m->owed, m->rows->cap, sizeof(*m->owed));
		memset(m->owed + m->n_owed, 0, (m->rows->cap - m->n_owed) * sizeof(*m->owed));
		m->n_owed = m->rows->cap;
	}
	return &m->owed[(*table)->at];
}

/* The collections that the archive says it holds. A view has no data; that of a time series lies in
 * a collection of its own. */
static int prelude(struct mongo *m, struct err *e)
{
	char buckets[NAME_MAX_B + 16];
	struct census_table *table;
	struct header h;
	int r = read_document(m, e);

	if (r == 0)
		return damaged(m, e, "no header");
	while (r > 0 && (r = read_document(m, e)) > 0) {
		if (parse(m, &h, e) < 0)
			return -1;
		if (strcmp(h.type, "view") == 0)
			continue;
		(void)snprintf(buckets, sizeof(buckets), "system.buckets.%s", h.collection);
		owed(m, h.db, strcmp(h.type, "timeseries") == 0 ? buckets : h.collection, &table)
			->must_end = true;
	}
	return r;
}

/* One document of a collection, of n bytes in all. */
static int see_document(const struct mongo *m, struct owed *o, struct census_table *t, uint32_t n,
			struct err *e)
{
	unsigned char step[16 * 1024] = { (unsigned char)n, (unsigned char)(n >> 8),
					  (unsigned char)(n >> 16), (unsigned char)(n >> 24) };
	size_t left = n - 4;
	size_t k = 0;

	o->crc = lzma_crc64(step, 4, o->crc);
	for (; left > 0; left -= k) {
		k = left < sizeof(step) ? left : sizeof(step);
		if (take(m, step, k, e) < 0)
			return -1;
		o->crc = lzma_crc64(step, k, o->crc);
	}
	if (step[k - 1] != 0)
		return damaged(m, e, "a document without its end");
	tally_insert(&t->tally, 1, n);
	return 0;
}

static int end_collection(const struct mongo *m, struct owed *o, struct census_table *t,
			  const struct header *h, struct err *e)
{
	if (o->ended)
		return damaged(m, e, "a collection ends twice");
	if (h->crc != o->crc)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: the checksum of %.60s.%.100s is not that of "
			       "its documents",
			       stream_name(m->s), h->db, h->collection);
	o->ended = true;
	t->whole = true;
	return 0;
}

/* One block behind its header. */
static int block(struct mongo *m, struct err *e)
{
	struct census_table *t;
	struct owed *o;
	struct header h;
	uint32_t n;
	int r;

	if (parse(m, &h, e) < 0)
		return -1;
	if (h.collection[0] == '\0')
		return damaged(m, e, "a block of no collection");
	o = owed(m, h.db, h.collection, &t);
	o->must_end = true;
	if (h.eof && end_collection(m, o, t, &h, e) < 0)
		return -1;
	while ((r = begin_document(m, &n, e)) > 0) {
		if (o->ended)
			return damaged(m, e, "documents behind the end of their collection");
		if (see_document(m, o, t, n, e) < 0)
			return -1;
	}
	return r;
}

static int all_ended(const struct mongo *m, struct err *e)
{
	const struct census_table *first = NULL;
	size_t missing = 0;

	for (size_t i = 0; i < m->rows->n && i < m->n_owed; i++)
		if (m->owed[i].must_end && !m->owed[i].ended && missing++ == 0)
			first = m->rows->v[i];
	if (first)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: the end of %zu collection%s is missing, "
			       "first %.60s.%.100s",
			       stream_name(m->s), missing, missing == 1 ? "" : "s", first->database,
			       first->name);
	return 0;
}

static int blocks(struct mongo *m, struct err *e)
{
	const unsigned char *p;
	ssize_t more;
	int r;

	while ((more = stream_peek(m->s, 1, &p, e)) > 0) {
		r = read_document(m, e);
		if (r == 0)
			return damaged(m, e, "a block without a header");
		if (r < 0 || block(m, e) < 0)
			return -1;
	}
	return more < 0 ? -1 : all_ended(m, e);
}

int mongo_count(struct stream *s, struct census *rows, struct err *e)
{
	struct mongo m = { .s = s, .rows = rows };
	unsigned char first[sizeof(magic)];
	int r = take(&m, first, sizeof(first), e);

	if (r == 0 && memcmp(first, magic, sizeof(magic)) != 0)
		r = damaged(&m, e, "it is no archive of mongodump");
	if (r == 0)
		r = prelude(&m, e);
	if (r == 0)
		r = blocks(&m, e);
	free(m.owed);
	free(m.document);
	return r;
}
