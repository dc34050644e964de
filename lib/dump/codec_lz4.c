#include "lib/dump/codec.h"

#ifdef HAVE_LZ4
#include <lz4frame.h>
#endif
#include <string.h>

static bool lz4_begins(const unsigned char *p, size_t n)
{
	return n >= 4 && p[0] == 0x04 && p[1] == 0x22 && p[2] == 0x4d && p[3] == 0x18;
}

#ifdef HAVE_LZ4
static void *lz4_open(const struct keys *keys)
{
	LZ4F_dctx *d = NULL;

	(void)keys;
	return LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)) ? NULL : d;
}

static bool lz4_restart(void *state)
{
	LZ4F_resetDecompressionContext(state);
	return true;
}

static enum codec_step lz4_step(void *state, struct codec_io *io, const char **why)
{
	size_t in = io->in_n, out = io->out_n;
	size_t r = LZ4F_decompress(state, io->out, &out, io->in, &in, NULL);

	if (LZ4F_isError(r)) {
		*why = LZ4F_getErrorName(r);
		return strcmp(*why, "ERROR_allocation_failed") == 0 ? CODEC_FAILED : CODEC_DAMAGED;
	}
	io->in += in;
	io->in_n -= in;
	io->out += out;
	io->out_n -= out;
	return r == 0 ? CODEC_END : CODEC_MORE;
}

static void lz4_close(void *state)
{
	(void)LZ4F_freeDecompressionContext(state);
}
#else
static void *lz4_open(const struct keys *keys)
{
	static char nothing;

	(void)keys;
	return &nothing;
}

static bool lz4_restart(void *state)
{
	(void)state;
	return true;
}

static enum codec_step lz4_step(void *state, struct codec_io *io, const char **why)
{
	(void)state;
	(void)io;
	*why = "these tools were built without liblz4";
	return CODEC_FAILED;
}

static void lz4_close(void *state)
{
	(void)state;
}
#endif

const struct codec codec_lz4 = {
	.name = "lz4",
	.begins = lz4_begins,
	.open = lz4_open,
	.restart = lz4_restart,
	.step = lz4_step,
	.close = lz4_close,
};
