#include "lib/restore/layout.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/archive.h"
#include "lib/dump/tar.h"
#include "lib/restore/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 128 * 1024 };

static int create(int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		(void)err_set(e, ERR_SYSTEM, "create %s: %s", name, strerror(errno));
	return fd;
}

static int write_out(int fd, const void *p, size_t n, struct err *e)
{
	if (io_write_all(fd, p, n) < 0)
		return err_set(e, ERR_SYSTEM, "unpack the archive: %s", strerror(errno));
	return 0;
}

static int unpack(struct stream *s, const char *to, struct err *e)
{
	FD_AUTO fd = create(AT_FDCWD, to, e);
	const unsigned char *p;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = stream_next(s, &p, e)) > 0)
		if (write_out(fd, p, (size_t)n, e) < 0)
			return -1;
	return (int)n;
}

/* As pg_dump names them: toc.dat, 4711.dat, blob_4711.dat, blobs.toc. Nothing that leads out. */
static bool is_ours(const struct tar_member *m)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";

	return (m->type == '0' || m->type == '\0') && m->name[0] != '.' &&
	       m->name[strspn(m->name, letters)] == '\0';
}

/* Of a tar of a directory: takes the directory off the member's name, which must be the same for
 * all (place: "" before the first). False: it is of another one. */
static bool strip(struct tar_member *m, char place[TAR_NAME + 1])
{
	const char *slash = strrchr(m->name, '/');
	size_t n = slash ? (size_t)(slash + 1 - m->name) : 0;

	if (place[0] == '\0')
		(void)snprintf(place, TAR_NAME + 1, "%.*s/", (int)n, m->name);
	if (strlen(place) != n + 1 || strncmp(place, m->name, n) != 0)
		return false;
	memmove(m->name, m->name + n, strlen(m->name + n) + 1);
	return true;
}

/* What tar writes beside files: directories, and headers for the next member. */
static int skip(struct stream *s, const struct tar_member *m, struct err *e)
{
	return stream_skip(s, m->size_b, e) < 0 ? -1 : tar_pad(s, m, e);
}

static int unpack_member(struct stream *s, const struct tar_member *m, int dir, struct err *e)
{
	AUTO_FREE char *piece = xmalloc(PIECE);
	FD_AUTO fd = create(dir, m->name, e);
	uint64_t left = m->size_b;

	if (fd < 0)
		return -1;
	while (left > 0) {
		size_t want = left < PIECE ? (size_t)left : PIECE;
		ssize_t n = stream_read(s, piece, want, e);

		if (n < 0 || (n > 0 && write_out(fd, piece, (size_t)n, e) < 0))
			return -1;
		if ((size_t)n < want)
			return err_set(e, ERR_BACKUP, "read %s: it ends inside %s: cut short",
				       stream_name(s), m->name);
		left -= (uint64_t)n;
	}
	return tar_pad(s, m, e);
}

/* packed: somebody else's tar of a directory archive. */
static int unpack_tar(struct stream *s, const char *to, bool packed, struct err *e)
{
	FD_AUTO dir = -1;
	char place[TAR_NAME + 1] = "";
	struct tar_member m;
	int more;

	if (mkdir(to, 0700) == 0)
		dir = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, ERR_SYSTEM, "create %s: %s", to, strerror(errno));
	while ((more = tar_next(s, &m, e)) > 0) {
		if (packed && strchr("5xg", m.type)) {
			if (skip(s, &m, e) < 0)
				return -1;
			continue;
		}
		if ((packed && !strip(&m, place)) || !is_ours(&m))
			return err_set(e, ERR_BACKUP,
				       "read %s: it holds '%s', which pg_dump does not write",
				       stream_name(s), m.name);
		if (unpack_member(s, &m, dir, e) < 0)
			return -1;
	}
	return more;
}

/* Of a directory with large objects the table of contents says something else than of a tar. What
 * cannot be read stays a tar, and is told by who reads it next. */
static bool may_be_directory(const char *path, const struct stream_opts *reading)
{
	STREAM_AUTO *s = NULL;
	ARCHIVE_AUTO a = { 0 };
	struct tar_member m;
	struct err e = { 0 };
	bool may;

	s = stream_open_path(path, reading, &e);
	may = s && tar_next(s, &m, &e) > 0 && archive_read(s, &a, &e) == 0;
	for (size_t i = 0; may && i < a.n; i++)
		may = strncmp(a.entries[i].desc, "BLOB", 4) != 0;
	return may;
}

static int copy_open(const char *path, const char *to, struct err *e)
{
	FD_AUTO out = create(AT_FDCWD, to, e);
	int in = source_fd(path);

	if (out < 0)
		return -1;
	if (lseek(in, 0, SEEK_SET) < 0 || io_copy(in, out) < 0)
		return err_set(e, ERR_SYSTEM, "copy %s: %s", path, strerror(errno));
	return 0;
}

/* What the directory says, of what came packed as *what says. */
static int look_again(const char *to, const struct layout *l, struct sniffed *what, struct err *e)
{
	struct sniffed inner;

	if (sniff_path(to, l->reading, &inner, e) < 0)
		return -1;
	if (inner.kind != DUMP_DIRECTORY)
		return err_set(e, ERR_BACKUP,
			       "read the tar of a directory archive: it holds no toc.dat");
	memcpy(inner.compression, what->compression, sizeof(inner.compression));
	memcpy(inner.encryption, what->encryption, sizeof(inner.encryption));
	memcpy(inner.name_says, what->name_says, sizeof(inner.name_says));
	inner.doubt = what->doubt;
	*what = inner;
	return 0;
}

char *layout_archive(const struct layout *l, const char *path, struct sniffed *what, struct err *e)
{
	bool directory = what->kind == DUMP_PACKED_DIRECTORY;
	bool tar = directory || (what->kind == DUMP_TAR && may_be_directory(path, l->reading));
	bool packed = sniff_is_packed(what);
	bool nameless = source_fd(path) >= 0;
	AUTO_FREE char *to = xasprintf("%s/archive", l->dir);
	STREAM_AUTO *s = NULL;
	int ret = -1;

	if (!tar && !packed && !nameless)
		return xstrdup(path);
	if (!tar && !packed)
		return copy_open(path, to, e) < 0 ? NULL : xstrdup(to);
	phases_begin(l->phases, PHASE_UNPACK);
	s = stream_open_path(path, l->reading, e);
	if (s)
		ret = tar ? unpack_tar(s, to, directory, e) : unpack(s, to, e);
	if (s) {
		l->phases->bytes[PHASE_UNPACK] = stream_out_b(s);
		l->phases->wait_ms += stream_waited_ms(s);
	}
	phases_end(l->phases, PHASE_UNPACK);
	if (s && sniff_is_encrypted(what))
		phases_move(l->phases, PHASE_UNPACK, PHASE_DECRYPT, stream_decrypt_ms(s));
	if (ret < 0 || (directory && look_again(to, l, what, e) < 0))
		return NULL;
	if (tar)
		what->kind = DUMP_DIRECTORY;
	return xstrdup(to);
}
