/*
 * The storage on this machine: a file, a directory, a shell glob, file:///path.
 *
 * Of a directory its own level is listed, and below it whole trees that are one backup by their
 * content (select_markers) and, in the same way, directories with a date for a name: others are not
 * searched. Symbolic links are followed to files, but not where they point to a neighbour (a
 * "latest" link is that file once more: listed as the link that it is), and never inside a tree: a
 * backup must not make us read what lies elsewhere.
 */
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/driver.h"
#include "lib/storage/select.h"
#include "lib/storage/uri.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 32, DATED_MAX = 2, CHUNK = 1024 * 1024 };

struct local {
	char *root;    /* absolute where it exists: the directory that names are relative to */
	char *only;    /* the source is this one file in root; NULL */
	char *pattern; /* the source is a glob: its part below root; NULL */
};

/* What a listing carries along. */
struct walk {
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
	struct err *e;
	const char *root; /* for messages */
	bool deep;
};

static void DIR_close(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}
#define DIR_AUTO __attribute__((cleanup(DIR_close))) DIR

static int64_t mtime_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static void local_close(void *state)
{
	struct local *l = state;

	free(l->root);
	free(l->only);
	free(l->pattern);
	free(l);
}

/* --- which of the three forms ------------------------------------------------------------- */

/* file:///path and file://localhost/path (RFC 8089), percent-decoded; others are paths as they are.
 */
static int source_path(const char *source, struct buf *path, struct err *e)
{
	size_t scheme = uri_scheme(source);
	const char *s = source + scheme + 3;

	if (scheme == 0) {
		buf_adds(path, source);
	} else {
		if (strncmp(s, "localhost/", 10) == 0)
			s += 9;
		if (s[0] != '/')
			return err_set(e, ERR_USAGE,
				       "open %s: a file URI has no host; write file:///path",
				       source);
		if (!uri_decode(path, s, strlen(s), false))
			return err_set(e, ERR_USAGE, "open %s: a broken %% escape in it", source);
	}
	if (path->full || path->len >= PATH_MAX)
		return err_set(e, ERR_USAGE, "open source: its path is too long");
	return 0;
}

/* The length of the part of a glob that stands before the component with the first special sign. */
static size_t plain_length(const char *pattern)
{
	size_t n = strcspn(pattern, "*?[\\");

	while (n > 0 && pattern[n - 1] != '/')
		n--;
	return n;
}

/* Of a single file: "nowhere/" stays whole, so that it can be told from a file "nowhere". */
static size_t front_length(const char *path)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	return n;
}

static char *absolute(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : xstrdup(path);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Splits path after its first n bytes into root and the rest. */
static char *split(struct local *l, const char *path, size_t n)
{
	char *front = n ? xstrndup(path, n) : xstrdup(".");

	l->root = absolute(front);
	free(front);
	return xstrdup(path + n);
}

static int local_open(struct storage *s, const char *source, struct err *e)
{
	BUF_AUTO path = BUF_INIT(PATH_MAX);
	struct local *l;
	struct stat st;

	if (source_path(source, &path, e) < 0)
		return -1;
	s->state = l = xcalloc(1, sizeof(*l));
	s->shown = xstrdup(source);
	if (lstat(path.s, &st) == 0 && stat(path.s, &st) == 0 && S_ISDIR(st.st_mode))
		l->root = absolute(path.s);
	else if (lstat(path.s, &st) < 0 && errno == ENOENT && strpbrk(path.s, "*?["))
		l->pattern = split(l, path.s, plain_length(path.s));
	else
		l->only = split(l, path.s, front_length(path.s));
	s->base_name = xstrdup(l->only ? l->only : base_of(l->root));
	s->is_object = l->only != NULL;
	return 0;
}

static int local_clone(const struct storage *of, struct storage *s, struct err *e)
{
	const struct local *from = of->state;
	struct local *l = xcalloc(1, sizeof(*l));

	(void)e;
	s->state = l;
	l->root = xstrdup(from->root);
	l->only = from->only ? xstrdup(from->only) : NULL;
	l->pattern = from->pattern ? xstrdup(from->pattern) : NULL;
	return 0;
}

static void local_path(const struct storage *s, const char *name, struct buf *out)
{
	const struct local *l = s->state;

	buf_adds(out, l->root);
	if (name[0] && out->len > 0 && out->s[out->len - 1] != '/')
		buf_addc(out, '/');
	buf_adds(out, name);
}

/* --- listing ------------------------------------------------------------------------------- */

static int emit(const struct walk *w, const char *name, const struct stat *st)
{
	struct storage_object o = { name, st->st_size, mtime_ms(st), "", NULL };

	return w->each(&o, w->ctx, w->e);
}

static int cannot(const struct walk *w, const char *verb, const char *name)
{
	return err_set(w->e, ERR_SYSTEM, "%s %s%s%s: %s", verb, w->root,
		       strcmp(w->root, "/") ? "/" : "", name, strerror(errno));
}

/* As the link that it is. */
static int emit_link(const struct walk *w, int dir, const char *entry, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, entry, target, sizeof(target) - 1);
	struct storage_object o = { name, 0, -1, "", target };

	if (n < 0)
		return errno == ENOENT ? 0 : cannot(w, "look at", name);
	target[n] = '\0';
	return w->each(&o, w->ctx, w->e);
}

static bool is_backup_tree(int dir)
{
	for (const char *const *m = select_markers; *m; m++)
		if (faccessat(dir, *m, F_OK, 0) == 0)
			return true;
	return false;
}

static int walk_tree(const struct walk *w, int fd, const char *name, int depth);

/* One entry of a tree: all of it belongs to the backup. */
static int walk_entry(const struct walk *w, int dir, const char *entry, const char *name, int depth)
{
	struct stat st;
	int fd;

	if (fstatat(dir, entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot(w, "look at", name);
	if (S_ISREG(st.st_mode))
		return emit(w, name, &st);
	if (S_ISLNK(st.st_mode))
		return emit_link(w, dir, entry, name);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (depth >= DEPTH_MAX)
		return err_set(w->e, ERR_SYSTEM, "list %s/%s: nested too deep", w->root, name);
	fd = openat(dir, entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cannot(w, "open", name);
	return walk_tree(w, fd, name, depth + 1);
}

static void join(struct buf *out, const char *dir, const char *entry)
{
	buf_reset(out);
	buf_addf(out, "%s%s%s", dir, dir[0] ? "/" : "", entry);
}

/* Calls what for each entry of the directory; takes over fd. */
static int for_entries(const struct walk *w, int fd, const char *name, int depth,
		       int (*what)(const struct walk *w, int dir, const char *entry,
				   const char *name, int depth))
{
	BUF_AUTO path = BUF_INIT(STORAGE_NAME_MAX);
	DIR_AUTO *d = fdopendir(fd);
	struct dirent *entry;

	if (d == NULL) {
		io_close(&fd);
		return cannot(w, "list", name);
	}
	while (errno = 0, (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		join(&path, name, entry->d_name);
		if (path.full)
			return err_set(w->e, ERR_SYSTEM, "list %s: a path is too long", w->root);
		if (what(w, dirfd(d), entry->d_name, path.s, depth) < 0)
			return -1;
	}
	return errno ? cannot(w, "list", name) : 0;
}

static int walk_tree(const struct walk *w, int fd, const char *name, int depth)
{
	return for_entries(w, fd, name, depth, walk_entry);
}

/* A directory that may not be entered could hold the newest backup, except this one. */
static bool is_lost_and_found(const char *entry)
{
	return strcmp(entry, "lost+found") == 0;
}

static int top_entry(const struct walk *w, int dir, const char *entry, const char *name, int depth);

static int top_directory(const struct walk *w, int dir, const char *entry, const char *name,
			 int depth)
{
	int64_t ms;
	bool exact;
	int fd = openat(dir, entry, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return is_lost_and_found(entry) ? 0 : cannot(w, "open", name);
	if (w->deep || is_backup_tree(fd))
		return walk_tree(w, fd, name, 1);
	if (depth < DATED_MAX && utc_from_name(entry, &ms, &exact))
		return for_entries(w, fd, name, depth + 1, top_entry);
	io_close(&fd);
	return 0;
}

static bool is_neighbour_link(int dir, const char *entry)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, entry, target, sizeof(target));

	return n > 0 && memchr(target, '/', (size_t)n) == NULL;
}

/* One entry of the source's own level. */
static int top_entry(const struct walk *w, int dir, const char *entry, const char *name, int depth)
{
	struct stat st;

	if (is_neighbour_link(dir, entry))
		return select_pointer(entry) ? emit_link(w, dir, entry, name) : 0;
	if (fstatat(dir, entry, &st, 0) < 0)
		return errno == ENOENT ? 0 : cannot(w, "look at", name);
	if (S_ISREG(st.st_mode))
		return emit(w, name, &st);
	return S_ISDIR(st.st_mode) ? top_directory(w, dir, entry, name, depth) : 0;
}

static int list_directory(const struct walk *w)
{
	int fd = open(w->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(w->e, ERR_SYSTEM,
			       "list %s: %s; is it mounted, and may this user "
			       "read it?",
			       w->root, strerror(errno));
	return for_entries(w, fd, "", 0, is_backup_tree(fd) ? walk_entry : top_entry);
}

/* A file that is missing where others could be is a finding; a directory that is missing is a
 * mistyped or unmounted one. */
static int list_file(const struct walk *w, const char *name)
{
	BUF_AUTO path = BUF_INIT(PATH_MAX);
	struct stat st;

	buf_addf(&path, "%s%s%s", w->root, strcmp(w->root, "/") ? "/" : "", name);
	if (stat(path.s, &st) == 0 && S_ISREG(st.st_mode))
		return emit(w, name, &st);
	if (stat(path.s, &st) == 0)
		return err_set(w->e, ERR_USAGE, "open %s: neither a file nor a directory", path.s);
	if (errno == ENOENT && strchr(name, '/') == NULL && access(w->root, X_OK) == 0)
		return err_set(w->e, ERR_BACKUP, "open %s: there is no such file", path.s);
	return err_set(w->e, ERR_SYSTEM, "open %s: %s", path.s, strerror(errno));
}

/* glob(3) hands its callback nothing to remember things in. */
static _Thread_local int glob_errno;

static int on_glob_error(const char *path, int why)
{
	if (why == ENOENT || why == ENOTDIR || is_lost_and_found(base_of(path)))
		return 0;
	glob_errno = why;
	return 1;
}

static int list_matches(const struct walk *w, int root, const glob_t *found)
{
	size_t skip = strlen(w->root) + (strcmp(w->root, "/") != 0);

	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *name = found->gl_pathv[i] + skip;

		if (top_entry(w, root, name, name, 0) < 0)
			return -1;
	}
	return 0;
}

static int list_glob(const struct walk *w, const char *pattern)
{
	FD_AUTO root = open(w->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	BUF_AUTO path = BUF_INIT(PATH_MAX * 2);
	glob_t found = { 0 };
	int rc;

	if (root < 0)
		return err_set(w->e, ERR_SYSTEM,
			       "list %s: %s; is it mounted, and may this user "
			       "read it?",
			       w->root, strerror(errno));
	for (const char *s = w->root; *s; s++) {
		if (strchr("*?[\\", *s))
			buf_addc(&path, '\\');
		buf_addc(&path, *s);
	}
	buf_addf(&path, "%s%s", strcmp(w->root, "/") ? "/" : "", pattern);
	rc = glob(path.s, GLOB_NOSORT | GLOB_ERR, on_glob_error, &found);
	if (rc == 0)
		rc = list_matches(w, root, &found);
	else if (rc == GLOB_NOMATCH)
		rc = 0;
	else
		rc = err_set(w->e, ERR_SYSTEM, "list %s: %s", path.s,
			     rc == GLOB_NOSPACE ? "out of memory" : strerror(glob_errno));
	globfree(&found);
	return rc;
}

static int local_list(struct storage *s,
		      int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	const struct local *l = s->state;
	struct walk w = { each, ctx, e, l->root, s->options.deep };

	if (l->only)
		return list_file(&w, l->only);
	return l->pattern ? list_glob(&w, l->pattern) : list_directory(&w);
}

/* --- reading ------------------------------------------------------------------------------- */

static int open_object(struct storage *s, const char *name, struct stat *st, struct err *e)
{
	BUF_AUTO path = BUF_INIT(PATH_MAX);
	int fd;

	local_path(s, name, &path);
	/* Not blocking: what was a file may be a pipe by now. */
	fd = open(path.s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	if (fd >= 0)
		(void)err_set(e, ERR_SYSTEM, "open %s: no regular file any more", path.s);
	else if (errno == ENOENT)
		(void)err_set(e, ERR_BACKUP, "open %s: it is gone", path.s);
	else
		(void)err_set(e, ERR_SYSTEM, "open %s: %s; may this user read it?", path.s,
			      strerror(errno));
	io_close(&fd);
	return -1;
}

static int local_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	struct stat st;
	FD_AUTO fd = open_object(s, name, &st, e);

	if (fd < 0)
		return -1;
	out->bytes = st.st_size;
	out->modified_ms = mtime_ms(&st);
	return 0;
}

static int local_read(struct storage *s, const char *name, const char *etag, int64_t from,
		      int64_t count, const struct storage_sink *sink, struct err *e)
{
	struct stat st;
	FD_AUTO fd = open_object(s, name, &st, e);
	AUTO_FREE char *chunk = xmalloc(CHUNK);
	ssize_t n = 0;

	(void)etag;
	if (fd < 0)
		return -1;
	(void)posix_fadvise(fd, from, 0, POSIX_FADV_SEQUENTIAL);
	if (lseek(fd, from, SEEK_SET) < 0)
		return err_set(e, ERR_SYSTEM, "read %s: %s", name, strerror(errno));
	for (int64_t left = count; left != 0; left -= count < 0 ? 0 : n) {
		size_t most = left > 0 && left < CHUNK ? (size_t)left : CHUNK;

		if (s->options.stop && *s->options.stop)
			return err_set(e, ERR_SYSTEM, "read %s: interrupted", name);
		n = io_read_full(fd, chunk, most);
		if (n < 0)
			return err_set(e, ERR_SYSTEM, "read %s: %s", name, strerror(errno));
		if (n == 0)
			break;
		if (sink->write(sink->ctx, chunk, (size_t)n, e) < 0)
			return -1;
	}
	return 0;
}

static const char *const schemes[] = { "", "file", NULL };

const struct storage_driver storage_local = {
	.schemes = schemes,
	.form = "a path, file:///PATH",
	.open = local_open,
	.list = local_list,
	.stat = local_stat,
	.read = local_read,
	.in_place = true,
	.path = local_path,
	.clone = local_clone,
	.close = local_close,
};
