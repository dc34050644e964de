#include "lib/storage/haul_parts.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	MIB = 1024 * 1024,
	FLUSH_MIN = MIB,
	CHUNK = MIB,
	FOLLOW_CHUNK = 256 * 1024, /* stays in a processor's own cache */
};

int64_t haul_ranges_bytes(const struct haul_file *f, int64_t first, int64_t count)
{
	const int64_t from = first * HAUL_RANGE_BYTES;

	return first + count < f->ranges ? count * HAUL_RANGE_BYTES : f->bytes - from;
}

void haul_known(const struct haul_file *f, struct storage_stat *out)
{
	if (f->stat) {
		*out = *f->stat;
		return;
	}
	*out = (struct storage_stat){ .bytes = f->bytes, .modified_ms = f->modified_ms };
	(void)snprintf(out->etag, sizeof(out->etag), "%s", f->etag);
}

int haul_judge(const struct haul_file *f, const unsigned char *head, uint64_t bytes, struct err *e)
{
	const char *page = intake_page(head, bytes < INTAKE_HEAD ? (size_t)bytes : INTAKE_HEAD);

	if (f->bytes >= 0 && bytes != (uint64_t)f->bytes)
		return err_set(e, ERR_BACKUP,
			       "read %s: %" PRIu64 " bytes came, the storage says it has %" PRId64
			       "; is it still being written?",
			       f->name, bytes, f->bytes);
	if (page)
		return err_set(e, ERR_BACKUP,
			       "read %s: it is not a backup but %s; look at the job that writes it",
			       f->name, page);
	return 0;
}

void haul_show_progress(const struct haul *h)
{
	if (h->progress)
		h->progress(h->progress_ctx, atomic_load(&h->bytes));
}

void haul_tell(struct haul *h, const struct buf *told)
{
	(void)pthread_mutex_lock(&h->lock);
	if (told->len > 0 && h->told.len + told->len < h->told.max - 2)
		proof_tell(&h->told, told->s);
	(void)pthread_mutex_unlock(&h->lock);
}

static int open_place(const struct haul *h, const struct haul_file *f, int *fd, struct err *e)
{
	*fd = -1;
	if (h->to == NULL)
		return 0;
	*fd = landing_open(h->to, f->member, e);
	return *fd < 0 ? -1 : 0;
}

static void note_write_errno(struct haul *h, const struct intake *t)
{
	if (t->write_errno == 0)
		return;
	(void)pthread_mutex_lock(&h->lock);
	h->write_errno = t->write_errno;
	(void)pthread_mutex_unlock(&h->lock);
}

/* Lets the disk begin at once with what has to be on it in the end. */
static void flush_early(int fd, int64_t from, int64_t bytes)
{
	if (fd >= 0 && bytes >= FLUSH_MIN)
		(void)sync_file_range(fd, from, bytes, SYNC_FILE_RANGE_WRITE);
}

int haul_note(struct haul *h, size_t file, uint64_t range, struct err *e)
{
	if (h->to && h->to->partial.path[0] && partial_note(&h->to->partial, file, range) < 0) {
		h->write_errno = errno;
		return err_set(e, ERR_SYSTEM, "write the journal: %s", strerror(errno));
	}
	return 0;
}

static int64_t us_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;
}

void haul_take_look(const struct haul *h, struct width_look *look)
{
	struct timespec cpu = { 0 }, clock = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	(void)clock_gettime(CLOCK_MONOTONIC, &clock);
	*look = (struct width_look){ .at_us = us_of(&clock),
				     .cpu_us = us_of(&cpu),
				     .bytes = atomic_load(&h->bytes) };
}

void haul_look(struct haul *h)
{
	const unsigned before = h->width.now;
	struct width_look now;

	haul_take_look(h, &now);
	width_see(&h->width, &now);
	if (h->width.now > before)
		(void)pthread_cond_broadcast(&h->moved);
}

/* --- the proof of a split file --------------------------------------------------------------- */

/* What has it, is the only one to touch it. */
static struct intake *have_proof(struct haul *h, struct haul_file *f, struct err *e)
{
	if (f->proof)
		return f->proof;
	f->proof = xcalloc(1, sizeof(*f->proof));
	*f->proof = (struct intake){
		.fd = -1, .most = f->bytes, .proving = true, .wish = f->wish, .stream = h->stream
	};
	if (intake_begin(f->proof, f->stat, e) == 0)
		return f->proof;
	free(f->proof);
	f->proof = NULL;
	return NULL;
}

void haul_drop_proof(struct haul_file *f)
{
	if (f->proof)
		intake_end(f->proof, true);
	free(f->proof);
	f->proof = NULL;
}

int haul_end_proof(struct haul *h, struct haul_file *f, struct err *e)
{
	BUF_AUTO told = BUF_INIT(PROOF_TOLD_MAX);
	struct intake *t = have_proof(h, f, e);

	if (t == NULL || haul_judge(f, t->head, t->bytes, e) < 0 ||
	    proof_end(&t->proof, f->name, f->sha256, &told, e) < 0)
		return -1;
	haul_tell(h, &told);
	return 0;
}

int haul_follow_range(struct haul *h, struct haul_file *f, int fd, struct err *e)
{
	AUTO_FREE char *chunk = xmalloc(FOLLOW_CHUNK);
	struct intake *t = have_proof(h, f, e);
	struct storage_sink sink;
	int64_t left = haul_ranges_bytes(f, f->followed, 1);

	if (t == NULL)
		return -1;
	sink = intake_sink(t);
	while (left > 0) {
		ssize_t n = pread(fd, chunk, left < FOLLOW_CHUNK ? (size_t)left : FOLLOW_CHUNK,
				  (off_t)t->bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, ERR_SYSTEM, "read what was written: %s",
				       n < 0 ? strerror(errno) : "it is gone");
		if (sink.write(sink.ctx, chunk, (size_t)n, e) < 0)
			return -1;
		left -= n;
		haul_show_progress(h);
	}
	return 0;
}

/* --- what is brought ------------------------------------------------------------------------- */

/* Ranges on their way. */
struct under_way {
	struct haul *h;
	struct haul_passage *p;
	int fd;
	int64_t bytes; /* of the range p->first */
	bool yields;   /* it ends here, for others are to help */
};

/* A range is in its place, and proven if the passage leads. */
static int arrived(struct under_way *u, struct err *e)
{
	struct haul_file *f = &u->h->files[u->p->file];
	const int64_t range = u->p->first++;
	int rc;

	flush_early(u->fd, range * HAUL_RANGE_BYTES, u->bytes);
	u->bytes = 0;
	(void)pthread_mutex_lock(&u->h->lock);
	f->have[range] = HAUL_HERE;
	f->done++;
	if (u->p->leads)
		f->followed++;
	rc = haul_note(u->h, u->p->file, (uint64_t)range, e);
	u->yields = u->p->first < u->p->end && u->h->width.now > 1;
	/* One that goes on alone leaves nothing to do for who waits. */
	if (!u->p->leads || u->h->width.phase != WIDTH_ALONE || u->yields)
		(void)pthread_cond_broadcast(&u->h->moved);
	(void)pthread_mutex_unlock(&u->h->lock);
	return rc;
}

_Static_assert(HAUL_RANGE_BYTES % INTAKE_GATHERED == 0, "what is proven ends with a range");

/* Some bytes, of one range, are in their place, and proven if the passage leads. */
static int pass(void *ctx, size_t n, struct err *e)
{
	struct under_way *u = ctx;
	const struct haul_file *f = &u->h->files[u->p->file];

	u->bytes += (int64_t)n;
	if (u->bytes == haul_ranges_bytes(f, u->p->first, 1) && arrived(u, e) < 0)
		return -1;
	return u->yields ? err_set(e, ERR_SYSTEM, "others are to help") : 0;
}

int haul_bring_ranges(struct haul *h, struct storage *s, struct haul_passage *p, struct err *e)
{
	struct haul_file *f = &h->files[p->file];
	const int64_t first = p->first, from = first * HAUL_RANGE_BYTES;
	const int64_t bytes = haul_ranges_bytes(f, first, p->end - first);
	struct under_way u = { .h = h, .p = p, .fd = -1 };
	struct intake t = { .at = from,
			    .most = bytes,
			    .gathers = true,
			    .pace = &h->pace,
			    .total = &h->bytes,
			    .arrived = pass,
			    .arrived_ctx = &u };
	struct storage_sink sink = intake_sink(&t);
	FD_AUTO fd = -1;
	int rc;

	t.stop = storage_stop(h->s);
	/* What was noted stays: another version of the file fails here, and is begun by the caller.
	 */
	sink.restart = NULL;
	if (open_place(h, f, &fd, e) < 0 || (p->leads && have_proof(h, f, e) == NULL) ||
	    intake_begin(&t, f->stat, e) < 0)
		return -1;
	t.fd = u.fd = fd;
	t.of = p->leads ? f->proof : NULL;
	rc = storage_read(s, f->name, f->stat->etag, from, bytes, &sink, e);
	if (rc == 0)
		rc = intake_flush(&t, e);
	if (rc == 0 && t.bytes != (uint64_t)bytes)
		rc = err_set(e, ERR_REMOTE, "read %s: %" PRIu64 " bytes of a range of %" PRId64,
			     f->name, t.bytes, bytes);
	note_write_errno(h, &t);
	if (u.yields) {
		*e = (struct err){ 0 };
		rc = 0;
	}
	p->touched = t.bytes > 0;
	/* What was not noted does not count. */
	atomic_fetch_sub(&h->bytes,
			 t.bytes - (uint64_t)haul_ranges_bytes(f, first, p->first - first));
	intake_end(&t, true);
	return rc;
}

/* What is in the file already, from its beginning, into the sink. */
static int read_place(int fd, const struct storage_sink *sink, struct err *e)
{
	AUTO_FREE char *chunk = xmalloc(CHUNK);
	ssize_t n;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, ERR_SYSTEM, "read what is there: %s", strerror(errno));
	while ((n = io_read_full(fd, chunk, CHUNK)) > 0)
		if (sink->write(sink->ctx, chunk, (size_t)n, e) < 0)
			return -1;
	return n < 0 ? err_set(e, ERR_SYSTEM, "read what is there: %s", strerror(errno)) : 0;
}

static int end_file(struct haul *h, struct haul_file *f, struct intake *t, struct err *e)
{
	BUF_AUTO told = BUF_INIT(PROOF_TOLD_MAX);

	if (haul_judge(f, t->head, t->bytes, e) < 0 ||
	    proof_end(&t->proof, f->name, f->sha256, &told, e) < 0)
		return -1;
	/* A transfer that began again may have left a longer tail. */
	if (t->fd >= 0 && ftruncate(t->fd, (off_t)t->bytes) < 0)
		return err_set(e, ERR_SYSTEM, "write %s: %s", f->name, strerror(errno));
	haul_tell(h, &told);
	flush_early(t->fd, 0, (int64_t)t->bytes);
	return 0;
}

int haul_bring_file(struct haul *h, struct storage *s, struct haul_file *f, bool from_disk,
		    struct err *e)
{
	struct storage_stat known;
	struct intake t = {
		.proving = true, .gathers = !from_disk, .total = &h->bytes, .wish = f->wish
	};
	struct storage_sink sink = intake_sink(&t);
	FD_AUTO fd = -1;
	int rc;

	haul_known(f, &known);
	t.most = known.bytes;
	t.pace = from_disk ? NULL : &h->pace;
	t.stop = storage_stop(h->s);
	t.stream = h->stream;
	if (open_place(h, f, &fd, e) < 0 || intake_begin(&t, &known, e) < 0)
		return -1;
	t.fd = from_disk ? -1 : fd;
	rc = from_disk ? read_place(fd, &sink, e)
		       : storage_read(s, f->name, known.etag, 0, -1, &sink, e);
	if (rc == 0)
		rc = intake_flush(&t, e);
	note_write_errno(h, &t);
	if (rc < 0 && (e->kind == ERR_BACKUP || e->kind == ERR_REMOTE) && !strstr(e->msg, f->name))
		(void)err_wrap(e, "read %s", f->name);
	if (rc == 0)
		rc = end_file(h, f, &t, e);
	intake_end(&t, rc == 0);
	return rc;
}
