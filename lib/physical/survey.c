#include "lib/physical/survey.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/stream.h"
#include "lib/dump/tar.h"
#include "lib/physical/look.h"
#include "lib/physical/tarset.h"
#include "lib/physical/wal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_SIZE = 256 * 1024, DEPTH_MAX = 16, PAGES_PER_SEGMENT = 131072 };

/* One thing for a job to take: a file of a plain backup, or a whole tar. */
struct item {
	char *path;
	char *inside; /* tar: where its members belong, "pg_wal/"; NULL: a plain file */
	uint64_t bytes;
};

struct work {
	struct look_shared shared;
	int dir;
	const char *path;
	struct item *items; /* the largest first */
	size_t n_items, next;
	struct err broken; /* a job could not go on */
};

static void add_item(struct work *w, const char *path, const char *inside, uint64_t bytes)
{
	w->items = xrealloc(w->items, w->n_items + 1, sizeof(*w->items));
	w->items[w->n_items++] =
		(struct item){ xstrdup(path), inside ? xstrdup(inside) : NULL, bytes };
}

/* --- what there is --------------------------------------------------------------------------- */

/* Links that PostgreSQL itself makes: tablespaces, and a WAL directory elsewhere. */
static bool link_allowed(const char *path)
{
	return strcmp(path, "pg_wal") == 0 ||
	       (strncmp(path, "pg_tblspc/", 10) == 0 && strchr(path + 10, '/') == NULL);
}

static int walk(struct work *w, int dir, const char *prefix, unsigned depth, struct err *e);

static int visit(struct work *w, int dir, const char *prefix, const char *name, unsigned depth,
		 struct err *e)
{
	char *path __attribute__((cleanup(xfree_auto))) = xasprintf("%s%s", prefix, name);
	char *below __attribute__((cleanup(xfree_auto))) = NULL;
	struct stat st;
	int sub;

	if (fstatat(dir, name, &st, link_allowed(path) ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
		look_found(&w->shared, FOUND_UNREADABLE, path, strerror(errno));
		return 0;
	}
	if (S_ISREG(st.st_mode)) {
		add_item(w, path, NULL, (uint64_t)st.st_size);
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		look_found(&w->shared, FOUND_LINK, path, "neither a file nor a directory");
		return 0;
	}
	sub = depth < DEPTH_MAX ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (sub < 0) {
		look_found(&w->shared, FOUND_UNREADABLE, path,
			   depth < DEPTH_MAX ? strerror(errno) : "too many directories deep");
		return 0;
	}
	below = xasprintf("%s/", path);
	return walk(w, sub, below, depth + 1, e);
}

/* Takes dir over. */
static int walk(struct work *w, int dir, const char *prefix, unsigned depth, struct err *e)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;
	int status = 0;

	if (d == NULL) {
		(void)close(dir);
		return err_set(e, ERR_SYSTEM, "list %s: %s", *prefix ? prefix : w->path,
			       strerror(errno));
	}
	errno = 0;
	while (status == 0 && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = visit(w, dir, prefix, entry->d_name, depth, e);
		errno = 0;
	}
	if (status == 0 && errno != 0)
		status = err_set(e, ERR_SYSTEM, "list %s: %s", *prefix ? prefix : w->path,
				 strerror(errno));
	(void)closedir(d);
	return status;
}

/* A set of tars is one when its base.tar is there: then nothing but tars belongs to it. */
static void find_tars(struct work *w)
{
	struct item *all = w->items;
	const size_t n = w->n_items;

	for (size_t i = 0; i < n && !w->shared.out->tars; i++)
		w->shared.out->tars = strncmp(all[i].path, "base.tar", 8) == 0;
	if (!w->shared.out->tars)
		return;
	w->items = NULL;
	w->n_items = 0;
	for (size_t i = 0; i < n; i++) {
		char *inside __attribute__((cleanup(xfree_auto))) = tarset_place(all[i].path);

		if (inside != NULL)
			add_item(w, all[i].path, inside, all[i].bytes);
		free(all[i].path);
	}
	free(all);
}

/* --- the bytes -------------------------------------------------------------------------------- */

static int read_plain(const struct work *w, struct look *l, const struct item *it,
		      unsigned char *buffer, struct err *e)
{
	FD_AUTO fd = openat(w->dir, it->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (look_begin(l, it->path, e) < 0)
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		look_failed(l, fd < 0 ? strerror(errno) : "no file any more");
		return 0;
	}
	/* Without checksums and pages names and sizes are enough. */
	if (!l->shared->opts->sums && l->as == LOOK_BYTES && !l->keep) {
		l->bytes = (uint64_t)st.st_size;
		return look_end(l, e);
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	while ((n = io_read_full(fd, buffer, READ_SIZE)) > 0)
		if (look_add(l, buffer, (size_t)n, e) < 0)
			return -1;
	if (n < 0) {
		look_failed(l, strerror(errno));
		return 0;
	}
	return look_end(l, e);
}

static int read_member(struct stream *s, struct look *l, const struct item *it,
		       const struct tar_member *m, unsigned char *buffer, struct err *e)
{
	const char *name = strncmp(m->name, "./", 2) == 0 ? m->name + 2 : m->name;
	char *path __attribute__((cleanup(xfree_auto))) = xasprintf("%s%s", it->inside, name);
	uint64_t left = m->size_b;

	if (m->type != '0')
		return stream_skip(s, left, e) < 0 ? -1 : tar_pad(s, m, e);
	if (look_begin(l, path, e) < 0)
		return -1;
	while (left > 0) {
		const size_t want = left < READ_SIZE ? (size_t)left : READ_SIZE;
		const ssize_t n = stream_read(s, buffer, want, e);

		if (n < 0)
			return -1;
		if ((size_t)n < want)
			return err_set(e, ERR_BACKUP, "read %s: truncated in its member %s",
				       stream_name(s), m->name);
		if (look_add(l, buffer, want, e) < 0)
			return -1;
		left -= want;
	}
	return look_end(l, e) < 0 ? -1 : tar_pad(s, m, e);
}

/* A damaged tar is a finding; what lies behind the damage then counts as missing. */
static int read_tar(const struct work *w, struct look *l, const struct item *it,
		    unsigned char *buffer, struct err *e)
{
	char *path __attribute__((cleanup(xfree_auto))) = xasprintf("%s/%s", w->path, it->path);
	FD_AUTO fd = openat(w->dir, it->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const struct stream_opts opts = { .name = path };
	STREAM_AUTO *s = NULL;
	struct tar_member m;
	int more = -1;

	if (fd < 0) {
		look_found(l->shared, FOUND_UNREADABLE, it->path, strerror(errno));
		return 0;
	}
	s = stream_open_fd(fd, &opts, e);
	if (s != NULL)
		while ((more = tar_next(s, &m, e)) > 0)
			if (read_member(s, l, it, &m, buffer, e) < 0) {
				more = -1;
				break;
			}
	if (more == 0)
		return 0;
	if (e->kind != ERR_BACKUP)
		return -1;
	look_found(l->shared, FOUND_UNREADABLE, it->path, e->msg);
	return 0;
}

static const struct item *take(struct work *w)
{
	const size_t i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED);

	return i < w->n_items ? &w->items[i] : NULL;
}

static void *job(void *arg)
{
	struct work *w = arg;
	struct look *l = xmalloc(sizeof(*l));
	unsigned char *buffer = xmalloc(READ_SIZE);
	const struct item *it;
	struct err e = { 0 };
	int status = look_open(l, &w->shared, &e);

	while (status == 0 && (it = take(w)) != NULL)
		status = it->inside ? read_tar(w, l, it, buffer, &e)
				    : read_plain(w, l, it, buffer, &e);
	if (status < 0) {
		(void)pthread_mutex_lock(&w->shared.lock);
		w->broken = e;
		(void)pthread_mutex_unlock(&w->shared.lock);
	}
	look_close(l);
	free(l);
	free(buffer);
	return NULL;
}

static int run_jobs(struct work *w, struct err *e)
{
	const unsigned wanted = w->shared.opts->jobs ? w->shared.opts->jobs : 1;
	pthread_t *threads = xcalloc(wanted, sizeof(*threads));
	unsigned n = 0;

	while (n < wanted && n < w->n_items && pthread_create(&threads[n], NULL, job, w) == 0)
		n++;
	/* Without even one thread we do it ourselves. */
	if (n == 0)
		(void)job(w);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	if (w->broken.kind == ERR_NONE)
		return 0;
	*e = w->broken;
	return -1;
}

/* --- around it -------------------------------------------------------------------------------- */

static int largest_first(const void *a, const void *b)
{
	const uint64_t x = ((const struct item *)a)->bytes, y = ((const struct item *)b)->bytes;

	return (x < y) - (x > y);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct survey_wal *)a)->name, ((const struct survey_wal *)b)->name);
}

/* In a plain backup these come first: they say how the pages are to be looked at. */
static void look_ahead(struct work *w)
{
	static const char *const first[] = { "PG_VERSION", "backup_label", "global/pg_control" };
	size_t front = 0;

	for (size_t k = 0; k < sizeof(first) / sizeof(*first); k++)
		for (size_t i = front; i < w->n_items; i++)
			if (strcmp(w->items[i].path, first[k]) == 0) {
				const struct item it = w->items[i];

				w->items[i] = w->items[front];
				w->items[front++] = it;
				break;
			}
	if (w->n_items > front)
		qsort(w->items + front, w->n_items - front, sizeof(*w->items), largest_first);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->path, ((const struct item *)b)->path);
}

/* The segment of the same relation before the one in path, whose first page is block. */
static char *segment_before(const char *path, uint32_t block, uint32_t pages_per_segment)
{
	const int stem = (int)(strrchr(path, '.') - path);

	if (block == pages_per_segment)
		return xstrndup(path, (size_t)stem);
	return xasprintf("%.*s.%" PRIu32, stem, path, block / pages_per_segment - 1);
}

/* Everything before segment N of a relation must be there and full. Told from names and sizes, so
 * it holds for backups without a manifest. */
static void find_short_segments(struct work *w)
{
	const uint32_t pages = w->shared.pages_per_segment;
	uint32_t block;

	if (w->n_items > 0)
		qsort(w->items, w->n_items, sizeof(*w->items), by_path);
	for (size_t i = 0; i < w->n_items; i++) {
		struct item key = { .path = NULL };
		const struct item *before;

		if (!page_file(w->items[i].path, pages, &block) || block == 0)
			continue;
		key.path = segment_before(w->items[i].path, block, pages);
		before = bsearch(&key, w->items, w->n_items, sizeof(key), by_path);
		if (before == NULL || before->bytes != (uint64_t)w->shared.page_size * pages)
			look_found(
				&w->shared, FOUND_SEGMENT, key.path,
				before ? "short, though the relation goes on in another segment"
				       : "missing, though the relation goes on in another segment");
		free(key.path);
	}
}

static void find_missing(struct work *w)
{
	const struct manifest *m = w->shared.opts->manifest;

	for (size_t i = 0; m != NULL && i < m->n_files; i++)
		if (!w->shared.seen[i] && strcmp(m->files[i].path, "postgresql.auto.conf") != 0)
			look_found(&w->shared, FOUND_MISSING, m->files[i].path, NULL);
}

/* Sizes other than the usual ones, and where WAL begins, are known before when the files lie open.
 */
static void know_before(struct work *w)
{
	static const char *const path = "global/pg_control";
	const struct manifest *m = w->shared.opts->manifest;
	unsigned char p[CONTROL_SIZE + 1];
	FD_AUTO fd = openat(w->dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t n = fd < 0 ? -1 : io_read_full(fd, p, sizeof(p));
	struct control c;
	struct err ignored;

	w->shared.page_size = PAGE_SIZE_DEFAULT;
	w->shared.pages_per_segment = PAGES_PER_SEGMENT;
	if (n > 0 && control_parse(p, (size_t)n, path, &c, &ignored) == 0 && c.known) {
		w->shared.page_size = c.block_size;
		w->shared.pages_per_segment = c.pages_per_segment;
	}
	w->shared.start = w->shared.end = UINT64_MAX;
	for (size_t i = 0; m != NULL && i < m->n_wal; i++) {
		if (w->shared.start == UINT64_MAX || m->wal[i].start < w->shared.start)
			w->shared.start = m->wal[i].start;
		if (w->shared.end == UINT64_MAX || m->wal[i].end > w->shared.end)
			w->shared.end = m->wal[i].end;
	}
}

/* pg_control comes last in a tar, so whether pages have checksums is known only now. */
static void judge_pages(struct survey *s)
{
	size_t kept = 0;
	const bool on = !s->has_control || !s->control.known || s->control.checksums;

	if (on && s->has_control)
		return;
	for (size_t i = 0; i < s->n_bad_pages; i++) {
		if (s->bad_pages[i].fault == FAULT_HEADER ||
		    (on && s->bad_pages[i].fault == FAULT_CHECKSUM))
			s->bad_pages[kept++] = s->bad_pages[i];
		else
			free(s->bad_pages[i].path);
	}
	s->n_bad_pages = kept;
	s->faults[FAULT_NO_CHECKSUM] = 0;
	if (!on)
		s->faults[FAULT_CHECKSUM] = 0;
}

int survey_run(int dir, const char *path, const struct survey_opts *opts, struct survey *out,
	       struct err *e)
{
	struct work w = { .dir = dir, .path = path };
	int status;

	memset(out, 0, sizeof(*out));
	w.shared.out = out;
	w.shared.opts = opts;
	(void)pthread_mutex_init(&w.shared.lock, NULL);
	w.shared.seen = xcalloc(opts->manifest ? opts->manifest->n_files + 1 : 1, sizeof(bool));
	know_before(&w);
	status = walk(&w, fcntl(dir, F_DUPFD_CLOEXEC, 0), "", 0, e);
	if (status == 0) {
		find_tars(&w);
		if (!out->tars)
			find_short_segments(&w);
		look_ahead(&w);
		status = run_jobs(&w, e);
	}
	if (status == 0) {
		find_missing(&w);
		judge_pages(out);
		if (out->n_wal > 0)
			qsort(out->wal, out->n_wal, sizeof(*out->wal), by_name);
	}
	for (size_t i = 0; i < w.n_items; i++) {
		free(w.items[i].path);
		free(w.items[i].inside);
	}
	free(w.items);
	free(w.shared.seen);
	(void)pthread_mutex_destroy(&w.shared.lock);
	return status;
}

void survey_free(struct survey *s)
{
	for (size_t i = 0; i < s->n_findings; i++) {
		free(s->findings[i].path);
		free(s->findings[i].what);
	}
	for (size_t i = 0; i < s->n_bad_pages; i++)
		free(s->bad_pages[i].path);
	free(s->findings);
	free(s->bad_pages);
	free(s->wal);
	free(s->version);
	memset(s, 0, sizeof(*s));
}
