#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <isa-l.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The same as codec_gzip, three times as fast. ISA-L verifies CRC and length. Of headers it reads
 * the usual ones: a member with a CRC of its header, which it takes for damaged, and with reserved
 * flags, which it passes over, is left to zlib. */
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
	case ISAL_INCORRECT_CHECKSUM:
		return "incorrect data or length check";
	default:
		return "invalid data";
	}
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
	io->in += in - s->avail_in;
	io->in_n -= in - s->avail_in;
	io->out += out - s->avail_out;
	io->out_n -= out - s->avail_out;
	if (r != ISAL_DECOMP_OK && r != ISAL_END_INPUT && r != ISAL_OUT_OVERFLOW) {
		*why = reason(r);
		return CODEC_DAMAGED;
	}
	return s->block_state == ISAL_BLOCK_FINISH ? CODEC_END : CODEC_MORE;
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

const struct codec codec_gzip_isal = {
	.name = "gzip",
	.begins = codec_gzip_begins,
	.may_be_padded = true,
	.open = gzip_open,
	.restart = gzip_restart,
	.step = gzip_step,
	.close = gzip_close,
};
