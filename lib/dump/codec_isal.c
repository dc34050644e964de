#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <isa-l.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The same as codec_gzip and codec_zlib, three times as fast. ISA-L verifies CRC or Adler-32, and
 * length. Of gzip's headers it reads the usual ones: a member with a CRC of its header, which it
 * takes for damaged, and with reserved flags, which it passes over, is left to zlib. */
enum { FLAGS_AT = 3, TEXT = 0x01, EXTRA = 0x04, NAME = 0x08, COMMENT = 0x10 };
static const unsigned char usual = TEXT | EXTRA | NAME | COMMENT;

struct gzip {
	struct inflate_state isal;
	bool begun;
	void *zlib; /* NULL: this member is ISA-L's */
};

static void *gzip_open(const struct keys *keys)
{
	struct gzip *g = xmalloc(sizeof(*g));

	(void)keys;
	isal_inflate_init(&g->isal);
	g->isal.crc_flag = ISAL_GZIP;
	g->begun = false;
	g->zlib = NULL;
	return g;
}

static bool gzip_restart(void *state)
{
	struct gzip *g = state;

	if (g->zlib)
		codec_gzip.close(g->zlib);
	g->zlib = NULL;
	g->begun = false;
	isal_inflate_reset(&g->isal);
	return true;
}

static void gzip_close(void *state)
{
	struct gzip *g = state;

	if (g->zlib)
		codec_gzip.close(g->zlib);
	free(g);
}

static const char *reason(int r)
{
	switch (r) {
	case ISAL_INVALID_BLOCK:
		return "invalid block";
	case ISAL_INVALID_SYMBOL:
		return "invalid code";
	case ISAL_INVALID_LOOKBACK:
		return "invalid distance too far back";
	case ISAL_INVALID_WRAPPER:
		return "incorrect header";
	case ISAL_UNSUPPORTED_METHOD:
		return "unknown compression method";
	case ISAL_NEED_DICT:
		return "needs a preset dictionary";
	case ISAL_INCORRECT_CHECKSUM:
		return "incorrect data or length check";
	default:
		return "invalid data";
	}
}

/* It reads ahead, and of zlib data keeps up to four bytes behind the end to itself. */
static enum codec_step give_back(const struct inflate_state *s, struct codec_io *io, size_t taken,
				 const char **why)
{
	size_t extra = (size_t)s->read_in_length / 8;

	if (extra > taken) {
		*why = "bytes follow its end";
		return CODEC_DAMAGED;
	}
	io->in -= extra;
	io->in_n += extra;
	return CODEC_END;
}

static enum codec_step isal_step(struct inflate_state *s, struct codec_io *io, const char **why)
{
	uint32_t in = (uint32_t)(io->in_n < CODEC_WINDOW ? io->in_n : CODEC_WINDOW);
	uint32_t out = (uint32_t)(io->out_n < CODEC_WINDOW ? io->out_n : CODEC_WINDOW);
	/* Its pointer is to bytes that may change, though it changes none. */
	uint8_t *from;
	int r;

	memcpy(&from, &io->in, sizeof(from));
	s->next_in = from;
	s->avail_in = in;
	s->next_out = io->out;
	s->avail_out = out;
	r = isal_inflate(s);
	in -= s->avail_in;
	out -= s->avail_out;
	io->in += in;
	io->in_n -= in;
	io->out += out;
	io->out_n -= out;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW) {
		*why = reason(r);
		return CODEC_DAMAGED;
	}
	return s->block_state == ISAL_BLOCK_FINISH ? give_back(s, io, in, why) : CODEC_MORE;
}

static enum codec_step gzip_step(void *state, struct codec_io *io, const char **why)
{
	struct gzip *g = state;

	if (!g->begun) {
		if (io->in_n <= FLAGS_AT && !io->in_ends)
			return CODEC_MORE;
		if (io->in_n <= FLAGS_AT || (io->in[FLAGS_AT] & ~usual)) {
			g->zlib = codec_gzip.open(NULL);
			if (g->zlib == NULL) {
				*why = "out of memory";
				return CODEC_FAILED;
			}
		}
		g->begun = true;
	}
	return g->zlib ? codec_gzip.step(g->zlib, io, why) : isal_step(&g->isal, io, why);
}

static void *zlib_open(const struct keys *keys)
{
	struct inflate_state *s = xmalloc(sizeof(*s));

	(void)keys;
	isal_inflate_init(s);
	s->crc_flag = ISAL_ZLIB;
	return s;
}

static enum codec_step zlib_step(void *state, struct codec_io *io, const char **why)
{
	return isal_step(state, io, why);
}

const struct codec codec_gzip_isal = {
	.name = "gzip",
	.begins = codec_gzip_begins,
	.may_be_padded = true,
	.open = gzip_open,
	.restart = gzip_restart,
	.step = gzip_step,
	.close = gzip_close,
};

const struct codec codec_zlib_isal = {
	.name = "zlib",
	.open = zlib_open,
	.step = zlib_step,
	.close = free,
};
