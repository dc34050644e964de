#include "lib/restore/unpack.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/tar.h"
#include "lib/physical/tarset.h"
#include "lib/restore/unpack_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, DEPTH_MAX = 16 };

#define MAP "tablespace_map"

struct work {
	const struct unpack_job *job;
	struct unpacked *out;
	int data;
	unsigned char *piece;
};

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* ---- tablespaces -------------------------------------------------------------------- */

static void note(struct strv *l, const char *oid)
{
	if (!strv_has(l, oid))
		strv_add(l, oid);
}

/* tablespace_map: lines of OID and place, written for a server to make the links itself. */
static void note_map(struct unpacked *out, char *text)
{
	const char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		AUTO_FREE char *oid = xstrndup(line, strspn(line, "0123456789"));

		if (*oid)
			note(&out->mapped, oid);
	}
}

/* ---- writing ------------------------------------------------------------------------ */

static int failed(const char *path, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "unpack %.300s: %s", path, strerror(errno));
}

static int refuse(const char *path, const char *what, struct err *e)
{
	return err_set(e, ERR_BACKUP, "unpack %.300s: refused: %s", path, what);
}

/* pg_tblspc/OID leads to a directory beside the data. */
static int make_tablespace(struct work *w, const char *path, const char *oid, struct err *e)
{
	AUTO_FREE char *all = xasprintf("%s/tablespaces", w->job->dir);
	AUTO_FREE char *to = xasprintf("%s/%s", all, oid);

	note(&w->out->tablespaces, oid);
	if ((mkdir(all, 0700) < 0 && errno != EEXIST) || (mkdir(to, 0700) < 0 && errno != EEXIST) ||
	    (symlinkat(to, w->data, path) < 0 && errno != EEXIST))
		return failed(path, e);
	return 0;
}

/* Everything below w->data is made here, so no name on the way leads elsewhere. */
static int make_dir(struct work *w, const char *path, struct err *e)
{
	const char *oid = unpack_tablespace(path);

	if (oid)
		return make_tablespace(w, path, oid, e);
	return mkdirat(w->data, path, 0700) < 0 && errno != EEXIST ? failed(path, e) : 0;
}

static int make_parents(struct work *w, const char *path, struct err *e)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		AUTO_FREE char *dir = xstrndup(path, (size_t)(slash - path));

		if (make_dir(w, dir, e) < 0)
			return -1;
	}
	return 0;
}

static int create(struct work *w, const char *path, struct err *e)
{
	int fd;

	if (make_parents(w, path, e) < 0)
		return -1;
	fd = openat(w->data, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return refuse(path, "it is there twice", e);
	return fd < 0 ? failed(path, e) : fd;
}

static void count(struct work *w, const char *path, uint64_t bytes)
{
	w->out->files++;
	w->out->bytes += bytes;
	if (begins(path, "pg_wal/"))
		w->out->wal_bytes += bytes;
}

/* ---- a plain directory -------------------------------------------------------------- */

static int walk(struct work *w, int dir, const char *prefix, unsigned depth, struct err *e);

/* A link that PostgreSQL makes: what it leads to is a part of the backup. */
static bool link_allowed(const char *path)
{
	return strcmp(path, "pg_wal") == 0 || unpack_tablespace(path) != NULL;
}

static int copy_file(struct work *w, int dir, const char *name, const char *path, uint64_t bytes,
		     struct err *e)
{
	FD_AUTO in = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	FD_AUTO out = -1;

	if (in < 0)
		return failed(path, e);
	out = create(w, path, e);
	if (out < 0)
		return -1;
	count(w, path, bytes);
	return io_copy(in, out) < 0 ? failed(path, e) : 0;
}

static int move_file(struct work *w, int dir, const char *name, const char *path, uint64_t bytes,
		     struct err *e)
{
	if (make_parents(w, path, e) < 0)
		return -1;
	count(w, path, bytes);
	return renameat(dir, name, w->data, path) < 0 ? failed(path, e) : 0;
}

static int copy_map(struct work *w, int dir, struct err *e)
{
	FD_AUTO in = openat(dir, MAP, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = in < 0 ? -1 : io_read_full(in, w->piece, PIECE - 1);

	if (n < 0)
		return failed(MAP, e);
	w->piece[n] = '\0';
	note_map(w->out, (char *)w->piece);
	return 0;
}

static int visit_dir(struct work *w, int dir, const char *name, const char *path, unsigned depth,
		     struct err *e)
{
	const int follow = link_allowed(path) ? 0 : O_NOFOLLOW;
	AUTO_FREE char *below = xasprintf("%s/", path);
	int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);

	if (sub < 0 && errno == ENOENT)
		return err_set(e, ERR_BACKUP,
			       "unpack %.300s: not in the backup: its link leads to what is not "
			       "there; back up tablespaces, too, or take tars (pg_basebackup -Ft)",
			       path);
	if (sub < 0)
		return failed(path, e);
	if (depth >= DEPTH_MAX) {
		(void)close(sub);
		return refuse(path, "too many directories deep", e);
	}
	if (make_parents(w, below, e) < 0) {
		(void)close(sub);
		return -1;
	}
	return walk(w, sub, below, depth + 1, e);
}

static int visit(struct work *w, int dir, const char *prefix, const char *name, unsigned depth,
		 struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s%s", prefix, name);
	struct stat st;

	if (strcmp(path, MAP) == 0)
		return copy_map(w, dir, e);
	if (unpack_leaves(path))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(path, e);
	if (S_ISREG(st.st_mode))
		return (w->job->move ? move_file : copy_file)(w, dir, name, path,
							      (uint64_t)st.st_size, e);
	if (S_ISDIR(st.st_mode) || (S_ISLNK(st.st_mode) && link_allowed(path)))
		return visit_dir(w, dir, name, path, depth, e);
	return refuse(path, S_ISLNK(st.st_mode) ? "a link" : "neither a file nor a directory", e);
}

/* Takes dir over. In a tablespace nothing but PG_15_202209061 is ours. */
static int walk(struct work *w, int dir, const char *prefix, unsigned depth, struct err *e)
{
	AUTO_FREE char *place = xstrndup(prefix, *prefix ? strlen(prefix) - 1 : 0);
	const bool tablespace = unpack_tablespace(place) != NULL;
	DIR *d = fdopendir(dir);
	const struct dirent *entry;
	int ret = 0;

	if (d == NULL) {
		(void)close(dir);
		return failed(prefix, e);
	}
	while (ret == 0 && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    (!tablespace || begins(entry->d_name, "PG_")))
			ret = visit(w, dir, prefix, entry->d_name, depth, e);
	(void)closedir(d);
	return ret;
}

/* ---- tars --------------------------------------------------------------------------- */

static int cut_short(const struct stream *s, const char *path, struct err *e)
{
	return err_set(e, ERR_BACKUP, "read %s: truncated in its member %.300s", stream_name(s),
		       path);
}

static int pass_over(struct stream *s, const struct tar_member *m, struct err *e)
{
	int64_t got = stream_skip(s, m->size_b, e);

	if (got < 0)
		return -1;
	return (uint64_t)got < m->size_b ? cut_short(s, m->name, e) : tar_pad(s, m, e);
}

static int take_file(struct work *w, struct stream *s, const struct tar_member *m, const char *path,
		     struct err *e)
{
	uint64_t left = m->size_b;
	FD_AUTO fd = create(w, path, e);

	if (fd < 0)
		return -1;
	count(w, path, m->size_b);
	while (left > 0) {
		const size_t want = left < PIECE ? (size_t)left : PIECE;
		const ssize_t n = stream_read(s, w->piece, want, e);

		if (n < 0)
			return -1;
		if ((size_t)n < want)
			return cut_short(s, path, e);
		if (io_write_all(fd, w->piece, want) < 0)
			return failed(path, e);
		left -= want;
	}
	return tar_pad(s, m, e);
}

static int take_map(struct work *w, struct stream *s, const struct tar_member *m, struct err *e)
{
	ssize_t n = stream_read(s, w->piece, (size_t)m->size_b, e);

	if (n < 0)
		return -1;
	w->piece[n] = '\0';
	note_map(w->out, (char *)w->piece);
	return (uint64_t)n < m->size_b ? cut_short(s, MAP, e) : tar_pad(s, m, e);
}

static int take_member(struct work *w, struct stream *s, const struct tar_member *m,
		       const char *inside, struct err *e)
{
	const char *name = begins(m->name, "./") ? m->name + 2 : m->name;
	AUTO_FREE char *path = xasprintf("%s%s", inside, name);
	size_t n = strlen(path);

	if (m->type == 'g')
		return pass_over(s, m, e);
	while (m->type == '5' && n > 0 && path[n - 1] == '/')
		path[--n] = '\0';
	if (n == 0)
		return 0;
	if (!unpack_safe(path))
		return refuse(m->name, "its name leads out of the backup", e);
	if (strcmp(path, MAP) == 0 && m->size_b < PIECE)
		return take_map(w, s, m, e);
	if (unpack_leaves(path))
		return pass_over(s, m, e);
	if (m->type == '0')
		return take_file(w, s, m, path, e);
	if (m->type == '5')
		return make_parents(w, path, e) < 0 ? -1 : make_dir(w, path, e);
	if (m->type == '2' && unpack_tablespace(path)) {
		note(&w->out->mapped, unpack_tablespace(path));
		return pass_over(s, m, e);
	}
	if (m->type == '2' && strcmp(path, "pg_wal") == 0)
		return pass_over(s, m, e);
	return refuse(path, m->type == '1' || m->type == '2' ? "a link" : "no file or directory",
		      e);
}

static int take_tar(struct work *w, const char *path, const char *inside, struct err *e)
{
	STREAM_AUTO *s = stream_open_path(path, w->job->reading, e);
	struct tar_member m;
	int more;

	if (s == NULL)
		return -1;
	while ((more = tar_next(s, &m, e)) > 0)
		if (take_member(w, s, &m, inside, e) < 0)
			return -1;
	if (more < 0)
		return -1;
	if (w->out->compression[0] == '\0' || strcmp(w->out->compression, "none") == 0)
		(void)snprintf(w->out->compression, sizeof(w->out->compression), "%s",
			       stream_compression(s));
	if (w->out->encryption[0] == '\0' || strcmp(w->out->encryption, "none") == 0)
		(void)snprintf(w->out->encryption, sizeof(w->out->encryption), "%s",
			       stream_encryption(s));
	return 0;
}

static void list_tars(const char *dir, struct strv *out)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *inside = tarset_place(entry->d_name);

		if (inside)
			strv_add(out, entry->d_name);
	}
	if (d)
		(void)closedir(d);
	strv_sort(out);
}

static int take_tars(struct work *w, const struct strv *tars, struct err *e)
{
	for (size_t i = 0; i < tars->n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", w->job->path, tars->v[i]);
		AUTO_FREE char *inside = tarset_place(tars->v[i]);

		if (take_tar(w, path, inside, e) < 0)
			return -1;
	}
	return 0;
}

static int check_tablespaces(const struct unpacked *u, struct err *e)
{
	for (size_t i = 0; i < u->mapped.n; i++)
		if (!strv_has(&u->tablespaces, u->mapped.v[i]))
			return err_set(e, ERR_BACKUP,
				       "read the backup: the tablespace %s is missing%s%s%s",
				       u->mapped.v[i], u->tars ? ": there is no " : "",
				       u->tars ? u->mapped.v[i] : "", u->tars ? ".tar" : "");
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------- */

/* Object stores keep no empty directories. */
static int make_usual_dirs(struct work *w, struct err *e)
{
	static const char *const usual[] = {
		"pg_commit_ts",
		"pg_dynshmem",
		"pg_logical",
		"pg_logical/mappings",
		"pg_logical/snapshots",
		"pg_multixact",
		"pg_notify",
		"pg_replslot",
		"pg_serial",
		"pg_snapshots",
		"pg_stat",
		"pg_stat_tmp",
		"pg_subtrans",
		"pg_tblspc",
		"pg_twophase",
		"pg_wal",
		"pg_wal/archive_status",
	};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (make_dir(w, usual[i], e) < 0)
			return -1;
	return 0;
}

static int unpack_all(struct work *w, struct err *e)
{
	STRV_AUTO tars = { 0 };
	struct stat st;
	int dir;

	if (stat(w->job->path, &st) < 0)
		return failed(w->job->path, e);
	w->out->tars = !S_ISDIR(st.st_mode);
	if (w->out->tars)
		return take_tar(w, w->job->path, "", e);
	list_tars(w->job->path, &tars);
	for (size_t i = 0; i < tars.n && !w->out->tars; i++)
		w->out->tars = begins(tars.v[i], "base.tar");
	if (w->out->tars)
		return take_tars(w, &tars, e);
	dir = open(w->job->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? failed(w->job->path, e) : walk(w, dir, "", 0, e);
}

int unpack_run(const struct unpack_job *job, struct unpacked *out, struct err *e)
{
	AUTO_FREE unsigned char *piece = xmalloc(PIECE);
	struct work w = { .job = job, .out = out, .piece = piece };
	int ret = -1;

	if (mkdir(job->data, 0700) < 0)
		return failed(job->data, e);
	w.data = open(job->data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (w.data < 0)
		return failed(job->data, e);
	if (make_usual_dirs(&w, e) == 0)
		ret = unpack_all(&w, e);
	if (ret == 0)
		ret = check_tablespaces(out, e);
	(void)close(w.data);
	return ret;
}

void unpacked_free(struct unpacked *u)
{
	strv_free(&u->tablespaces);
	strv_free(&u->mapped);
}
