#include "lib/physical/survey.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/physical/inventory.h"
#include "lib/physical/tarfile.h"
#include "lib/physical/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGES_PER_SEGMENT = 131072 };

struct work {
	struct look_shared shared;
	int dir;
	const char *path;
	struct inventory list;
	size_t next;       /* of it */
	unsigned idle;     /* processors that have nothing to do: they may help with a file */
	struct err broken; /* a job could not go on */
};

/* --- the bytes -------------------------------------------------------------------------------- */

/* Where the next piece of the file goes. */
static unsigned char *next_piece(struct work *w, struct look *l, size_t *size)
{
	return look_piece(l, __atomic_load_n(&w->idle, __ATOMIC_RELAXED) > 0, size);
}

static int read_plain(struct work *w, struct look *l, const struct inventory_item *it,
		      struct err *e)
{
	FD_AUTO fd = openat(w->dir, it->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char *piece;
	struct stat st;
	size_t size;
	ssize_t n;

	if (look_begin(l, it->path, e) < 0)
		return -1;
	if (fd < 0 || fstat(fd, &st) < 0) {
		look_failed(l, errno, it->bytes);
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		look_found(l->shared, FOUND_LINK, it->path, "no file any more");
		return 0;
	}
	/* Without checksums and pages names and sizes are enough. */
	if (!l->shared->opts->sums && l->as == LOOK_BYTES && !l->keep) {
		l->bytes = (uint64_t)st.st_size;
		return look_end(l, e);
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	piece = next_piece(w, l, &size);
	while ((n = io_read_full(fd, piece, size)) > 0) {
		if (look_add(l, piece, (size_t)n, e) < 0)
			return -1;
		piece = next_piece(w, l, &size);
	}
	if (n < 0) {
		look_failed(l, errno, (uint64_t)st.st_size);
		return 0;
	}
	return look_end(l, e);
}

static int read_member(struct stream *s, struct work *w, struct look *l,
		       const struct inventory_item *it, const struct tar_member *m, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s%s", it->inside, tarfile_name(m));
	uint64_t left = m->size_b;

	if (m->type != '0')
		return stream_skip(s, left, e) < 0 ? -1 : tar_pad(s, m, e);
	if (look_begin(l, path, e) < 0)
		return -1;
	while (left > 0) {
		size_t size;
		unsigned char *const piece = next_piece(w, l, &size);
		const size_t want = left < size ? (size_t)left : size;
		const ssize_t n = stream_read(s, piece, want, e);

		if (n < 0)
			return -1;
		if ((size_t)n < want)
			return err_set(e, ERR_BACKUP, "read %s: truncated in its member %s",
				       stream_name(s), m->name);
		if (look_add(l, piece, want, e) < 0)
			return -1;
		left -= want;
	}
	return look_end(l, e) < 0 ? -1 : tar_pad(s, m, e);
}

/* What lies behind its damage, or where we could not read, was not looked at. */
static void read_tar(struct work *w, struct look *l, const struct inventory_item *it)
{
	struct err e = { 0 };
	TARFILE_AUTO *t = tarfile_open(w->dir, w->path, it->path, w->shared.opts->jobs > 1, &e);
	struct stream *s = t ? tarfile_stream(t) : NULL;
	struct tar_member m;
	int more = -1;

	while (s && (more = tar_next(s, &m, &e)) > 0)
		if (read_member(s, w, l, it, &m, &e) < 0) {
			more = -1;
			break;
		}
	if (more == 0)
		return;
	look_found(l->shared, e.kind == ERR_BACKUP ? FOUND_DAMAGED : FOUND_CLOSED, it->path, e.msg);
	look_passed(l->shared, it->inside);
}

static const struct inventory_item *take(struct work *w)
{
	const size_t i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED);

	return i < w->list.n ? &w->list.items[i] : NULL;
}

static void *job(void *arg)
{
	struct work *w = arg;
	struct look *l = xmalloc(sizeof(*l));
	const struct inventory_item *it;
	struct err e = { 0 };
	int status = look_open(l, &w->shared, &e);

	while (status == 0 && (it = take(w)) != NULL)
		if (it->inside)
			read_tar(w, l, it);
		else
			status = read_plain(w, l, it, &e);
	if (status < 0) {
		(void)pthread_mutex_lock(&w->shared.lock);
		w->broken = e;
		(void)pthread_mutex_unlock(&w->shared.lock);
	}
	look_close(l);
	free(l);
	(void)__atomic_add_fetch(&w->idle, 1, __ATOMIC_RELAXED);
	return NULL;
}

static int run_jobs(struct work *w, struct err *e)
{
	const unsigned wanted = w->shared.opts->jobs ? w->shared.opts->jobs : 1;
	pthread_t *threads = xcalloc(wanted, sizeof(*threads));
	unsigned n = 0;

	w->idle = wanted > w->list.n ? wanted - (unsigned)w->list.n : 0;
	while (n < wanted && n < w->list.n && pthread_create(&threads[n], NULL, job, w) == 0)
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

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct survey_wal *)a)->name, ((const struct survey_wal *)b)->name);
}

static void find_missing(struct work *w)
{
	const struct manifest *m = w->shared.opts->manifest;

	for (size_t i = 0; m != NULL && i < m->n_files; i++) {
		const char *const path = m->files[i].path;

		if (w->shared.seen[i] || look_unlisted(path))
			continue;
		if (survey_closed(w->shared.out, path))
			w->shared.out->unlooked++;
		else
			look_found(&w->shared, FOUND_MISSING, path, NULL);
	}
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

bool survey_closed(const struct survey *s, const char *path)
{
	for (size_t i = 0; i < s->closed.n; i++) {
		const char *const closed = s->closed.v[i];
		const size_t n = strlen(closed);

		if (strncmp(path, closed, n) == 0 &&
		    (path[n] == '\0' || n == 0 || closed[n - 1] == '/'))
			return true;
	}
	return false;
}

int survey_run(int dir, const char *where, const struct survey_opts *opts, struct survey *out,
	       struct err *e)
{
	struct work w = { .dir = dir, .path = where };
	int status;

	memset(out, 0, sizeof(*out));
	w.shared.out = out;
	w.shared.opts = opts;
	(void)pthread_mutex_init(&w.shared.lock, NULL);
	w.shared.seen = xcalloc(opts->manifest ? opts->manifest->n_files + 1 : 1, sizeof(bool));
	know_before(&w);
	inventory_take(dir, &w.shared, &w.list);
	inventory_sort(&w.list);
	status = run_jobs(&w, e);
	if (status == 0) {
		find_missing(&w);
		judge_pages(out);
		if (out->n_wal > 0)
			qsort(out->wal, out->n_wal, sizeof(*out->wal), by_name);
	}
	inventory_free(&w.list);
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
	strv_free(&s->closed);
	memset(s, 0, sizeof(*s));
}
