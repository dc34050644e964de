#include "lib/dump/stream.h"

#include "lib/base/arrival.h"
#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/dump/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 256, NAME_SHOWN = 200 };

struct stream {
	struct layers l;
	int fd; /* owned unless -1 */
	int borrowed_fd;
	uint64_t arriving_b;        /* of a file that is still being written; 0: it is all there */
	int64_t waited_ms;          /* for it */
	void (*release)(void *ctx); /* the source's */
	uint64_t given_b;
	struct buf compression, encryption;
};

/* The layers of one kind from the inside out: how many there are. */
static unsigned list_layers(const struct layers *layers, enum codec_kind kind, struct buf *out)
{
	unsigned n = 0;

	for (const struct layer *l = layers->top; l->codec; l = l->below)
		if (l->codec->kind == kind)
			buf_addf(out, "%s%s", n++ ? " in " : "", l->codec->name);
	if (n == 0)
		buf_adds(out, "none");
	return n;
}

static void describe(struct stream *s)
{
	unsigned n = list_layers(&s->l, CODEC_COMPRESSION, &s->compression);

	(void)list_layers(&s->l, CODEC_ENCRYPTION, &s->encryption);
	if (s->l.packed && n == 0)
		buf_reset(&s->compression);
	if (s->l.packed)
		buf_addf(&s->compression, "%s%s", n++ ? " in " : "", s->l.packed);
	if (n > 1)
		buf_addf(&s->l.note, "compressed more than once: %s", s->compression.s);
}

static struct stream *create(const struct stream_opts *opts)
{
	static const struct stream_opts defaults;
	struct stream *s = xcalloc(1, sizeof(*s));

	if (opts == NULL)
		opts = &defaults;
	s->fd = s->borrowed_fd = -1;
	layers_init(&s->l, opts->name ? opts->name : "backup");
	s->l.max_out_b = opts->max_out_b;
	s->l.max_ratio = opts->max_ratio;
	s->l.keys = opts->keys;
	s->l.at_b = opts->at_b;
	s->l.packed = opts->packed;
	s->compression = s->encryption = (struct buf)BUF_INIT(TEXT_MAX);
	return s;
}

static struct stream *begin(struct stream *s, const struct stream_opts *opts, struct err *e)
{
	const char *codec = opts ? opts->codec : NULL;

	if ((codec ? layers_push_by_name(&s->l, codec) : layers_push_by_content(&s->l)) < 0) {
		*e = s->l.failed;
		stream_close(s);
		return NULL;
	}
	describe(s);
	return s;
}

struct stream *stream_open(const struct stream_source *source, const struct stream_opts *opts,
			   struct err *e)
{
	struct stream *s = create(opts);

	s->l.source = *source;
	return begin(s, opts, e);
}

/* How many of n bytes can be read now; 0 at the end of the file; -1. */
static ssize_t wait_for(struct stream *s, size_t n, struct err *e)
{
	off_t at = lseek(s->borrowed_fd, 0, SEEK_CUR);
	int64_t asked_ms = mono_ms(), there;

	if (at < 0)
		return err_set(e, ERR_SYSTEM, "read %s: %s", s->l.name, strerror(errno));
	if ((uint64_t)at >= s->arriving_b)
		return 0;
	there = arrival_wait(s->borrowed_fd, (uint64_t)at, e);
	s->waited_ms += mono_ms() - asked_ms;
	return there < 0 ? -1 : (uint64_t)there < n ? (ssize_t)there : (ssize_t)n;
}

static ssize_t read_fd(void *ctx, void *p, size_t n, struct err *e)
{
	struct stream *s = ctx;
	ssize_t r;

	if (s->arriving_b) {
		r = wait_for(s, n, e);
		if (r <= 0)
			return r;
		n = (size_t)r;
	}
	do
		r = read(s->borrowed_fd, p, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(e, ERR_SYSTEM, "read %s: %s", s->l.name, strerror(errno));
	return r;
}

static struct stream *begin_fd(struct stream *s, int fd, const struct stream_opts *opts,
			       struct err *e)
{
	s->borrowed_fd = fd;
	s->l.source = (struct stream_source){ read_fd, s };
	return begin(s, opts, e);
}

struct stream *stream_open_fd(int fd, const struct stream_opts *opts, struct err *e)
{
	return begin_fd(create(opts), fd, opts, e);
}

static const char ours[] = "/dev/fd/";

/* Linux would look at the file's permissions again for /dev/fd/N. */
static int open_path(const char *path)
{
	uint64_t n;
	struct err e;
	int fd;

	/* Non-blocking: a FIFO in the place of a backup must not hang us. */
	if (strncmp(path, ours, strlen(ours)) != 0 ||
	    num_u64(path + strlen(ours), 0, INT_MAX, &n, &e) < 0)
		return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	fd = fcntl((int)n, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

struct stream *stream_open_path(const char *path, const struct stream_opts *opts, struct err *e)
{
	struct stream_opts named = opts ? *opts : (struct stream_opts){ 0 };
	struct stream *s;
	struct stat st;
	int fd = open_path(path);

	if (fd < 0) {
		(void)err_set(e, ERR_SYSTEM, "open %.*s: %s", NAME_SHOWN, path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_SYSTEM, "open %.*s: not a regular file", NAME_SHOWN, path);
		(void)close(fd);
		return NULL;
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (named.name == NULL)
		named.name = path;
	s = create(&named);
	s->fd = fd;
	if (strncmp(path, ours, strlen(ours)) == 0)
		s->arriving_b = named.arriving_b;
	return begin_fd(s, fd, &named, e);
}

void stream_own(struct stream *s, void (*release)(void *ctx))
{
	s->release = release;
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->release)
		s->release(s->l.source.ctx);
	layers_free(&s->l);
	if (s->fd >= 0)
		(void)close(s->fd);
	buf_free(&s->compression);
	buf_free(&s->encryption);
	free(s);
}

void stream_close_auto(struct stream **s)
{
	stream_close(*s);
}

/* Bytes that were unpacked before a failure are given out first: what a damaged file still
 * holds decides how it is described. */
static int ready(struct stream *s, size_t n, struct err *e)
{
	struct layer *l = s->l.top;

	if (s->l.failed.kind == ERR_NONE && layers_want(&s->l, l, n) < 0 && l->pos == l->len) {
		*e = s->l.failed;
		return -1;
	}
	if (s->l.failed.kind != ERR_NONE && l->pos == l->len) {
		*e = s->l.failed;
		return -1;
	}
	return 0;
}

ssize_t stream_next_of(struct stream *s, uint64_t max, const unsigned char **p, struct err *e)
{
	struct layer *l = s->l.top;
	size_t n;

	if (ready(s, 1, e) < 0)
		return -1;
	n = l->len - l->pos;
	if (n > max)
		n = (size_t)max;
	*p = l->buf + l->pos;
	l->pos += n;
	s->given_b += n;
	return (ssize_t)n;
}

ssize_t stream_next(struct stream *s, const unsigned char **p, struct err *e)
{
	return stream_next_of(s, UINT64_MAX, p, e);
}

ssize_t stream_exchange(struct stream *s, unsigned char **block, const unsigned char **p,
			struct err *e)
{
	ssize_t n = stream_next(s, p, e);
	unsigned char *mine = s->l.top->buf;

	if (n > 0) {
		s->l.top->buf = *block;
		*block = mine;
	}
	return n;
}

/* Takes up to n bytes, copying them unless p is NULL. */
static int64_t consume(struct stream *s, char *p, uint64_t n, struct err *e)
{
	struct layer *l = s->l.top;
	uint64_t got = 0;
	size_t k;

	while (got < n) {
		if (ready(s, 1, e) < 0)
			return -1;
		k = l->len - l->pos;
		if (k == 0)
			break;
		if (k > n - got)
			k = (size_t)(n - got);
		if (p)
			memcpy(p + got, l->buf + l->pos, k);
		l->pos += k;
		s->given_b += k;
		got += k;
	}
	return (int64_t)got;
}

ssize_t stream_read(struct stream *s, void *p, size_t n, struct err *e)
{
	return consume(s, p, n, e);
}

int64_t stream_skip(struct stream *s, uint64_t n, struct err *e)
{
	return consume(s, NULL, n, e);
}

ssize_t stream_peek(struct stream *s, size_t n, const unsigned char **p, struct err *e)
{
	struct layer *l = s->l.top;

	if (n > STREAM_PEEK)
		n = STREAM_PEEK;
	if (ready(s, n, e) < 0)
		return -1;
	*p = l->buf + l->pos;
	return (ssize_t)(l->len - l->pos < n ? l->len - l->pos : n);
}

const char *stream_name(const struct stream *s)
{
	return s->l.name;
}

uint64_t stream_in_b(const struct stream *s)
{
	return s->l.v[0].out_b;
}

uint64_t stream_out_b(const struct stream *s)
{
	return s->given_b;
}

const char *stream_compression(const struct stream *s)
{
	return s->compression.s;
}

const char *stream_encryption(const struct stream *s)
{
	return s->encryption.s;
}

int64_t stream_decrypt_ms(const struct stream *s)
{
	return s->l.decrypt_ns / 1000000;
}

int64_t stream_waited_ms(const struct stream *s)
{
	return s->waited_ms;
}

const char *stream_doubt(const struct stream *s)
{
	for (const struct layer *l = s->l.top; l->codec; l = l->below)
		if (l->codec->doubt)
			return l->codec->doubt;
	return "";
}

const char *stream_note(const struct stream *s)
{
	return s->l.note.s;
}
