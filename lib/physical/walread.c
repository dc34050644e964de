#include "lib/physical/walread.h"

#include "lib/base/io.h"
#include "lib/base/tmpdir.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/dump/sniff.h"
#include "lib/physical/walarchive.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sniff_encryption() tells it by so many. */
enum { HEAD_B = 48 };

/* A file unpacks to one segment, or is none. */
static const uint64_t segment_max_b = UINT64_C(1) << 30;

/* ---- one file ----------------------------------------------------------------------- */

struct landed {
	int fd;
	int64_t bytes;
};

static int take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct landed *t = ctx;

	t->bytes += (int64_t)n;
	if (t->bytes > WALREAD_FILE_MAX_B)
		return err_set(e, ERR_BACKUP, "it is larger than any WAL segment");
	if (io_write_all(t->fd, p, n) < 0)
		return err_set(e, ERR_SYSTEM, "write a temporary file: %s", strerror(errno));
	return 0;
}

static int start_over(void *ctx, struct err *e)
{
	struct landed *t = ctx;

	t->bytes = 0;
	if (lseek(t->fd, 0, SEEK_SET) < 0 || ftruncate(t->fd, 0) < 0)
		return err_set(e, ERR_SYSTEM, "write a temporary file: %s", strerror(errno));
	return 0;
}

int walread_fetch(struct storage *s, const char *object, int fd, struct err *e)
{
	struct landed t = { .fd = fd };
	const struct storage_sink sink = { .write = take, .restart = start_over, .ctx = &t };

	return storage_read(s, object, "", 0, -1, &sink, e);
}

static struct stream *open_fetched(struct storage *s, const char *object,
				   const struct stream_opts *opts, struct err *e)
{
	FD_AUTO fd = tmpdir_file(e);
	AUTO_FREE char *path = xasprintf("/dev/fd/%d", fd);

	return fd >= 0 && walread_fetch(s, object, fd, e) == 0 ? stream_open_path(path, opts, e)
							       : NULL;
}

/* Without a key it would look like damage. */
static int refuse_encrypted(struct stream *s, const char *object, struct err *e)
{
	const char *slash = strrchr(object, '/'), *encryption, *way_out;
	const unsigned char *p;
	const ssize_t n = stream_peek(s, HEAD_B, &p, e);

	if (n < 0)
		return -1;
	encryption = sniff_encryption(p, (size_t)n);
	if (encryption == NULL || strcmp(encryption, "none") == 0)
		return 0;
	/* pgBackRest's own encryption: the keys are in its repository. */
	way_out = strchr(slash ? slash : object, '-')
			  ? "let check-repository ask pgBackRest (pgbackrest:STANZA)"
			  : "give --decrypt-key-file or --decrypt-passphrase-file";
	return err_set(e, ERR_USAGE, "read %s: it is encrypted (%s), and no key was given: %s",
		       object, encryption, way_out);
}

struct stream *walread_open(struct storage *s, const char *object, const struct keys *keys,
			    struct err *e)
{
	const struct stream_opts opts = { .name = object,
					  .max_out_b = segment_max_b,
					  .keys = keys };
	BUF_AUTO path = BUF_INIT(STORAGE_NAME_MAX);
	struct stream *stream = storage_path(s, object, &path) ? stream_open_path(path.s, &opts, e)
							       : open_fetched(s, object, &opts, e);

	if (stream == NULL || keys_any(keys) || refuse_encrypted(stream, object, e) == 0)
		return stream;
	stream_close(stream);
	return NULL;
}

/* ---- all segments ------------------------------------------------------------------- */

struct work {
	struct walarchive *a;
	const struct walarchive_read *how;
	size_t next; /* atomic */
	pthread_mutex_t lock;
	struct err broken;
};

static bool recall(const struct work *w, struct walseg *s)
{
	const struct walledger_entry *entry =
		w->how->known ? walledger_find(w->how->known, s->object, s->bytes, s->modified_ms,
					       s->etag)
			      : NULL;

	if (entry == NULL || entry->verified_ms < w->how->read_before_ms)
		return false;
	s->sum = entry->sum;
	s->verified_ms = entry->verified_ms;
	s->remembered = true;
	return true;
}

static void unreadable(struct walseg *s, const struct err *e)
{
	s->why = xstrdup(e->msg);
	s->unread = e->kind != ERR_BACKUP;
}

static void look(struct storage *storage, const struct keys *keys, struct wal_walk *walk,
		 struct walseg *s)
{
	struct err e = { 0 };
	STREAM_AUTO *stream = walread_open(storage, s->object, keys, &e);
	const unsigned char *p;
	ssize_t n = -1;

	wal_walk_begin(walk);
	while (stream != NULL && (n = stream_next(stream, &p, &e)) > 0)
		wal_walk_add(walk, p, (size_t)n);
	wal_walk_end(walk, &s->sum);
	if (n < 0)
		unreadable(s, &e);
	else
		s->verified_ms = utc_now_ms();
}

static void *job(void *arg)
{
	struct work *w = arg;
	struct err e = { 0 };
	STORAGE_AUTO storage = storage_clone(w->a->storage, &e);
	WAL_WALK_AUTO *walk = wal_walk_new();

	if (storage == NULL) {
		(void)pthread_mutex_lock(&w->lock);
		w->broken = e;
		(void)pthread_mutex_unlock(&w->lock);
		return NULL;
	}
	for (;;) {
		const size_t i = __atomic_fetch_add(&w->next, 1, __ATOMIC_RELAXED);
		struct walseg *s = &w->a->segs[i];

		if (i >= w->a->n_segs)
			return NULL;
		if (s->lsn + w->a->segment_b > w->how->from && !recall(w, s))
			look(storage, w->a->keys, walk, s);
	}
}

int walarchive_verify(struct walarchive *a, const struct walarchive_read *how, struct err *e)
{
	struct work w = { .a = a, .how = how, .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t *threads = xcalloc(how->jobs, sizeof(*threads));
	unsigned n = 0;

	while (n < how->jobs && n < a->n_segs && pthread_create(&threads[n], NULL, job, &w) == 0)
		n++;
	/* Without even one thread we do it ourselves. */
	if (n == 0)
		(void)job(&w);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
	(void)pthread_mutex_destroy(&w.lock);
	if (w.broken.kind == ERR_NONE)
		return 0;
	*e = w.broken;
	return -1;
}
