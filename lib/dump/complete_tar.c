#include "lib/base/buf.h"
#include "lib/dump/complete_parts.h"
#include "lib/dump/multi.h"
#include "lib/dump/tar.h"

#include <inttypes.h>
#include <string.h>

enum { LIST_MAX_B = 1 << 30 };

/* The entry that a member is the data of, or -1. A table's member is called by the number of its
 * entry; a list of large objects blobs.toc, where there is but one entry for them (up to archive
 * version 1.15), else also by its number (pg_backup_tar.c). */
static int64_t by_file(const struct parts *p, const char *file)
{
	bool numbered = strncmp(file, "blobs_", 6) == 0;
	const char *at = numbered ? file + 6 : file;
	char *end;
	long long id = strtoll(at, &end, 10);
	int64_t i;

	if (end > at && strcmp(end, numbered ? ".toc" : ".dat") == 0) {
		i = parts_find(p, id);
		return i >= 0 && p->archive.entries[i].has_data ? i : -1;
	}
	if (strcmp(file, "blobs.toc") != 0)
		return -1;
	for (size_t k = 0; k < p->archive.n; k++)
		if (strcmp(p->archive.entries[k].desc, "BLOBS") == 0)
			return (int64_t)k;
	return -1;
}

static int truncated(const struct parts *p, const struct tar_member *m, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %.200s: truncated in its member %.80s", p->path,
		       m->name);
}

static int check_list(struct parts *p, struct stream *s, const struct tar_member *m, struct err *e)
{
	BUF_AUTO b = BUF_INIT(LIST_MAX_B);
	ssize_t n;

	for (uint64_t left = m->size_b; left > 0; left -= (uint64_t)n) {
		char step[4096];

		n = stream_read(s, step, left < sizeof(step) ? (size_t)left : sizeof(step), e);
		if (n < 0)
			return -1;
		if (n == 0)
			return truncated(p, m, e);
		buf_add(&b, step, (size_t)n);
	}
	if (b.full || memchr(b.s, '\0', b.len) || (b.len && b.s[b.len - 1] != '\n'))
		return err_set(e, ERR_BACKUP, "read %.200s: damaged: its member %.80s is no list",
			       p->path, m->name);
	for (char *line = b.s, *nl; (nl = strchr(line, '\n')) != NULL; line = nl + 1) {
		*nl = '\0';
		if (parts_list_line(p, line, e) == NULL)
			return -1;
	}
	return 0;
}

static int check_member(struct parts *p, struct stream *s, const struct tar_member *m,
			struct err *e)
{
	int64_t i = by_file(p, m->name), got;
	const struct archive_entry *t = i < 0 ? NULL : &p->archive.entries[i];
	int r;

	if (t && strcmp(t->desc, "BLOBS") == 0) {
		r = check_list(p, s, m, e);
	} else if (t) {
		r = parts_content(p, s, m->size_b, t, m->name, e);
	} else {
		got = stream_skip(s, m->size_b, e);
		r = got < 0 ? -1 : (uint64_t)got < m->size_b ? truncated(p, m, e) : 0;
		if (r == 0 && parts_object_file(m->name)) {
			parts_object_there(p, parts_object_file(m->name), false);
			p->out->data_b += m->size_b;
		}
	}
	if (t)
		p->found[i] = r == 0;
	return r < 0 ? -1 : tar_pad(s, m, e);
}

static int check_toc(struct parts *p, struct stream *s, const struct tar_member *m, struct err *e)
{
	uint64_t n = stream_out_b(s);

	if (parts_read(p, s, e) < 0)
		return -1;
	n = stream_out_b(s) - n;
	if (n != m->size_b)
		return err_set(e, ERR_BACKUP,
			       "read %.200s: damaged: its member toc.dat has %" PRIu64
			       " bytes, but should have %" PRIu64,
			       p->path, m->size_b, n);
	return tar_pad(s, m, e);
}

int complete_tar(struct parts *p, struct err *e)
{
	STREAM_AUTO *s = multi_open_path(p->path, &p->limits, p->threads, e);
	struct tar_member m = { 0 };
	int r = s ? tar_next(s, &m, e) : -1;

	if (r > 0 && check_toc(p, s, &m, e) < 0)
		return -1;
	while (r > 0 && (r = tar_next(s, &m, e)) > 0)
		if (check_member(p, s, &m, e) < 0)
			return -1;
	return r < 0 ? -1 : parts_all_found(p, e);
}
