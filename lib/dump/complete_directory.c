#include "lib/base/buf.h"
#include "lib/dump/complete_parts.h"
#include "lib/dump/part.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* The limit is on all parts together. */
static struct stream *open_part(struct parts *p, const char *name, const char **codec,
				struct err *e)
{
	struct stream_opts left = p->limits;

	if (left.max_out_b && p->unpacked_b >= left.max_out_b) {
		(void)err_set(e, ERR_SYSTEM,
			      "read %.200s: more than %" PRIu64
			      " bytes come out of it; raise MAX_UNPACKED if that is right",
			      p->path, left.max_out_b);
		return NULL;
	}
	if (left.max_out_b)
		left.max_out_b -= p->unpacked_b;
	return part_open(p->path, name, &left, codec, e);
}

static void close_part(struct parts *p, struct stream *s)
{
	if (s)
		p->unpacked_b += stream_out_b(s);
	stream_close(s);
}

static int check_object(struct parts *p, const struct archive_entry *t, const char *line,
			struct err *e)
{
	const char *file = parts_list_line(p, line, e), *codec = "";
	struct stream *s = file ? open_part(p, file, &codec, e) : NULL;
	int r;

	if (s == NULL)
		return -1;
	r = parts_content(p, s, UINT64_MAX, t, file, e);
	close_part(p, s);
	parts_add_oid(&p->there, parts_object_file(file));
	if (strcmp(codec, "none") == 0)
		(void)snprintf(p->out->note, sizeof(p->out->note),
			       "large objects without compression have no end mark: that they are "
			       "whole is not proven");
	return r;
}

/* blobs.toc, blobs_16.toc: every line ends with a newline. */
static int check_list(struct parts *p, const struct archive_entry *t, struct stream *s,
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
		if (check_object(p, t, line.s, e) < 0)
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

static int check_entry(struct parts *p, size_t i, struct err *e)
{
	const struct archive_entry *t = &p->archive.entries[i];
	struct stream *s = open_part(p, t->file, NULL, e);
	int r;

	if (s == NULL)
		return -1;
	if (strcmp(t->desc, "BLOBS") == 0)
		r = check_list(p, t, s, e);
	else
		r = parts_content(p, s, UINT64_MAX, t, t->file, e);
	close_part(p, s);
	p->found[i] = r == 0;
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
	struct stream *s = open_part(p, "toc.dat", NULL, e);
	int r;

	if (s == NULL)
		return -1;
	r = parts_read(p, s, e) < 0 ? -1 : nothing_follows(p, s, e);
	close_part(p, s);
	for (size_t i = 0; r == 0 && i < p->archive.n; i++)
		if (p->archive.entries[i].has_data)
			r = check_entry(p, i, e);
	return r < 0 ? -1 : parts_all_found(p, e);
}
