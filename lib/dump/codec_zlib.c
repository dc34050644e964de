#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

/* inflateInit2(): the largest window, plus 16 for the gzip wrapper with its CRC and length. */
enum { WINDOW_ZLIB = MAX_WBITS, WINDOW_GZIP = MAX_WBITS + 16 };

bool codec_gzip_begins(const unsigned char *p, size_t n)
{
	return n >= 3 && p[0] == 0x1f && p[1] == 0x8b && p[2] == Z_DEFLATED;
}

static void *open_window(int bits)
{
	z_stream *z = xcalloc(1, sizeof(*z));

	if (inflateInit2(z, bits) != Z_OK) {
		free(z);
		return NULL;
	}
	return z;
}

static void *gzip_open(const struct keys *keys)
{
	(void)keys;
	return open_window(WINDOW_GZIP);
}

static void *zlib_open(const struct keys *keys)
{
	(void)keys;
	return open_window(WINDOW_ZLIB);
}

static bool zlib_restart(void *state)
{
	return inflateReset(state) == Z_OK;
}

static uInt window(size_t n)
{
	return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

static enum codec_step zlib_step(void *state, struct codec_io *io, const char **why)
{
	z_stream *z = state;
	uInt in = window(io->in_n), out = window(io->out_n);
	int r;

	z->next_in = io->in;
	z->avail_in = in;
	z->next_out = io->out;
	z->avail_out = out;
	r = inflate(z, Z_NO_FLUSH);
	io->in += in - z->avail_in;
	io->in_n -= in - z->avail_in;
	io->out += out - z->avail_out;
	io->out_n -= out - z->avail_out;
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR:
		return CODEC_MORE;
	case Z_STREAM_END:
		return CODEC_END;
	case Z_MEM_ERROR:
		*why = "out of memory";
		return CODEC_FAILED;
	default:
		*why = z->msg ? z->msg : "needs a preset dictionary";
		return CODEC_DAMAGED;
	}
}

static void zlib_close(void *state)
{
	(void)inflateEnd(state);
	free(state);
}

const struct codec codec_gzip = {
	.name = "gzip",
	.begins = codec_gzip_begins,
	.may_be_padded = true,
	.open = gzip_open,
	.restart = zlib_restart,
	.step = zlib_step,
	.close = zlib_close,
};

const struct codec codec_zlib = {
	.name = "zlib",
	.open = zlib_open,
	.restart = zlib_restart,
	.step = zlib_step,
	.close = zlib_close,
};
