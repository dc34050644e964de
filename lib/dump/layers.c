#include "lib/dump/layers.h"

#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

enum { CHUNK = STREAM_BLOCK, NOTE_MAX = 256, NAME_SHOWN = 200 };
_Static_assert((int)CHUNK == (int)CODEC_WINDOW, "an adapter is promised this much");

/* A ratio means nothing on the first bytes: a page of zeros packs a thousand to one. */
static const uint64_t RATIO_FREE_B = 64ULL << 20;

static int fail(struct layers *s, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct layers *s, enum err_kind kind, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(&s->failed, kind, "read %s: %s", s->name, why);
}

static uint64_t position(const struct layers *s)
{
	return s->at_b + s->v[0].out_b - (s->v[0].len - s->v[0].pos);
}

static int check_limits(struct layers *s, const struct layer *l)
{
	uint64_t in_b = s->v[0].out_b;

	if (l->codec == NULL && s->packed == NULL)
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

static int more(struct layers *s, struct layer *l);

int layers_want(struct layers *s, struct layer *l, size_t n)
{
	while (l->len - l->pos < n && !l->ended)
		if (more(s, l) < 0)
			return -1;
	return 0;
}

static int more_from_source(struct layers *s, struct layer *l)
{
	ssize_t n = s->source.read(s->source.ctx, l->buf + l->len, CHUNK - l->len, &s->failed);

	if (n < 0)
		return -1;
	if (n == 0)
		l->ended = true;
	l->len += (size_t)n;
	l->out_b += (uint64_t)n;
	return check_limits(s, l);
}

static int first_member(struct layers *s, struct layer *l)
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

static int skip_padding(struct layers *s, struct layer *l)
{
	struct layer *b = l->below;

	if (l->taken_b == 0 || !l->codec->may_be_padded)
		return 0;
	for (;;) {
		if (layers_want(s, b, 1) < 0)
			return -1;
		if (b->pos == b->len || b->buf[b->pos] != 0)
			return 0;
		b->pos++;
		l->padding_b++;
	}
}

/* Between two members: padding, the next member, or the end. */
static int border(struct layers *s, struct layer *l)
{
	struct layer *b = l->below;

	if (skip_padding(s, l) < 0 || layers_want(s, b, CODEC_MAGIC) < 0)
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
	if (l->codec->restart == NULL || l->codec->begins == NULL ||
	    !l->codec->begins(b->buf + b->pos, b->len - b->pos))
		return fail(s, ERR_BACKUP,
			    "foreign bytes follow the end of the %s data, at byte %" PRIu64,
			    l->codec->name, position(s));
	if (!l->codec->restart(l->state))
		return fail(s, ERR_SYSTEM, "unpack %s: out of memory", l->codec->name);
	l->padding_b = 0;
	l->in_member = true;
	return 0;
}

static const char *verb(const struct codec *codec)
{
	return codec->kind == CODEC_COMPRESSION ? "unpack" : "decrypt";
}

static int judge_step(struct layers *s, struct layer *l, enum codec_step r, const char *why)
{
	switch (r) {
	case CODEC_MORE:
		return 0;
	case CODEC_END:
		l->in_member = false;
		return 0;
	case CODEC_FAILED:
		return fail(s, ERR_SYSTEM, "%s %s: %s", verb(l->codec), l->codec->name, why);
	case CODEC_LOCKED:
		return fail(s, ERR_USAGE, "decrypt %s: %s", l->codec->name, why);
	case CODEC_CUT:
		return fail(s, ERR_BACKUP, "truncated: %s, after %" PRIu64 " decrypted bytes", why,
			    l->out_b);
	case CODEC_DAMAGED:
		break;
	}
	return fail(s, ERR_BACKUP,
		    "damaged: the %s data is wrong near byte %" PRIu64 " (%s), after %" PRIu64
		    " %sed bytes",
		    l->codec->name, position(s), why, l->out_b, verb(l->codec));
}

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* How long decryption takes is a figure of its own in a recovery. */
static enum codec_step step(struct layers *s, struct layer *l, struct codec_io *io,
			    const char **why)
{
	bool timed = l->codec->kind != CODEC_COMPRESSION;
	int64_t began_ns = timed ? now_ns() : 0;
	enum codec_step r = l->codec->step(l->state, io, why);

	if (timed)
		s->decrypt_ns += now_ns() - began_ns;
	return r;
}

static int decode(struct layers *s, struct layer *l)
{
	struct layer *b = l->below;
	struct codec_io io = { b->buf + b->pos, b->len - b->pos, l->buf + l->len, CHUNK - l->len,
			       b->ended };
	size_t in = io.in_n, out = io.out_n;
	const char *why = "";
	enum codec_step r = step(s, l, &io, &why);

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
			    " in the middle of the %s data, after %" PRIu64 " %sed bytes",
			    position(s), l->codec->name, l->out_b, verb(l->codec));
	if (b->len - b->pos == CHUNK)
		return fail(s, ERR_BACKUP, "damaged: the %s data leads nowhere near byte %" PRIu64,
			    l->codec->name, position(s));
	return more(s, b);
}

/* Adds at least one byte to the layer's buffer, or finds its end. */
static int more(struct layers *s, struct layer *l)
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

static int push(struct layers *s, const struct codec *codec)
{
	struct layer *l = s->top + 1;

	if (s->top == &s->v[STREAM_DEPTH])
		return fail(s, ERR_BACKUP, "packed more than %d times over", STREAM_DEPTH);
	*l = (struct layer){ .codec = codec, .below = s->top, .buf = xmalloc(CHUNK) };
	s->top = l;
	l->state = codec->open(s->keys);
	if (l->state == NULL)
		return fail(s, ERR_SYSTEM, "%s %s: out of memory", verb(codec), codec->name);
	return 0;
}

int layers_push_by_content(struct layers *s)
{
	const struct codec *codec;

	for (;;) {
		/* Damage in the first bytes is told by reading, not by opening. */
		if (layers_want(s, s->top, CODEC_MAGIC) < 0)
			return s->top->codec ? 0 : -1;
		codec = codec_recognise(s->top->buf + s->top->pos, s->top->len - s->top->pos);
		if (codec == NULL || (codec->kind != CODEC_COMPRESSION && !keys_any(s->keys)))
			return 0;
		if (push(s, codec) < 0)
			return -1;
	}
}

int layers_push_by_name(struct layers *s, const char *name)
{
	const struct codec *codec;

	if (strcmp(name, "none") == 0)
		return 0;
	codec = codec_by_name(name);
	return codec ? push(s, codec) : fail(s, ERR_USAGE, "no such compression: %s", name);
}

void layers_init(struct layers *s, const char *name)
{
	/* A path may be longer than a message. */
	*s = (struct layers){ .name = xstrndup(name, NAME_SHOWN), .note = BUF_INIT(NOTE_MAX) };
	s->top = s->v;
	s->top->buf = xmalloc(CHUNK);
}

void layers_free(struct layers *s)
{
	for (struct layer *l = s->top; l >= s->v; l--) {
		if (l->state)
			l->codec->close(l->state);
		free(l->buf);
	}
	buf_free(&s->note);
	free(s->name);
}
