#include "lib/storage/haul.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/haul_parts.h"
#include "lib/storage/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_MS = 250,
	CHUNK = 256 * 1024,
	SPLIT_MIN = 16 * 1024 * 1024,
	AHEAD = 8, /* ranges, besides those under way */
	RESUMABLE_MIN = 8 * 1024 * 1024
};

/* In the journal: a file that was brought in one go. */
#define WHOLE ((uint64_t)1 << 62)

/* --- states --------------------------------------------------------------------------------- */

void haul_begin(struct haul *h)
{
	(void)pthread_mutex_init(&h->lock, NULL);
	(void)pthread_cond_init(&h->moved, NULL);
	atomic_init(&h->bytes, 0);
	h->told = (struct buf)BUF_INIT(1024);
	h->to_do = h->n;
}

static void forget(struct haul *h, struct haul_file *f)
{
	int64_t size = haul_range_bytes(h);

	for (int64_t r = 0; f->have && r < f->ranges; r++)
		if (f->have[r])
			atomic_fetch_sub(&h->bytes,
					 (unsigned long long)(r + 1 < f->ranges
								      ? size
								      : f->bytes - r * size));
	free(f->have);
	free(f->stat);
	f->have = NULL;
	f->stat = NULL;
	f->ranges = f->next = f->done = f->followed = 0;
	f->whole_here = f->split = f->resumed = false;
	f->state = HAUL_NEW;
}

void haul_forget(struct haul *h, size_t file)
{
	forget(h, &h->files[file]);
}

void haul_end(struct haul *h)
{
	for (size_t i = 0; i < h->n; i++)
		forget(h, &h->files[i]);
	(void)pthread_mutex_destroy(&h->lock);
	(void)pthread_cond_destroy(&h->moved);
	buf_free(&h->told);
}

bool haul_resumable(const struct haul *h)
{
	int64_t here = 0;

	for (size_t i = 0; i < h->n && here < RESUMABLE_MIN; i++) {
		const struct haul_file *f = &h->files[i];

		here += f->whole_here ? f->bytes : f->done * haul_range_bytes(h);
	}
	return here >= RESUMABLE_MIN;
}

static bool large(const struct haul *h, const struct haul_file *f)
{
	return h->split && f->bytes > (int64_t)SPLIT_MIN;
}

bool haul_large(const struct haul *h, size_t file)
{
	return large(h, &h->files[file]);
}

static void cut(const struct haul *h, struct haul_file *f)
{
	int64_t size = haul_range_bytes(h);

	if (f->have)
		return;
	f->ranges = (f->bytes + size - 1) / size;
	f->have = xcalloc((size_t)f->ranges, 1);
}

void haul_has(void *ctx, uint64_t file, uint64_t range)
{
	struct haul *h = ctx;
	struct haul_file *f = file < h->n ? &h->files[file] : NULL;
	int64_t size = haul_range_bytes(h);

	if (f == NULL)
		return;
	if (range == WHOLE) {
		f->whole_here = true;
		return;
	}
	if (!large(h, f))
		return;
	cut(h, f);
	if (range >= (uint64_t)f->ranges || f->have[range])
		return;
	f->have[range] = 1;
	f->done++;
	f->resumed = true;
	atomic_fetch_add(&h->bytes,
			 (unsigned long long)((int64_t)range + 1 < f->ranges
						      ? size
						      : f->bytes - (int64_t)range * size));
}

/* All is known that decides how it is brought. */
static void make_ready(struct haul *h, struct haul_file *f)
{
	f->split = large(h, f) && f->stat && f->stat->ranges;
	if (f->split) {
		cut(h, f);
	} else {
		bool here = f->whole_here;
		struct storage_stat *stat = f->stat;

		f->stat = NULL;
		forget(h, f);
		f->stat = stat;
		f->whole_here = here;
		f->ranges = 1;
	}
	f->state = HAUL_READY;
}

static void fail(struct haul *h, size_t at, const struct err *e)
{
	(void)pthread_mutex_lock(&h->lock);
	if (!h->failed) {
		h->failed = true;
		h->failed_at = at;
		h->e = *e;
	}
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
}

/* --- what a thread does ---------------------------------------------------------------------- */

enum task { TASK_NONE, TASK_ASK, TASK_RANGE, TASK_FILE };

struct job {
	enum task task;
	size_t file;
	int64_t range;
};

static bool stopped(const struct haul *h)
{
	const volatile sig_atomic_t *stop = storage_stop(h->s);

	return h->failed || (stop && *stop);
}

/* The next range of a file that nobody has begun; false: there is none. */
static bool next_range(struct haul_file *f, int64_t *range)
{
	while (f->next < f->ranges && f->have && f->have[f->next])
		f->next++;
	if (f->next >= f->ranges)
		return false;
	*range = f->next++;
	return true;
}

/* Must the proof catch up first? What is there from an earlier run it has to pass before, and
 * nobody waits for that. */
static bool far_ahead(const struct haul *h, const struct haul_file *f)
{
	return f->split && !f->resumed && f->next < f->ranges &&
	       f->next - f->followed >= (int64_t)h->connections + AHEAD;
}

/* True when there is something to do on this file. */
static bool job_on(struct haul *h, struct haul_file *f, struct job *job)
{
	if (f->state == HAUL_NEW && large(h, f) && f->stat == NULL) {
		f->state = HAUL_ASKED;
		job->task = TASK_ASK;
		return true;
	}
	if (f->state == HAUL_NEW)
		make_ready(h, f);
	if (f->state != HAUL_READY || far_ahead(h, f) || !next_range(f, &job->range))
		return false;
	job->task = f->split ? TASK_RANGE : TASK_FILE;
	return true;
}

/* With the lock held. TASK_NONE: nothing more to be begun. */
static void choose(struct haul *h, struct job *job)
{
	bool wait;

	do {
		wait = false;
		job->task = TASK_NONE;
		while (h->first < h->n && (h->files[h->first].state == HAUL_DONE ||
					   (h->files[h->first].state == HAUL_READY &&
					    h->files[h->first].next >= h->files[h->first].ranges)))
			h->first++;
		for (size_t i = h->first; i < h->n && !stopped(h); i++) {
			job->file = i;
			if (job_on(h, &h->files[i], job))
				return;
			wait |= h->files[i].state == HAUL_ASKED || far_ahead(h, &h->files[i]);
		}
		if (wait && !stopped(h))
			(void)pthread_cond_wait(&h->moved, &h->lock);
	} while (wait && !stopped(h));
}

static int note(struct haul *h, size_t file, uint64_t range, struct err *e)
{
	if (h->to && h->to->partial.path[0] && partial_note(&h->to->partial, file, range) < 0) {
		h->write_errno = errno;
		return err_set(e, ERR_SYSTEM, "write the journal: %s", strerror(errno));
	}
	return 0;
}

/* With the lock held, after a job that went well. */
static int settle(struct haul *h, const struct job *job, struct storage_stat *stat, struct err *e)
{
	struct haul_file *f = &h->files[job->file];

	switch (job->task) {
	case TASK_ASK:
		f->stat = stat;
		f->bytes = stat->bytes;
		make_ready(h, f);
		return 0;
	case TASK_RANGE:
		f->have[job->range] = 1;
		f->done++;
		return note(h, job->file, (uint64_t)job->range, e);
	case TASK_FILE:
		f->state = HAUL_DONE;
		f->whole_here = true;
		h->to_do--;
		return note(h, job->file, WHOLE, e);
	case TASK_NONE:
		break;
	}
	return 0;
}

static int work_on(struct haul *h, struct storage *s, const struct job *job, struct err *e)
{
	struct haul_file *f = &h->files[job->file];
	struct storage_stat *stat = NULL;
	int rc = 0;

	if (job->task == TASK_ASK) {
		stat = xcalloc(1, sizeof(*stat));
		rc = storage_stat(s, f->name, stat, e);
	} else if (job->task == TASK_RANGE) {
		rc = haul_bring_range(h, s, f, job->range, e);
	} else {
		rc = haul_bring_file(h, s, f, f->whole_here, e);
	}
	if (rc < 0) {
		free(stat);
		return -1;
	}
	(void)pthread_mutex_lock(&h->lock);
	rc = settle(h, job, stat, e);
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
	return rc;
}

static void *work(void *arg)
{
	struct haul *h = arg;
	struct err e = { 0 };
	STORAGE_AUTO s = storage_clone(h->s, &e);
	struct job job = { .file = h->n };

	if (s == NULL)
		fail(h, h->n, &e);
	while (s) {
		(void)pthread_mutex_lock(&h->lock);
		choose(h, &job);
		(void)pthread_mutex_unlock(&h->lock);
		if (job.task == TASK_NONE)
			break;
		if (work_on(h, s, &job, &e) < 0) {
			fail(h, job.file, &e);
			break;
		}
	}
	return NULL;
}

/* --- what the calling thread does ------------------------------------------------------------ */

static void show_progress(const struct haul *h)
{
	if (h->progress)
		h->progress(h->progress_ctx, atomic_load(&h->bytes));
}

/* With the lock held: until something moved, or it is time to look at the clock. */
static void wait_a_tick(struct haul *h)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)TICK_MS * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&h->moved, &h->lock, &until);
	show_progress(h);
}

/* Until the file is ready, and the range (-1: none) is there. False: that will not be. */
static bool await(struct haul *h, const struct haul_file *f, int64_t range)
{
	bool there;

	(void)pthread_mutex_lock(&h->lock);
	while (!stopped(h) && (f->state < HAUL_READY || (range >= 0 && !f->have[range])))
		wait_a_tick(h);
	there = !stopped(h);
	(void)pthread_mutex_unlock(&h->lock);
	return there;
}

/* One range of a split file, from where it was written. */
static int pass_range(struct haul *h, struct intake *t, int fd, int64_t left, struct err *e)
{
	AUTO_FREE char *chunk = xmalloc(CHUNK);
	const struct storage_sink sink = intake_sink(t);

	while (left > 0) {
		ssize_t n = pread(fd, chunk, left < CHUNK ? (size_t)left : CHUNK, (off_t)t->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_SYSTEM, "read what was written: %s",
				       n < 0 ? strerror(errno) : "it is gone");
		if (sink.write(sink.ctx, chunk, (size_t)n, e) < 0)
			return -1;
		left -= n;
		show_progress(h);
	}
	return 0;
}

static void note_followed(struct haul *h, struct haul_file *f)
{
	(void)pthread_mutex_lock(&h->lock);
	f->followed++;
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
}

/* Proves a split file behind the ranges that come. 0 also when the haul failed elsewhere. */
static int follow(struct haul *h, struct haul_file *f, struct err *e)
{
	BUF_AUTO told = BUF_INIT(PROOF_TOLD_MAX);
	int64_t size = haul_range_bytes(h);
	struct intake t = { .fd = -1, .most = f->bytes, .proving = true, .wish = f->wish };
	FD_AUTO fd = landing_open(h->to, f->member, e);
	int rc;

	t.stream = h->stream;
	if (fd < 0 || intake_begin(&t, f->stat, e) < 0)
		return -1;
	for (int64_t r = rc = 0; rc == 0 && r < f->ranges; r++) {
		if (!await(h, f, r)) {
			intake_end(&t, true);
			return 0;
		}
		rc = pass_range(h, &t, fd, r + 1 < f->ranges ? size : f->bytes - r * size, e);
		note_followed(h, f);
	}
	if (rc == 0)
		rc = haul_judge(f, t.head, t.bytes, e);
	if (rc == 0)
		rc = proof_end(&t.proof, f->name, f->sha256, &told, e);
	intake_end(&t, true);
	if (rc < 0)
		return -1;
	haul_tell(h, &told);
	(void)pthread_mutex_lock(&h->lock);
	f->state = HAUL_DONE;
	h->to_do--;
	(void)pthread_mutex_unlock(&h->lock);
	return 0;
}

static void oversee(struct haul *h)
{
	struct err e = { 0 };

	for (size_t i = 0; i < h->n; i++) {
		struct haul_file *f = &h->files[i];

		if (!await(h, f, -1))
			break;
		if (f->split && f->state != HAUL_DONE && follow(h, f, &e) < 0) {
			fail(h, i, &e);
			break;
		}
	}
	(void)pthread_mutex_lock(&h->lock);
	while (h->to_do > 0 && !stopped(h))
		wait_a_tick(h);
	/* Who waits for an answer that will not come any more. */
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
}

/* What was begun and not ended counts as not begun. */
static void rewind_files(struct haul *h)
{
	h->failed = false;
	h->failed_at = h->n;
	h->first = 0;
	h->write_errno = 0;
	for (size_t i = 0; i < h->n; i++) {
		struct haul_file *f = &h->files[i];

		f->next = f->followed = 0;
		f->resumed |= f->done > 0;
		if (f->state == HAUL_ASKED)
			f->state = HAUL_NEW;
	}
}

static unsigned crew_size(const struct haul *h)
{
	size_t jobs = 0;

	for (size_t i = 0; i < h->n && jobs < h->connections; i++)
		jobs += large(h, &h->files[i])
				? (size_t)(h->files[i].bytes / haul_range_bytes(h) + 1)
				: 1;
	return jobs < h->connections ? (unsigned)jobs : h->connections;
}

int haul_run(struct haul *h, struct err *e)
{
	unsigned wanted = crew_size(h), n = 0;
	AUTO_FREE pthread_t *threads = xcalloc(wanted + 1, sizeof(*threads));

	rewind_files(h);
	while (n < wanted && pthread_create(&threads[n], NULL, work, h) == 0)
		n++;
	if (n > 0)
		oversee(h);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	if (h->failed) {
		*e = h->e;
		return -1;
	}
	if (n == 0 && wanted > 0)
		return err_set(e, ERR_SYSTEM, "start a thread: %s", strerror(EAGAIN));
	if (h->to_do > 0)
		return err_set(e, ERR_SYSTEM, "interrupted");
	return 0;
}
