#include "lib/storage/haul_parts.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/storage/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum {
	MIB = 1024 * 1024,
	RANGE_BYTES = 8 * MIB,
	RANGE_ALONE_BYTES = 64 * MIB, /* over one connection each range costs a round trip */
	FLUSH_MIN = MIB,
	CHUNK = MIB,
};

int64_t haul_range_bytes(const struct haul *h)
{
	return h->connections > 1 ? RANGE_BYTES : RANGE_ALONE_BYTES;
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
static void flush_early(const struct intake *t)
{
	if (t->fd >= 0 && t->bytes >= FLUSH_MIN)
		(void)sync_file_range(t->fd, t->at, (off_t)t->bytes, SYNC_FILE_RANGE_WRITE);
}

int haul_bring_range(struct haul *h, struct storage *s, const struct haul_file *f, int64_t range,
		     struct err *e)
{
	int64_t from = range * haul_range_bytes(h), count = f->bytes - from;
	struct intake t = { .at = from, .pace = &h->pace, .total = &h->bytes };
	struct storage_sink sink = intake_sink(&t);
	FD_AUTO fd = -1;
	int rc;

	if (count > haul_range_bytes(h))
		count = haul_range_bytes(h);
	t.stop = storage_stop(h->s);
	t.most = count;
	if (open_place(h, f, &fd, e) < 0)
		return -1;
	t.fd = fd;
	rc = intake_begin(&t, f->stat, e);
	if (rc == 0)
		rc = storage_read(s, f->name, f->stat->etag, from, count, &sink, e);
	if (rc == 0 && t.bytes != (uint64_t)count)
		rc = err_set(e, ERR_REMOTE, "read %s: %" PRIu64 " bytes of a range of %" PRId64,
			     f->name, t.bytes, count);
	note_write_errno(h, &t);
	if (rc == 0)
		flush_early(&t);
	intake_end(&t, rc == 0);
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
	flush_early(t);
	return 0;
}

int haul_bring_file(struct haul *h, struct storage *s, struct haul_file *f, bool from_disk,
		    struct err *e)
{
	struct storage_stat known;
	struct intake t = { .proving = true, .total = &h->bytes, .wish = f->wish };
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
	note_write_errno(h, &t);
	if (rc < 0 && (e->kind == ERR_BACKUP || e->kind == ERR_REMOTE) && !strstr(e->msg, f->name))
		(void)err_wrap(e, "read %s", f->name);
	if (rc == 0)
		rc = end_file(h, f, &t, e);
	intake_end(&t, rc == 0);
	return rc;
}
