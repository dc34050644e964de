#include "lib/base/xmem.h"
#include "lib/dump/codec.h"

#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* xz -9 needs 65 MiB; the largest dictionary that the format allows needs 1.5 GiB. */
static const uint64_t MEMORY_MAX_B = 2ULL << 30;

static bool xz_begins(const unsigned char *p, size_t n)
{
	return n >= 6 && memcmp(p,
				"\xfd"
				"7zXZ\0",
				6) == 0;
}

static bool xz_restart(void *state)
{
	return lzma_stream_decoder(state, MEMORY_MAX_B, LZMA_TELL_UNSUPPORTED_CHECK) == LZMA_OK;
}

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

static void *xz_open(const struct keys *keys)
{
	lzma_stream *l = xcalloc(1, sizeof(*l));

	(void)keys;
	*l = (lzma_stream)LZMA_STREAM_INIT;
	if (!xz_restart(l)) {
		xz_close(l);
		return NULL;
	}
	return l;
}

static enum codec_step xz_step(void *state, struct codec_io *io, const char **why)
{
	lzma_stream *l = state;
	lzma_ret r;

	l->next_in = io->in;
	l->avail_in = io->in_n;
	l->next_out = io->out;
	l->avail_out = io->out_n;
	r = lzma_code(l, LZMA_RUN);
	io->in = l->next_in;
	io->in_n = l->avail_in;
	io->out = l->next_out;
	io->out_n = l->avail_out;
	switch ((unsigned)r) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return CODEC_MORE;
	case LZMA_STREAM_END:
		return CODEC_END;
	case LZMA_MEM_ERROR:
		*why = "out of memory";
		return CODEC_FAILED;
	case LZMA_MEMLIMIT_ERROR:
		*why = "needs more than 2 GiB of memory";
		return CODEC_FAILED;
	case LZMA_UNSUPPORTED_CHECK:
	case LZMA_OPTIONS_ERROR:
		*why = "uses a check or a filter that the installed liblzma does not know";
		return CODEC_FAILED;
	default:
		*why = "compressed data or its check is wrong";
		return CODEC_DAMAGED;
	}
}

const struct codec codec_xz = {
	.name = "xz",
	.begins = xz_begins,
	.may_be_padded = true,
	.open = xz_open,
	.restart = xz_restart,
	.step = xz_step,
	.close = xz_close,
};
