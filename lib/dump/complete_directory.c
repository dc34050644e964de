#include "lib/base/buf.h"
#include "lib/dump/complete_parts.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Opens the file that the table of contents calls name: as it is, or packed (pg_dump's order). */
static struct stream *open_part(const struct parts *p, const char *name, const char **codec,
				struct err *e)
{
	static const struct {
		const char *end, *codec;
	} forms[] = { { "", "none" }, { ".gz", "gzip" }, { ".lz4", "lz4" }, { ".zst", "zstd" } };
	struct stream_opts opts = p->limits;
	char path[PATH_MAX];
	int n;

	if (name[0] == '\0' || strchr(name, '/')) {
		(void)err_set(e, ERR_BACKUP,
			      "read %.200s: damaged: a part's file is called \"%.80s\"", p->path,
			      name);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		n = snprintf(path, sizeof(path), "%s/%s%s", p->path, name, forms[i].end);
		if (n < 0 || n >= (int)sizeof(path) || access(path, F_OK) < 0)
			continue;
		*codec = opts.codec = forms[i].codec;
		return stream_open_path(path, &opts, e);
	}
	(void)err_set(e, ERR_BACKUP, "read %.200s: incomplete: the file %.80s is missing", p->path,
		      name);
	return NULL;
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
	stream_close(s);
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
	const char *codec;
	struct stream *s = open_part(p, t->file, &codec, e);
	int r;

	if (s == NULL)
		return -1;
	if (strcmp(t->desc, "BLOBS") == 0)
		r = check_list(p, t, s, e);
	else
		r = parts_content(p, s, UINT64_MAX, t, t->file, e);
	stream_close(s);
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
	const char *codec;
	struct stream *s = open_part(p, "toc.dat", &codec, e);
	int r;

	if (s == NULL)
		return -1;
	r = parts_read(p, s, e) < 0 ? -1 : nothing_follows(p, s, e);
	stream_close(s);
	for (size_t i = 0; r == 0 && i < p->archive.n; i++)
		if (p->archive.entries[i].has_data)
			r = check_entry(p, i, e);
	return r < 0 ? -1 : parts_all_found(p, e);
}
