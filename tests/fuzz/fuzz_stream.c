/* Any bytes as a compressed file: reading them ends, and gives the same however the source cuts,
 * and by however many threads. */
#include "lib/dump/multi.h"
#include "tests/unit/memory.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t sum, n;
	enum err_kind kind;
};

static const struct stream_opts opts = { .max_out_b = 8 << 20 };

static struct outcome drain(struct stream *s, struct err *e)
{
	struct outcome o = { .sum = 14695981039346656037ULL };
	const unsigned char *p;
	ssize_t n = 0;

	while (s && (n = stream_next(s, &p, e)) > 0) {
		o.n += (uint64_t)n;
		for (ssize_t i = 0; i < n; i++)
			o.sum = (o.sum ^ p[i]) * 1099511628211ULL;
	}
	o.kind = e->kind;
	stream_close(s);
	return o;
}

static struct outcome unpack(const uint8_t *data, size_t size, size_t step)
{
	struct memory m = { data, size, step };
	struct stream_source source = { read_memory, &m };
	struct err e = { 0 };

	return drain(stream_open(&source, &opts, &e), &e);
}

static struct outcome unpack_together(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct err e = { 0 };
	struct outcome o;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	o = drain(multi_open_path(path, &opts, 2, &e), &e);
	(void)close(fd);
	return o;
}

/* How far it came before damage may depend on the pieces; a good end may not. */
static void agree(const struct outcome *a, const struct outcome *b)
{
	if ((a->kind == ERR_NONE) != (b->kind == ERR_NONE) ||
	    (a->kind == ERR_NONE && (a->n != b->n || a->sum != b->sum)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole = unpack(data, size, size + 1), bits = unpack(data, size, 3);
	struct outcome together = unpack_together(data, size);

	agree(&whole, &bits);
	agree(&whole, &together);
	return 0;
}
