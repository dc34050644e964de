#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/complete_parts.h"
#include "lib/dump/multi.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The chunks of one table or object as one source of packed bytes. */
struct chunks {
	const struct parts *p;
	struct stream *s;
	uint64_t left; /* of this chunk */
	bool over;
};

static int truncated(const struct parts *p, const struct stream *s, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %.200s: truncated: it ends at byte %" PRIu64, p->path,
		       stream_out_b(s));
}

/* Sets .left, or .over. */
static int next_chunk(struct chunks *c, struct err *e)
{
	int64_t n = archive_chunk(c->s, &c->p->archive.header, e);

	if (n < 0)
		return -1;
	c->left = (uint64_t)n;
	c->over = n == 0;
	return 0;
}

/* As much as is wanted: chunks are as small as the buffer of whoever packed them, and unpacking
 * is fast in large pieces only. */
static ssize_t read_chunks(void *ctx, void *to, size_t n, struct err *e)
{
	struct chunks *c = ctx;
	size_t had = 0;
	ssize_t got;

	while (had < n) {
		if (c->left == 0 && !c->over && next_chunk(c, e) < 0)
			return -1;
		if (c->over)
			break;
		got = stream_read(c->s, (char *)to + had,
				  n - had < c->left ? n - had : (size_t)c->left, e);
		if (got == 0)
			return truncated(c->p, c->s, e);
		if (got < 0)
			return -1;
		c->left -= (uint64_t)got;
		had += (size_t)got;
	}
	return (ssize_t)had;
}

/* Without a look at what is in them. The data of a table (t) or of a large object (NULL). */
static int skip_chunks(struct parts *p, struct stream *s, const struct archive_entry *t,
		       struct err *e)
{
	struct chunks c = { .p = p, .s = s };
	int64_t got;

	for (;;) {
		if (next_chunk(&c, e) < 0)
			return -1;
		if (c.over)
			return 0;
		got = stream_skip(s, c.left, e);
		if (got < 0)
			return -1;
		if ((uint64_t)got < c.left)
			return truncated(p, s, e);
		p->out->data_b += c.left;
		if (t)
			p->bytes[t - p->archive.entries] += c.left;
	}
}

/* The data of a table (t) or of a large object (NULL), unpacked. */
static int unpack_chunks(struct parts *p, struct stream *s, const struct archive_entry *t,
			 struct err *e)
{
	static const char *const codecs[] = { "none", "zlib", "lz4", "zstd" };
	struct chunks c = { .p = p, .s = s };
	const struct stream_source source = { read_chunks, &c };
	char name[PARTS_NAME], where[2 * PARTS_NAME] = "";
	struct stream_opts opts = parts_limits(p, where);
	STREAM_AUTO *inner = NULL;

	if (next_chunk(&c, e) < 0)
		return -1;
	/* An empty large object is nothing at all in some versions. */
	if (c.over && t == NULL)
		return 0;
	(void)snprintf(where, sizeof(where), "%.120s (%s)", p->path,
		       t ? parts_name(t, name) : "a large object");
	opts.codec = codecs[p->archive.header.packing];
	inner = stream_open(&source, &opts, e);
	if (inner == NULL)
		return -1;
	return t ? parts_content(p, inner, UINT64_MAX, t, NULL, e)
		 : parts_object(p, inner, UINT64_MAX, "a large object", e);
}

static int walk_objects(struct parts *p, struct stream *s, bool deep, struct err *e)
{
	int64_t oid;
	int r;

	while ((r = archive_object_begin(s, &p->archive.header, &oid, e)) > 0) {
		if ((deep ? unpack_chunks(p, s, NULL, e) : skip_chunks(p, s, NULL, e)) < 0)
			return -1;
		parts_object_in_block(p, (uint32_t)oid);
	}
	return r;
}

/* The entry that a block belongs to: its position, or -1. */
static int64_t entry_of(const struct parts *p, const struct archive_block *b, struct err *e)
{
	int64_t i = parts_find(p, b->id);
	const struct archive_entry *t = i < 0 ? NULL : &p->archive.entries[i];

	if (t && t->has_data && b->large_objects == (strcmp(t->desc, "BLOBS") == 0))
		return i;
	return err_set(e, ERR_BACKUP,
		       "read %.200s: damaged: a data block at byte %" PRIu64 " belongs to nothing",
		       p->path, b->at_b);
}

/* What is in the block of the entry i. */
static int see_block(struct parts *p, struct stream *s, size_t i, bool deep, struct err *e)
{
	const struct archive_entry *t = &p->archive.entries[i];
	int r;

	if (strcmp(t->desc, "BLOBS") == 0)
		r = walk_objects(p, s, deep, e);
	else
		r = deep ? unpack_chunks(p, s, t, e) : skip_chunks(p, s, t, e);
	if (r == 0)
		p->found[i] = true;
	return r;
}

/* ---- one after the other ------------------------------------------------------------- */

struct place {
	size_t entry;
	uint64_t at_b, end_b;
};

struct places {
	struct parts *p;
	int fd;
	struct place *v; /* one for each entry at most */
	size_t n;
	uint64_t contents_b; /* where the contents follow once more; 0: they do not */
};

static int walk_block(struct places *w, struct stream *s, const struct archive_block *b, bool deep,
		      struct err *e)
{
	struct parts *p = w->p;
	int64_t i = entry_of(p, b, e);
	const struct archive_entry *t = i < 0 ? NULL : &p->archive.entries[i];
	char name[PARTS_NAME];

	if (t == NULL)
		return -1;
	if (p->found[i])
		return err_set(e, ERR_BACKUP, "read %.200s: damaged: %s comes twice", p->path,
			       parts_name(t, name));
	if (t->offset_known && t->offset_b != b->at_b)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: %s is at byte %" PRIu64 ", not at %" PRIu64,
			       p->path, parts_name(t, name), b->at_b, t->offset_b);
	if (see_block(p, s, (size_t)i, deep, e) < 0)
		return -1;
	w->v[w->n++] = (struct place){ (size_t)i, b->at_b, stream_out_b(s) };
	return 0;
}

static int walk(struct places *w, struct stream *s, bool deep, struct err *e)
{
	const struct archive *a = &w->p->archive;
	struct archive_block b;
	int r;

	for (;;) {
		const uint64_t at_b = stream_out_b(s);

		r = archive_ends_in_contents(s, a, e);
		if (r > 0)
			w->contents_b = at_b;
		if (r != 0)
			return r < 0 ? -1 : 0;
		r = archive_block_begin(s, &a->header, &b, e);
		if (r <= 0)
			return r;
		if (walk_block(w, s, &b, deep, e) < 0)
			return -1;
	}
}

/* ---- all at once --------------------------------------------------------------------- */

/* From the table of contents, when it has been told all offsets. */
static bool places_known(struct places *w)
{
	const struct archive *a = &w->p->archive;

	for (size_t i = 0; i < a->n; i++) {
		if (!a->entries[i].has_data)
			continue;
		if (!a->entries[i].offset_known)
			return false;
		w->v[w->n++] = (struct place){ .entry = i, .at_b = a->entries[i].offset_b };
	}
	return true;
}

struct cursor {
	int fd;
	uint64_t at_b;
};

static ssize_t read_at(void *ctx, void *p, size_t n, struct err *e)
{
	struct cursor *c = ctx;
	ssize_t got;

	do
		got = c->at_b > INT64_MAX ? 0 : pread(c->fd, p, n, (off_t)c->at_b);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_set(e, ERR_SYSTEM, "read a block: %s", strerror(errno));
	c->at_b += (uint64_t)got;
	return got;
}

static int see_place(void *ctx, size_t i, struct err *e)
{
	const struct places *w = ctx;
	struct parts *p = w->p;
	struct place *place = &w->v[i];
	struct cursor at = { w->fd, place->at_b };
	const struct stream_source source = { read_at, &at };
	const struct stream_opts opts = { .name = p->path, .codec = "none" };
	STREAM_AUTO *s = stream_open(&source, &opts, e);
	char name[PARTS_NAME];
	struct archive_block b;
	int r = s ? archive_block_begin(s, &p->archive.header, &b, e) : -1;

	if (r < 0)
		return -1;
	if (r == 0 || b.id != p->archive.entries[place->entry].id || entry_of(p, &b, e) < 0)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated or damaged: %s is not at byte %" PRIu64,
			       p->path, parts_name(&p->archive.entries[place->entry], name),
			       place->at_b);
	if (see_block(p, s, place->entry, true, e) < 0)
		return -1;
	place->end_b = place->at_b + stream_out_b(s);
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->at_b > y->at_b) - (x->at_b < y->at_b);
}

/* The blocks must lie one behind the other, from the table of contents to the end of the file. */
static int gapless(const struct places *w, uint64_t from_b, struct err *e)
{
	const uint64_t end_b = w->contents_b ? w->contents_b : (uint64_t)lseek(w->fd, 0, SEEK_END);
	const struct place end = { 0, end_b, 0 };

	for (size_t i = 0; i <= w->n; i++) {
		const struct place *b = i < w->n ? &w->v[i] : &end;

		if (b->at_b != from_b)
			return err_set(e, ERR_BACKUP,
				       "read %.200s: damaged: a block ends at byte %" PRIu64
				       ", the next thing is at %" PRIu64,
				       w->p->path, from_b, b->at_b);
		from_b = b->end_b;
	}
	return 0;
}

/* s stands at the first block. */
static int all_at_once(struct places *w, struct stream *s, struct err *e)
{
	struct parts *p = w->p;
	uint64_t first_b = stream_out_b(s);

	if (!places_known(w)) {
		w->n = 0;
		if (walk(w, s, false, e) < 0)
			return -1;
		parts_forget(p);
	}
	if (w->n > 1)
		qsort(w->v, w->n, sizeof(*w->v), by_place);
	w->fd = open(p->path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return err_set(e, ERR_SYSTEM, "open %.200s: %s", p->path, strerror(errno));
	if (parts_each(p, w->n, see_place, w, e) < 0)
		return -1;
	return gapless(w, first_b, e);
}

int complete_custom(struct parts *p, struct err *e)
{
	STREAM_AUTO *s = multi_open_path(p->path, &p->limits, p->threads, e);
	struct places w = { .p = p, .fd = -1 };
	bool deep, raw;
	int r;

	if (s == NULL || parts_read(p, s, e) < 0)
		return -1;
	w.v = xcalloc(p->archive.n, sizeof(*w.v));
	raw = strcmp(stream_compression(s), "none") == 0 &&
	      strcmp(stream_encryption(s), "none") == 0;
	deep = p->rows || p->archive.header.packing == ARCHIVE_NONE || p->limits.max_out_b;
	p->out->packed = !deep;
	r = p->rows && raw ? all_at_once(&w, s, e) : walk(&w, s, deep, e);
	free(w.v);
	io_close(&w.fd);
	return r < 0 ? -1 : parts_all_found(p, e);
}
