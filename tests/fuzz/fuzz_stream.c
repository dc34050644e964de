/* Any bytes as a compressed file: reading them ends, and gives the same however the source cuts. */
#include "lib/dump/stream.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *p;
	size_t n, step;
};

static ssize_t read_memory(void *ctx, void *p, size_t n, struct err *e)
{
	struct memory *m = ctx;

	(void)e;
	n = n < m->step ? n : m->step;
	n = n < m->n ? n : m->n;
	memcpy(p, m->p, n);
	m->p += n;
	m->n -= n;
	return (ssize_t)n;
}

struct outcome {
	uint64_t sum, n;
	enum err_kind kind;
};

static struct outcome unpack(const uint8_t *data, size_t size, size_t step)
{
	static const struct stream_opts opts = { .max_out_b = 8 << 20 };
	struct memory m = { data, size, step };
	struct stream_source source = { read_memory, &m };
	struct outcome o = { .sum = 14695981039346656037ULL };
	struct err e = { 0 };
	struct stream *s = stream_open(&source, &opts, &e);
	const unsigned char *p;
	ssize_t n = 0;

	while (s && (n = stream_next(s, &p, &e)) > 0) {
		o.n += (uint64_t)n;
		for (ssize_t i = 0; i < n; i++)
			o.sum = (o.sum ^ p[i]) * 1099511628211ULL;
	}
	o.kind = e.kind;
	stream_close(s);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = unpack(data, size, size + 1), bits = unpack(data, size, 3);

	/* How far it came before damage may depend on the pieces; a good end may not. */
	if ((whole.kind == ERR_NONE) != (bits.kind == ERR_NONE) ||
	    (whole.kind == ERR_NONE && (whole.n != bits.n || whole.sum != bits.sum)))
		abort();
	return 0;
}
