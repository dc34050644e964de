#include "lib/dump/complete_parts.h"
#include "lib/dump/content.h"

#include <inttypes.h>
#include <string.h>

/* The chunks of one table or object. content: NULL when they are packed. */
static int walk_chunks(struct parts *p, struct stream *s, struct content *content, struct err *e)
{
	char step[16 * 1024];
	int64_t n, got;

	while ((n = archive_chunk(s, &p->archive.header, e)) > 0) {
		p->out->data_b += (uint64_t)n;
		while (n > 0) {
			size_t k = n < (int64_t)sizeof(step) ? (size_t)n : sizeof(step);

			got = content ? stream_read(s, step, k, e) : stream_skip(s, (uint64_t)n, e);
			if (got < 0)
				return -1;
			if (got < (content ? (int64_t)k : n))
				return err_set(e, ERR_BACKUP,
					       "read %.200s: truncated: it ends at byte %" PRIu64,
					       p->path, stream_out_b(s));
			if (content)
				content_see(content, step, k);
			n -= got;
		}
	}
	return n < 0 ? -1 : 0;
}

static int walk_objects(struct parts *p, struct stream *s, struct err *e)
{
	int64_t oid;
	int r;

	while ((r = archive_object_begin(s, &p->archive.header, &oid, e)) > 0) {
		if (walk_chunks(p, s, NULL, e) < 0)
			return -1;
		parts_add_oid(&p->listed, (uint32_t)oid);
		parts_add_oid(&p->there, (uint32_t)oid);
	}
	return r;
}

static int walk_table(struct parts *p, struct stream *s, const struct archive_entry *t,
		      struct err *e)
{
	char name[PARTS_NAME];
	struct content c;
	int r;

	if (p->archive.header.packing != ARCHIVE_NONE)
		return walk_chunks(p, s, NULL, e);
	content_begin(&c, t, p->path);
	r = walk_chunks(p, s, &c, e);
	if (!content_end(&c) && r == 0)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: truncated: %s has no end mark, before byte %" PRIu64,
			       p->path, parts_name(t, name), stream_out_b(s));
	return r;
}

static int walk_block(struct parts *p, struct stream *s, const struct archive_block *b,
		      struct err *e)
{
	int64_t i = parts_find(p, b->id);
	const struct archive_entry *t = i < 0 ? NULL : &p->archive.entries[i];
	char name[PARTS_NAME];

	if (t == NULL || !t->has_data || b->large_objects != (strcmp(t->desc, "BLOBS") == 0))
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: a data block at byte %" PRIu64
			       " belongs to nothing",
			       p->path, b->at_b);
	if (p->found[i])
		return err_set(e, ERR_BACKUP, "read %.200s: damaged: %s comes twice", p->path,
			       parts_name(t, name));
	if (t->offset_known && t->offset_b != b->at_b)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: %s is at byte %" PRIu64 ", not at %" PRIu64,
			       p->path, parts_name(t, name), b->at_b, t->offset_b);
	p->found[i] = true;
	return b->large_objects ? walk_objects(p, s, e) : walk_table(p, s, t, e);
}

int complete_custom(struct parts *p, struct err *e)
{
	STREAM_AUTO *s = stream_open_path(p->path, &p->limits, e);
	struct archive_block b;
	int r;

	if (s == NULL || parts_read(p, s, e) < 0)
		return -1;
	while ((r = archive_block_begin(s, &p->archive.header, &b, e)) > 0)
		if (walk_block(p, s, &b, e) < 0)
			return -1;
	return r < 0 ? -1 : parts_all_found(p, e);
}
