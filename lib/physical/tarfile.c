#include "lib/physical/tarfile.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/ahead.h"
#include "lib/physical/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

struct tarfile {
	char *path;
	int fd;
	struct stream *file;
	struct ahead *ahead;
	const unsigned char *left; /* of its block */
	size_t n_left;
	struct stream *members;
};

static ssize_t from_ahead(void *tarfile, void *p, size_t n, struct err *e)
{
	struct tarfile *t = tarfile;
	size_t take;

	if (t->n_left == 0) {
		const ssize_t got = ahead_next(t->ahead, &t->left, e);

		if (got <= 0)
			return got;
		t->n_left = (size_t)got;
	}
	take = n < t->n_left ? n : t->n_left;
	memcpy(p, t->left, take);
	t->left += take;
	t->n_left -= take;
	return (ssize_t)take;
}

/* What it unpacks to, as a stream again. */
static struct stream *unpacked(struct tarfile *t, struct err *e)
{
	const struct stream_source source = { from_ahead, t };
	const struct stream_opts opts = { .name = t->path,
					  .codec = "none",
					  .packed = stream_compression(t->file) };

	t->ahead = ahead_open(t->file);
	return stream_open(&source, &opts, e);
}

struct tarfile *tarfile_open(int dir, const char *where, const char *name, bool threaded,
			     struct err *e)
{
	struct tarfile *t = xcalloc(1, sizeof(*t));
	struct stream_opts opts = { .name = NULL };

	opts.name = t->path = xasprintf("%s/%s", where, name);
	t->fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (t->fd < 0)
		(void)err_set(e, ERR_SYSTEM, "open %s: %s%s", t->path, strerror(errno),
			      look_way_out(errno));
	else
		t->file = stream_open_fd(t->fd, &opts, e);
	if (t->file && threaded && strcmp(stream_compression(t->file), "none") != 0)
		t->members = unpacked(t, e);
	if (t->file && (t->members || t->ahead == NULL))
		return t;
	tarfile_close(&t);
	return NULL;
}

void tarfile_close(struct tarfile **t)
{
	if (*t == NULL)
		return;
	stream_close((*t)->members);
	ahead_close((*t)->ahead);
	stream_close((*t)->file);
	io_close(&(*t)->fd);
	free((*t)->path);
	free(*t);
	*t = NULL;
}

struct stream *tarfile_stream(struct tarfile *t)
{
	return t->members ? t->members : t->file;
}

const char *tarfile_name(const struct tar_member *m)
{
	return strncmp(m->name, "./", 2) == 0 ? m->name + 2 : m->name;
}
