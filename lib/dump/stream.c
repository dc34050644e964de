#include "lib/dump/stream.h"

#include "lib/base/buf.h"
#include "lib/base/num.h"
#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, TEXT_MAX = 256 };

/* A ratio means nothing on the first bytes: a page of zeros packs a thousand to one. */
static const uint64_t RATIO_FREE_B = 64ULL << 20;

static const struct codec *const codecs[] = {
	&codec_gzip, &codec_zstd, &codec_lz4, &codec_xz, &codec_bzip2, &codec_zlib,
};
enum { CODECS = sizeof(codecs) / sizeof(codecs[0]) };

/* One step of unpacking. buf holds what is unpacked and not yet taken: [pos, len). */
struct layer {
	const struct codec *codec; /* NULL: the source itself */
	void *state;
	struct layer *below;
	unsigned char *buf;
	size_t pos, len;
	uint64_t out_b;   /* made so far */
	uint64_t taken_b; /* of the layer below, by this one */
	uint64_t padding_b;
	bool in_member;
	bool ended;
};

struct stream {
	struct stream_source source;
	struct layer layers[STREAM_DEPTH + 1];
	struct layer *top;
	struct err failed; /* sticky */
	int fd;            /* owned unless -1 */
	int borrowed_fd;
	char *name;
	uint64_t max_out_b, max_ratio;
	uint64_t given_b;
	struct buf compression, note;
};

/* A path may be longer than a message. */
enum { NAME_SHOWN = 200 };

static int fail(struct stream *s, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct stream *s, enum err_kind kind, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(&s->failed, kind, "read %s: %s", s->name, why);
}

static uint64_t position(const struct stream *s)
{
	return s->layers[0].out_b - (s->layers[0].len - s->layers[0].pos);
}

static int check_limits(struct stream *s, const struct layer *l)
{
	uint64_t in_b = s->layers[0].out_b;

	if (l->codec == NULL)
		return 0;
	if (s->max_out_b && l->out_b > s->max_out_b)
		return fail(s, ERR_SYSTEM,
			    "more than %" PRIu64
			    " bytes come out of it; raise MAX_UNPACKED if that "
			    "is right",
			    s->max_out_b);
	if (s->max_ratio && l->out_b > RATIO_FREE_B && l->out_b / s->max_ratio > in_b)
		return fail(s, ERR_SYSTEM,
			    "%" PRIu64 " bytes came out of %" PRIu64 ", more than %" PRIu64
			    " to 1; raise MAX_UNPACKED if that is right",
			    l->out_b, in_b, s->max_ratio);
	return 0;
}

static void make_room(struct layer *l)
{
	memmove(l->buf, l->buf + l->pos, l->len - l->pos);
	l->len -= l->pos;
	l->pos = 0;
}

static int more(struct stream *s, struct layer *l);

/* At least n bytes in the layer's buffer unless it ends before. */
static int want(struct stream *s, struct layer *l, size_t n)
{
	while (l->len - l->pos < n && !l->ended)
		if (more(s, l) < 0)
			return -1;
	return 0;
}

static int more_from_source(struct stream *s, struct layer *l)
{
	ssize_t n = s->source.read(s->source.ctx, l->buf + l->len, CHUNK - l->len, &s->failed);

	if (n < 0)
		return -1;
	if (n == 0)
		l->ended = true;
	l->len += (size_t)n;
	l->out_b += (uint64_t)n;
	return 0;
}

static const struct codec *recognise(const unsigned char *p, size_t n)
{
	for (int i = 0; i < CODECS; i++)
		if (codecs[i]->begins && codecs[i]->begins(p, n))
			return codecs[i];
	return NULL;
}

static int first_member(struct stream *s, struct layer *l)
{
	const struct layer *b = l->below;

	if (b->pos == b->len)
		return fail(s, ERR_BACKUP, "truncated: no %s data in it, it is empty",
			    l->codec->name);
	if (l->codec->begins && !l->codec->begins(b->buf + b->pos, b->len - b->pos))
		return fail(s, ERR_BACKUP, "damaged: it does not begin as %s data", l->codec->name);
	l->in_member = true;
	return 0;
}

static int skip_padding(struct stream *s, struct layer *l)
{
	struct layer *b = l->below;

	if (l->taken_b == 0 || !l->codec->may_be_padded)
		return 0;
	for (;;) {
		if (want(s, b, 1) < 0)
			return -1;
		if (b->pos == b->len || b->buf[b->pos] != 0)
			return 0;
		b->pos++;
		l->padding_b++;
	}
}

/* Between two members: padding, the next member, or the end. */
static int border(struct stream *s, struct layer *l)
{
	struct layer *b = l->below;

	if (skip_padding(s, l) < 0 || want(s, b, CODEC_MAGIC) < 0)
		return -1;
	if (l->taken_b == 0)
		return first_member(s, l);
	if (b->pos == b->len) {
		l->ended = true;
		if (l->padding_b)
			buf_addf(&s->note, "%s%" PRIu64 " zero bytes follow the %s data",
				 s->note.len ? "; " : "", l->padding_b, l->codec->name);
		return 0;
	}
	if (l->codec->begins == NULL || !l->codec->begins(b->buf + b->pos, b->len - b->pos))
		return fail(s, ERR_BACKUP,
			    "foreign bytes follow the end of the %s data, at byte %" PRIu64,
			    l->codec->name, position(s));
	if (!l->codec->restart(l->state))
		return fail(s, ERR_SYSTEM, "unpack %s: out of memory", l->codec->name);
	l->padding_b = 0;
	l->in_member = true;
	return 0;
}

static int judge_step(struct stream *s, struct layer *l, enum codec_step r, const char *why)
{
	switch (r) {
	case CODEC_MORE:
		return 0;
	case CODEC_END:
		l->in_member = false;
		return 0;
	case CODEC_FAILED:
		return fail(s, ERR_SYSTEM, "unpack %s: %s", l->codec->name, why);
	case CODEC_DAMAGED:
		break;
	}
	return fail(s, ERR_BACKUP,
		    "damaged: the %s data is wrong near byte %" PRIu64 " (%s), after %" PRIu64
		    " unpacked bytes",
		    l->codec->name, position(s), why, l->out_b);
}

static int decode(struct stream *s, struct layer *l)
{
	struct layer *b = l->below;
	struct codec_io io = { b->buf + b->pos, b->len - b->pos, l->buf + l->len, CHUNK - l->len };
	size_t in = io.in_n, out = io.out_n;
	const char *why = "";
	enum codec_step r = l->codec->step(l->state, &io, &why);

	in -= io.in_n;
	out -= io.out_n;
	b->pos += in;
	l->taken_b += in;
	l->len += out;
	l->out_b += out;
	if (judge_step(s, l, r, why) < 0 || check_limits(s, l) < 0)
		return -1;
	if (r != CODEC_MORE || in > 0 || out > 0)
		return 0;
	/* Nothing taken and nothing made: it waits for input that it has not seen yet. */
	if (b->ended)
		return fail(s, ERR_BACKUP,
			    "truncated: it ends at byte %" PRIu64
			    " in the middle of the %s data, after %" PRIu64 " unpacked bytes",
			    position(s), l->codec->name, l->out_b);
	if (b->len - b->pos == CHUNK)
		return fail(s, ERR_BACKUP, "damaged: the %s data leads nowhere near byte %" PRIu64,
			    l->codec->name, position(s));
	return more(s, b);
}

/* Adds at least one byte to the layer's buffer, or finds its end. */
static int more(struct stream *s, struct layer *l)
{
	size_t had;

	make_room(l);
	if (l->codec == NULL)
		return more_from_source(s, l);
	had = l->len;
	while (l->len == had && !l->ended) {
		if (!l->in_member) {
			if (border(s, l) < 0)
				return -1;
		} else if (decode(s, l) < 0) {
			return -1;
		}
	}
	return 0;
}

static int push(struct stream *s, const struct codec *codec)
{
	struct layer *l = s->top + 1;

	if (s->top == &s->layers[STREAM_DEPTH])
		return fail(s, ERR_BACKUP, "compressed more than %d times over", STREAM_DEPTH);
	*l = (struct layer){ .codec = codec, .below = s->top, .buf = xmalloc(CHUNK) };
	s->top = l;
	l->state = codec->open();
	if (l->state == NULL)
		return fail(s, ERR_SYSTEM, "unpack %s: out of memory", codec->name);
	return 0;
}

/* Unpacks until what comes out is no longer compressed. */
static int push_by_content(struct stream *s)
{
	const struct codec *codec;

	for (;;) {
		/* Damage in the first bytes is told by reading, not by opening. */
		if (want(s, s->top, CODEC_MAGIC) < 0)
			return s->top->codec ? 0 : -1;
		codec = recognise(s->top->buf + s->top->pos, s->top->len - s->top->pos);
		if (codec == NULL)
			return 0;
		if (push(s, codec) < 0)
			return -1;
	}
}

static int push_by_name(struct stream *s, const char *name)
{
	if (strcmp(name, "none") == 0)
		return 0;
	for (int i = 0; i < CODECS; i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return push(s, codecs[i]);
	return fail(s, ERR_USAGE, "no such compression: %s", name);
}

static void describe(struct stream *s)
{
	if (s->top == s->layers)
		buf_adds(&s->compression, "none");
	for (const struct layer *l = s->top; l->codec; l = l->below)
		buf_addf(&s->compression, "%s%s", l == s->top ? "" : " in ", l->codec->name);
	if (s->top - s->layers > 1)
		buf_addf(&s->note, "compressed more than once: %s", s->compression.s);
}

static struct stream *create(const struct stream_opts *opts)
{
	static const struct stream_opts defaults;
	struct stream *s = xcalloc(1, sizeof(*s));

	if (opts == NULL)
		opts = &defaults;
	s->fd = s->borrowed_fd = -1;
	s->name = xstrndup(opts->name ? opts->name : "backup", NAME_SHOWN);
	s->max_out_b = opts->max_out_b;
	s->max_ratio = opts->max_ratio;
	s->compression = (struct buf)BUF_INIT(TEXT_MAX);
	s->note = (struct buf)BUF_INIT(TEXT_MAX);
	s->top = s->layers;
	s->top->buf = xmalloc(CHUNK);
	return s;
}

static struct stream *begin(struct stream *s, const struct stream_opts *opts, struct err *e)
{
	const char *codec = opts ? opts->codec : NULL;

	if ((codec ? push_by_name(s, codec) : push_by_content(s)) < 0) {
		*e = s->failed;
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

	s->source = *source;
	return begin(s, opts, e);
}

static ssize_t read_fd(void *ctx, void *p, size_t n, struct err *e)
{
	const struct stream *s = ctx;
	ssize_t r;

	do
		r = read(s->borrowed_fd, p, n);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(e, ERR_SYSTEM, "read %s: %s", s->name, strerror(errno));
	return r;
}

static struct stream *begin_fd(struct stream *s, int fd, const struct stream_opts *opts,
			       struct err *e)
{
	s->borrowed_fd = fd;
	s->source = (struct stream_source){ read_fd, s };
	return begin(s, opts, e);
}

struct stream *stream_open_fd(int fd, const struct stream_opts *opts, struct err *e)
{
	return begin_fd(create(opts), fd, opts, e);
}

/* Linux would look at the file's permissions again for /dev/fd/N. */
static int open_path(const char *path)
{
	static const char ours[] = "/dev/fd/";
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
	return begin_fd(s, fd, &named, e);
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	for (struct layer *l = s->top; l >= s->layers; l--) {
		if (l->state)
			l->codec->close(l->state);
		free(l->buf);
	}
	if (s->fd >= 0)
		(void)close(s->fd);
	buf_free(&s->compression);
	buf_free(&s->note);
	free(s->name);
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
	struct layer *l = s->top;

	if (s->failed.kind == ERR_NONE && want(s, l, n) < 0 && l->pos == l->len) {
		*e = s->failed;
		return -1;
	}
	if (s->failed.kind != ERR_NONE && l->pos == l->len) {
		*e = s->failed;
		return -1;
	}
	return 0;
}

ssize_t stream_next(struct stream *s, const unsigned char **p, struct err *e)
{
	struct layer *l = s->top;
	size_t n;

	if (ready(s, 1, e) < 0)
		return -1;
	n = l->len - l->pos;
	*p = l->buf + l->pos;
	l->pos = l->len;
	s->given_b += n;
	return (ssize_t)n;
}

/* Takes up to n bytes, copying them unless p is NULL. */
static int64_t consume(struct stream *s, char *p, uint64_t n, struct err *e)
{
	struct layer *l = s->top;
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
	struct layer *l = s->top;

	if (n > STREAM_PEEK)
		n = STREAM_PEEK;
	if (ready(s, n, e) < 0)
		return -1;
	*p = l->buf + l->pos;
	return (ssize_t)(l->len - l->pos < n ? l->len - l->pos : n);
}

const char *stream_name(const struct stream *s)
{
	return s->name;
}

uint64_t stream_in_b(const struct stream *s)
{
	return s->layers[0].out_b;
}

uint64_t stream_out_b(const struct stream *s)
{
	return s->given_b;
}

const char *stream_compression(const struct stream *s)
{
	return s->compression.s;
}

const char *stream_note(const struct stream *s)
{
	return s->note.s;
}
