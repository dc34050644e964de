#include "lib/base/sorter.h"

#include "lib/base/io.h"
#include "lib/base/tmpdir.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ROOM = 1024 * 1024,             /* for records in memory */
	RUNS_MAX = 16,                  /* so many are merged into one */
	WINDOW = SORTER_RECORD_MAX * 2, /* of a run that is being read */
};

/* Before each record, which so begins at a multiple of 8. */
struct head {
	uint64_t bytes; /* with what fills it up to a multiple of 8 */
};

/* What is in order in the file. */
struct run {
	int64_t from, to;
};

struct sorter {
	sorter_compare *compare;
	char *room; /* heads and records */
	size_t used;
	size_t *at; /* where in room each record begins */
	size_t n, cap;
	int fd;      /* -1: none yet */
	int64_t end; /* of the file */
	struct run runs[RUNS_MAX];
	size_t n_runs;
	char *last; /* a copy of the last record of the last run */
};

struct sorter *sorter_new(sorter_compare *compare)
{
	struct sorter *s = xcalloc(1, sizeof(*s));

	s->compare = compare;
	s->fd = -1;
	s->room = xmalloc(ROOM);
	return s;
}

void sorter_free(struct sorter **s)
{
	if (*s == NULL)
		return;
	io_close(&(*s)->fd);
	free((*s)->room);
	free((*s)->at);
	free((*s)->last);
	free(*s);
	*s = NULL;
}

static int by_order(const void *a, const void *b, void *ctx)
{
	struct sorter *s = ctx;

	return s->compare(s->room + *(const size_t *)a, s->room + *(const size_t *)b);
}

static void sort_room(struct sorter *s)
{
	if (s->n > 1)
		qsort_r(s->at, s->n, sizeof(*s->at), by_order, s);
}

/* --- to the file ----------------------------------------------------------------------------- */

static uint64_t bytes_of(const char *record)
{
	return ((const struct head *)(const void *)(record - sizeof(struct head)))->bytes;
}

/* A run being written. */
struct writer {
	int fd;
	int64_t at;
	size_t used;
	char *window;
};

static int flush(struct writer *w, struct err *e)
{
	if (io_pwrite_all(w->fd, w->window, w->used, w->at) < 0)
		return err_set(e, ERR_SYSTEM,
			       "write a temporary file: %s; TMPDIR names another directory for it",
			       strerror(errno));
	w->at += (int64_t)w->used;
	w->used = 0;
	return 0;
}

static int put(void *ctx, void *record, struct err *e)
{
	struct writer *w = ctx;
	size_t n = sizeof(struct head) + (size_t)bytes_of(record);

	if (w->used + n > WINDOW && flush(w, e) < 0)
		return -1;
	memcpy(w->window + w->used, (char *)record - sizeof(struct head), n);
	w->used += n;
	return 0;
}

/* --- from the file --------------------------------------------------------------------------- */

/* A run being read. */
struct reader {
	int64_t next, to; /* in the file, behind what is in the window */
	char *window;
	size_t at, end;
	char *record; /* the first that was not passed on; NULL: the run has ended */
};

static int refill(const struct sorter *s, struct reader *r, struct err *e)
{
	size_t room;
	ssize_t n;

	memmove(r->window, r->window + r->at, r->end - r->at);
	r->end -= r->at;
	r->at = 0;
	room = WINDOW - r->end;
	if ((int64_t)room > r->to - r->next)
		room = (size_t)(r->to - r->next);
	if (lseek(s->fd, r->next, SEEK_SET) < 0 ||
	    (n = io_read_full(s->fd, r->window + r->end, room)) < 0)
		return err_set(e, ERR_SYSTEM, "read a temporary file: %s", strerror(errno));
	if ((size_t)n < room)
		return err_set(e, ERR_SYSTEM, "read a temporary file: somebody has shortened it");
	r->next += n;
	r->end += room;
	return 0;
}

static bool whole(const struct reader *r)
{
	size_t there = r->end - r->at;

	return there > sizeof(struct head) &&
	       there - sizeof(struct head) >= bytes_of(r->window + r->at + sizeof(struct head));
}

static int advance(const struct sorter *s, struct reader *r, struct err *e)
{
	if (r->record)
		r->at += sizeof(struct head) + (size_t)bytes_of(r->record);
	r->record = NULL;
	if (!whole(r) && r->next < r->to && refill(s, r, e) < 0)
		return -1;
	if (r->end > r->at)
		r->record = r->window + r->at + sizeof(struct head);
	return 0;
}

static struct reader *least(const struct sorter *s, struct reader *v)
{
	struct reader *best = NULL;

	for (size_t i = 0; i < s->n_runs; i++)
		if (v[i].record && (best == NULL || s->compare(v[i].record, best->record) < 0))
			best = &v[i];
	return best;
}

static int merge(const struct sorter *s, int (*each)(void *ctx, void *record, struct err *e),
		 void *ctx, struct err *e)
{
	AUTO_FREE char *windows = xmalloc(s->n_runs * WINDOW);
	struct reader readers[RUNS_MAX] = { 0 };
	int rc = 0;

	for (size_t i = 0; i < s->n_runs && rc == 0; i++) {
		readers[i] = (struct reader){ .next = s->runs[i].from,
					      .to = s->runs[i].to,
					      .window = windows + i * WINDOW };
		rc = advance(s, &readers[i], e);
	}
	for (struct reader *r; rc == 0 && (r = least(s, readers)) != NULL;) {
		rc = each(ctx, r->record, e);
		if (rc == 0)
			rc = advance(s, r, e);
	}
	return rc;
}

/* --- both ------------------------------------------------------------------------------------ */

/* All runs become one, in another file. */
static int join_runs(struct sorter *s, struct err *e)
{
	AUTO_FREE char *window = xmalloc(WINDOW);
	FD_AUTO fd = tmpdir_file(e);
	struct writer w = { .fd = fd, .window = window };

	if (fd < 0 || merge(s, put, &w, e) < 0 || flush(&w, e) < 0)
		return -1;
	io_close(&s->fd);
	s->fd = fd;
	fd = -1;
	s->runs[0] = (struct run){ 0, w.at };
	s->n_runs = 1;
	s->end = w.at;
	free(s->last);
	s->last = NULL;
	return 0;
}

static void keep_last(struct sorter *s)
{
	const char *record = s->room + s->at[s->n - 1];
	size_t n = (size_t)bytes_of(record);

	s->last = xrealloc(s->last, n, 1);
	memcpy(s->last, record, n);
}

/* What is in memory becomes a run, or goes on with the last one where it can: records that come in
 * order make one run, whatever their number. */
static int spill(struct sorter *s, struct err *e)
{
	AUTO_FREE char *window = xmalloc(WINDOW);
	struct writer w = { .window = window };

	if ((s->n_runs == RUNS_MAX && join_runs(s, e) < 0) ||
	    (s->fd < 0 && (s->fd = tmpdir_file(e)) < 0))
		return -1;
	sort_room(s);
	w.fd = s->fd;
	w.at = s->end;
	for (size_t i = 0; i < s->n; i++)
		if (put(&w, s->room + s->at[i], e) < 0)
			return -1;
	if (flush(&w, e) < 0)
		return -1;
	if (s->last == NULL || s->compare(s->last, s->room + s->at[0]) > 0)
		s->runs[s->n_runs++].from = s->end;
	keep_last(s);
	s->end = s->runs[s->n_runs - 1].to = w.at;
	s->used = s->n = 0;
	return 0;
}

int sorter_add(struct sorter *s, const void *record, size_t n, struct err *e)
{
	const struct head head = { (n + 7) / 8 * 8 };

	if (n == 0 || n > SORTER_RECORD_MAX)
		return err_set(e, ERR_SYSTEM, "sort a record of %zu bytes: 1 to %d can be", n,
			       SORTER_RECORD_MAX);
	if (s->used + sizeof(head) + head.bytes > ROOM && spill(s, e) < 0)
		return -1;
	if (s->n == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 1024;
		s->at = xrealloc(s->at, s->cap, sizeof(*s->at));
	}
	memcpy(s->room + s->used, &head, sizeof(head));
	s->used += sizeof(head);
	s->at[s->n++] = s->used;
	memcpy(s->room + s->used, record, n);
	s->used += (size_t)head.bytes;
	return 0;
}

int sorter_each(struct sorter *s, int (*each)(void *ctx, void *record, struct err *e), void *ctx,
		struct err *e)
{
	int rc = 0;

	if (s->n_runs > 0)
		return s->n > 0 && spill(s, e) < 0 ? -1 : merge(s, each, ctx, e);
	sort_room(s);
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = each(ctx, s->room + s->at[i], e);
	return rc;
}
