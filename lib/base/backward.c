#include "lib/base/backward.h"

#include "lib/base/xmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

/* Moves what is held to the end of the buffer, so that n bytes fit in front of it. */
static void make_room(struct backward *b, size_t n)
{
	const size_t held = b->to - b->from;

	if (b->cap - held < n) {
		const size_t cap = 2 * b->cap + CHUNK;

		b->buf = xrealloc(b->buf, cap, 1);
		b->cap = cap;
	}
	memmove(b->buf + b->cap - held, b->buf + b->from, held);
	b->to = b->cap;
	b->from = b->cap - held;
}

/* Puts the chunk before `at` in front of what is there. */
static int extend(struct backward *b)
{
	const size_t n = b->at < CHUNK ? (size_t)b->at : CHUNK;
	ssize_t got;

	if (b->from < n)
		make_room(b, n);
	do
		got = pread(b->fd, b->buf + b->from - n, n, b->at - (off_t)n);
	while (got < 0 && errno == EINTR);
	/* Fewer bytes than the file had a moment ago: somebody cuts it off under us. */
	if (got != (ssize_t)n) {
		errno = got < 0 ? errno : EAGAIN;
		return -1;
	}
	b->from -= n;
	b->at -= (off_t)n;
	return 0;
}

int backward_line(struct backward *b, const char **line, size_t *len)
{
	for (;;) {
		const size_t held = b->to - b->from;
		const char *nl = held ? memrchr(b->buf + b->from, '\n', held) : NULL;

		if (nl || (b->at == 0 && (held || b->skipping))) {
			const size_t start = nl ? (size_t)(nl - b->buf) + 1 : b->from;

			*line = b->skipping ? NULL : b->buf + start;
			*len = b->to - start;
			b->skipping = false;
			b->to = nl ? start - 1 : b->from;
			return 1;
		}
		if (b->at == 0)
			return 0;
		if (held > b->most)
			b->skipping = true;
		if (b->skipping)
			b->from = b->to;
		if (extend(b) < 0)
			return -1;
	}
}

off_t backward_offset(const struct backward *b, const char *line)
{
	return b->at + (line - (b->buf + b->from));
}

void backward_free(struct backward *b)
{
	free(b->buf);
	b->buf = NULL;
}
