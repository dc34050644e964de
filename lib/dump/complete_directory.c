#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "lib/dump/complete_parts.h"
#include "lib/dump/part.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* blobs.toc, blobs_16.toc: every line ends with a newline. */
static int read_lines(struct parts *p, const struct archive_entry *t, struct stream *s,
		      struct err *e)
{
	BUF_AUTO line = BUF_INIT(PATH_MAX);
	char c;
	ssize_t n;

	while ((n = stream_read(s, &c, 1, e)) > 0) {
		if (c != '\n') {
			buf_addc(&line, c);
			continue;
		}
		if (parts_list_line(p, line.s, e) == NULL)
			return -1;
		buf_reset(&line);
	}
	if (n == 0 && line.len > 0)
		return err_set(
			e, ERR_BACKUP,
			"read %.200s: truncated: the list of large objects %.80s ends within "
			"a line",
			p->path, t->file);
	return (int)n;
}

static int read_list(struct parts *p, size_t i, struct err *e)
{
	const struct archive_entry *t = &p->archive.entries[i];
	STREAM_AUTO *s = part_open(p->path, t->file, &p->limits, NULL, e);

	if (s == NULL || read_lines(p, t, s, e) < 0)
		return -1;
	p->found[i] = true;
	return 0;
}

static int check_entry(struct parts *p, size_t i, struct err *e)
{
	const struct archive_entry *t = &p->archive.entries[i];
	const struct stream_opts limits = parts_limits(p, NULL);
	STREAM_AUTO *s = part_open(p->path, t->file, &limits, NULL, e);

	if (s == NULL || parts_content(p, s, UINT64_MAX, t, t->file, e) < 0)
		return -1;
	p->found[i] = true;
	return 0;
}

static int check_object(struct parts *p, uint32_t oid, struct err *e)
{
	const struct stream_opts limits = parts_limits(p, NULL);
	char file[sizeof("blob_.dat") + 10];
	STREAM_AUTO *s = NULL;
	const char *codec;

	(void)snprintf(file, sizeof(file), "blob_%" PRIu32 ".dat", oid);
	s = part_open(p->path, file, &limits, &codec, e);
	if (s == NULL || parts_object(p, s, UINT64_MAX, file, e) < 0)
		return -1;
	parts_object_there(p, oid, strcmp(codec, "none") == 0);
	return 0;
}

/* What is to be read: tables' data, the largest first, then the large objects. */
struct work {
	struct parts *p;
	struct sized {
		uint64_t bytes;
		size_t entry;
	} * tables;
	size_t n;
};

static int largest_first(const void *a, const void *b)
{
	const struct sized *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return (x->entry > y->entry) - (x->entry < y->entry);
}

static int check_one(void *ctx, size_t i, struct err *e)
{
	const struct work *w = ctx;

	return i < w->n ? check_entry(w->p, w->tables[i].entry, e)
			: check_object(w->p, w->p->listed.v[i - w->n], e);
}

static int check_all(struct parts *p, struct err *e)
{
	struct work w = { .p = p, .tables = xcalloc(p->archive.n, sizeof(struct sized)) };
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->archive.n; i++) {
		const struct archive_entry *t = &p->archive.entries[i];

		if (t->has_data && strcmp(t->desc, "BLOBS") == 0)
			r = read_list(p, i, e);
		else if (t->has_data)
			w.tables[w.n++] = (struct sized){ part_size(p->path, t->file), i };
	}
	if (w.n > 1)
		qsort(w.tables, w.n, sizeof(struct sized), largest_first);
	if (r == 0)
		r = parts_each(p, w.n + p->listed.n, check_one, &w, e);
	free(w.tables);
	return r;
}

static int nothing_follows(const struct parts *p, struct stream *s, struct err *e)
{
	const unsigned char *q;
	ssize_t n = stream_next(s, &q, e);

	if (n > 0)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: bytes follow the end of toc.dat", p->path);
	return (int)n;
}

int complete_directory(struct parts *p, struct err *e)
{
	STREAM_AUTO *s = part_open(p->path, "toc.dat", &p->limits, NULL, e);

	if (s == NULL || parts_read(p, s, e) < 0 || nothing_follows(p, s, e) < 0)
		return -1;
	return check_all(p, e) < 0 ? -1 : parts_all_found(p, e);
}
