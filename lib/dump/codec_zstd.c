#include "lib/dump/codec.h"

#include <stdint.h>
#include <zstd.h>
#include <zstd_errors.h>

/* zstd --long=31 needs a window of 2 GiB; the library refuses more than 2^27 unless told. */
enum { WINDOW_LOG = 31 };

static bool zstd_begins(const unsigned char *p, size_t n)
{
	if (n < 4)
		return false;
	if (p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
		return true;
	/* A skippable frame: pzstd puts one before each of its frames. */
	return (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18;
}

static void *zstd_open(const struct keys *keys)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();

	(void)keys;
	if (d == NULL)
		return NULL;
	if (ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		ZSTD_freeDCtx(d);
		return NULL;
	}
	return d;
}

static bool zstd_restart(void *state)
{
	return !ZSTD_isError(ZSTD_DCtx_reset(state, ZSTD_reset_session_only));
}

static enum codec_step zstd_step(void *state, struct codec_io *io, const char **why)
{
	ZSTD_inBuffer in = { .src = io->in, .size = io->in_n };
	ZSTD_outBuffer out = { .dst = io->out, .size = io->out_n };
	size_t r = ZSTD_decompressStream(state, &out, &in);

	io->in += in.pos;
	io->in_n -= in.pos;
	io->out += out.pos;
	io->out_n -= out.pos;
	if (r == 0)
		return CODEC_END;
	if (!ZSTD_isError(r))
		return CODEC_MORE;
	*why = ZSTD_getErrorName(r);
	return ZSTD_getErrorCode(r) == ZSTD_error_memory_allocation ? CODEC_FAILED : CODEC_DAMAGED;
}

static void zstd_close(void *state)
{
	ZSTD_freeDCtx(state);
}

const struct codec codec_zstd = {
	.name = "zstd",
	.begins = zstd_begins,
	.open = zstd_open,
	.restart = zstd_restart,
	.step = zstd_step,
	.close = zstd_close,
};
