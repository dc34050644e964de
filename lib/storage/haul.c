#include "lib/storage/haul.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/storage/haul_crew.h"
#include "lib/storage/haul_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TICK_MS = 250,
	SHORT_TICK_MS = 5,
	SPLIT_MIN = 2 * HAUL_RANGE_BYTES,
	RESUMABLE_MIN = HAUL_RANGE_BYTES
};

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
	for (int64_t r = 0; f->have && r < f->ranges; r++)
		if (f->have[r] == HAUL_HERE)
			atomic_fetch_sub(&h->bytes, (unsigned long long)haul_ranges_bytes(f, r, 1));
	haul_drop_proof(f);
	free(f->have);
	free(f->stat);
	f->have = NULL;
	f->stat = NULL;
	f->ranges = f->next = f->done = f->followed = 0;
	f->whole_here = f->split = f->resumed = false;
	h->to_do += f->state == HAUL_DONE;
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

		here += f->whole_here ? f->bytes : f->done * HAUL_RANGE_BYTES;
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

static void cut(struct haul_file *f)
{
	if (f->have)
		return;
	f->ranges = (f->bytes + HAUL_RANGE_BYTES - 1) / HAUL_RANGE_BYTES;
	f->have = xcalloc((size_t)f->ranges, 1);
}

void haul_has(void *ctx, uint64_t file, uint64_t range)
{
	struct haul *h = ctx;
	struct haul_file *f = file < h->n ? &h->files[file] : NULL;

	if (f == NULL)
		return;
	if (range == HAUL_WHOLE) {
		f->whole_here = true;
		return;
	}
	if (!large(h, f))
		return;
	cut(f);
	if (range >= (uint64_t)f->ranges || f->have[range])
		return;
	f->have[range] = HAUL_HERE;
	f->done++;
	f->resumed = true;
	atomic_fetch_add(&h->bytes, (unsigned long long)haul_ranges_bytes(f, (int64_t)range, 1));
}

/* All is known that decides how it is brought. */
void haul_make_ready(struct haul *h, struct haul_file *f)
{
	f->split = large(h, f) && f->stat && f->stat->ranges;
	if (f->split) {
		cut(f);
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

bool haul_stopped(const struct haul *h)
{
	const volatile sig_atomic_t *stop = storage_stop(h->s);

	return h->failed || (stop && *stop);
}

void haul_fail(struct haul *h, size_t at, const struct err *e)
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

/* --- what the calling thread does ------------------------------------------------------------ */

/* With the lock held: until something moved, or it is time to look at the clock. */
static void wait_a_tick(struct haul *h)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)(width_hurries(&h->width) ? SHORT_TICK_MS : TICK_MS) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&h->moved, &h->lock, &until);
	haul_look(h);
	haul_show_progress(h);
}

/* Until the file is ready. False: that will not be. */
static bool await_file(struct haul *h, const struct haul_file *f)
{
	bool there;

	(void)pthread_mutex_lock(&h->lock);
	while (!haul_stopped(h) && f->state < HAUL_READY)
		wait_a_tick(h);
	there = !haul_stopped(h);
	(void)pthread_mutex_unlock(&h->lock);
	return there;
}

enum due { DUE_RANGE, DUE_END, DUE_NOTHING };

/* Until a range has come that is to be proven, or all are (DUE_END). DUE_NOTHING: that will not
 * be. */
static enum due await_range(struct haul *h, const struct haul_file *f)
{
	enum due due;

	(void)pthread_mutex_lock(&h->lock);
	while (!haul_stopped(h) && f->followed < f->ranges && f->have[f->followed] != HAUL_HERE)
		wait_a_tick(h);
	due = f->followed < f->ranges ? DUE_RANGE : DUE_END;
	if (haul_stopped(h))
		due = DUE_NOTHING;
	(void)pthread_mutex_unlock(&h->lock);
	return due;
}

static void note_followed(struct haul *h, struct haul_file *f)
{
	(void)pthread_mutex_lock(&h->lock);
	f->followed++;
	(void)pthread_cond_broadcast(&h->moved);
	(void)pthread_mutex_unlock(&h->lock);
}

/* Proves a split file, where nobody does on the way. 0 also when the haul failed elsewhere. */
static int follow(struct haul *h, struct haul_file *f, struct err *e)
{
	FD_AUTO fd = landing_open(h->to, f->member, e);
	enum due due;

	if (fd < 0)
		return -1;
	while ((due = await_range(h, f)) == DUE_RANGE) {
		if (haul_follow_range(h, f, fd, e) < 0)
			return -1;
		note_followed(h, f);
	}
	if (due == DUE_NOTHING)
		return 0;
	if (haul_end_proof(h, f, e) < 0)
		return -1;
	haul_drop_proof(f);
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

		if (!await_file(h, f))
			break;
		if (f->split && f->state != HAUL_DONE && follow(h, f, &e) < 0) {
			haul_fail(h, i, &e);
			break;
		}
	}
	(void)pthread_mutex_lock(&h->lock);
	while (h->to_do > 0 && !haul_stopped(h))
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
	h->at_work = h->long_ways = h->newcomers = h->joined = 0;
	h->write_errno = 0;
	for (size_t i = 0; i < h->n; i++) {
		struct haul_file *f = &h->files[i];

		haul_drop_proof(f);
		for (int64_t r = 0; f->have && r < f->ranges; r++)
			if (f->have[r] == HAUL_BEGUN)
				f->have[r] = HAUL_MISSING;
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
		jobs += large(h, &h->files[i]) ? (size_t)(h->files[i].bytes / HAUL_RANGE_BYTES + 1)
					       : 1;
	return jobs < h->connections ? (unsigned)jobs : h->connections;
}

int haul_run(struct haul *h, struct err *e)
{
	struct width_look now;
	unsigned wanted = crew_size(h), n = 0;
	AUTO_FREE pthread_t *threads = xcalloc(wanted + 1, sizeof(*threads));

	rewind_files(h);
	haul_take_look(h, &now);
	width_begin(&h->width, h->connections, h->n == 1 && large(h, &h->files[0]), &now);
	while (n < wanted && pthread_create(&threads[n], NULL, haul_work, h) == 0)
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
