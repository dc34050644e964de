#include "lib/storage/intake.h"

#include "lib/base/io.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int intake_begin(struct intake *t, int fd, struct err *e)
{
	*t = (struct intake){ .fd = fd };
	t->digest = digest_new(e);
	return t->digest ? 0 : -1;
}

void intake_free(struct intake *t)
{
	digest_free(&t->digest);
}

static int cannot_write(struct intake *t, struct err *e)
{
	t->write_errno = errno;
	return err_set(e, ERR_SYSTEM, "write: %s", strerror(t->write_errno));
}

static int take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct intake *t = ctx;

	if (t->bytes < INTAKE_HEAD) {
		size_t room = INTAKE_HEAD - (size_t)t->bytes;

		memcpy(t->head + t->bytes, p, n < room ? n : room);
	}
	if (digest_add(t->digest, p, n, e) < 0)
		return -1;
	if (t->fd >= 0 && io_write_all(t->fd, p, n) < 0)
		return cannot_write(t, e);
	if (t->stream && t->stream->write(t->stream->ctx, p, n, e) < 0)
		return -1;
	t->bytes += n;
	if (t->progress)
		t->progress(t->progress_ctx, t->bytes);
	return 0;
}

static int restart(void *ctx, struct err *e)
{
	struct intake *t = ctx;

	t->bytes = 0;
	if (t->fd >= 0 && (ftruncate(t->fd, 0) < 0 || lseek(t->fd, 0, SEEK_SET) < 0))
		return cannot_write(t, e);
	if (t->stream && t->stream->restart(t->stream->ctx, e) < 0)
		return -1;
	return digest_reset(t->digest, e);
}

struct storage_sink intake_sink(struct intake *t)
{
	return (struct storage_sink){ take, restart, t };
}

const char *intake_page(const unsigned char *head, size_t n)
{
	static const struct {
		const char *begins, *is;
	} pages[] = { { "<!doctype", "an HTML page" },
		      { "<html", "an HTML page" },
		      { "<?xml", "an XML document" },
		      { "<error", "an XML document" } };
	const char *s = (const char *)head;

	if (n >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
		s += 3;
		n -= 3;
	}
	while (n > 0 && memchr(" \t\r\n", *s, 4)) {
		s++;
		n--;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		size_t len = strlen(pages[i].begins);

		if (n >= len && strncasecmp(s, pages[i].begins, len) == 0)
			return pages[i].is;
	}
	return NULL;
}
