#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* "BZh", the block size, then the first block's mark (pi) or that of an empty stream's end
 * (the square root of pi): three letters and a digit alone could be text. */
static bool bzip2_begins(const unsigned char *p, size_t n)
{
	return n >= 10 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
	       (memcmp(p + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
		memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

static void *bzip2_open(const struct keys *keys)
{
	bz_stream *b = xcalloc(1, sizeof(*b));

	(void)keys;
	if (BZ2_bzDecompressInit(b, 0, 0) != BZ_OK) {
		free(b);
		return NULL;
	}
	return b;
}

static bool bzip2_restart(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
	memset(state, 0, sizeof(bz_stream));
	return BZ2_bzDecompressInit(state, 0, 0) == BZ_OK;
}

static unsigned window(size_t n)
{
	return n > UINT_MAX ? UINT_MAX : (unsigned)n;
}

static enum codec_step bzip2_step(void *state, struct codec_io *io, const char **why)
{
	bz_stream *b = state;
	unsigned in = window(io->in_n), out = window(io->out_n);
	int r;

	/* The library's next_in is char * without const, though it only reads. */
	memcpy(&b->next_in, &io->in, sizeof(b->next_in));
	b->avail_in = in;
	memcpy(&b->next_out, &io->out, sizeof(b->next_out));
	b->avail_out = out;
	r = BZ2_bzDecompress(b);
	io->in += in - b->avail_in;
	io->in_n -= in - b->avail_in;
	io->out += out - b->avail_out;
	io->out_n -= out - b->avail_out;
	switch (r) {
	case BZ_OK:
		return CODEC_MORE;
	case BZ_STREAM_END:
		return CODEC_END;
	case BZ_MEM_ERROR:
		*why = "out of memory";
		return CODEC_FAILED;
	default:
		*why = "compressed data or its check is wrong";
		return CODEC_DAMAGED;
	}
}

static void bzip2_close(void *state)
{
	(void)BZ2_bzDecompressEnd(state);
	free(state);
}

const struct codec codec_bzip2 = {
	.name = "bzip2",
	.begins = bzip2_begins,
	.open = bzip2_open,
	.restart = bzip2_restart,
	.step = bzip2_step,
	.close = bzip2_close,
};
