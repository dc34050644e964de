#include "lib/storage/intake.h"

#include "lib/base/io.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int intake_begin(struct intake *t, const struct storage_stat *known, struct err *e)
{
	t->bytes = 0;
	t->write_errno = 0;
	return t->proving ? proof_begin(&t->proof, known, t->wish, e) : 0;
}

void intake_end(struct intake *t, bool keep)
{
	if (!keep && t->total)
		atomic_fetch_sub(t->total, t->bytes);
	if (t->proving)
		proof_free(&t->proof);
}

static int cannot_write(struct intake *t, struct err *e)
{
	t->write_errno = errno;
	return err_set(e, ERR_SYSTEM, "write: %s", strerror(t->write_errno));
}

/* The answer may know more of the object than the listing did. */
static int describe(void *ctx, const struct storage_stat *st, struct err *e)
{
	struct intake *t = ctx;

	if (!t->proving)
		return 0;
	if (t->most >= 0 && st->bytes >= 0 && st->bytes != t->most)
		return err_set(e, ERR_BACKUP,
			       "%" PRId64
			       " bytes are on their way, the storage said it has %" PRId64,
			       st->bytes, t->most);
	proof_free(&t->proof);
	return proof_begin(&t->proof, st, t->wish, e);
}

static int take(void *ctx, const void *p, size_t n, struct err *e)
{
	struct intake *t = ctx;

	if (t->most >= 0 && t->bytes + n > (uint64_t)t->most)
		return err_set(e, ERR_REMOTE,
			       "more bytes come than the %" PRId64 " that the storage promised",
			       t->most);
	if (t->pace)
		pace_wait(t->pace, n, t->stop);
	if (t->bytes < INTAKE_HEAD) {
		size_t room = INTAKE_HEAD - (size_t)t->bytes;

		memcpy(t->head + t->bytes, p, n < room ? n : room);
	}
	if (t->proving && proof_add(&t->proof, p, n, e) < 0)
		return -1;
	if (t->fd >= 0 && io_pwrite_all(t->fd, p, n, t->at + (int64_t)t->bytes) < 0)
		return cannot_write(t, e);
	if (t->stream && t->stream->write(t->stream->ctx, p, n, e) < 0)
		return -1;
	t->bytes += n;
	if (t->total)
		atomic_fetch_add(t->total, n);
	return 0;
}

static int restart(void *ctx, struct err *e)
{
	struct intake *t = ctx;

	if (t->total)
		atomic_fetch_sub(t->total, t->bytes);
	t->bytes = 0;
	if (t->stream && t->stream->restart(t->stream->ctx, e) < 0)
		return -1;
	return t->proving ? proof_reset(&t->proof, e) : 0;
}

struct storage_sink intake_sink(struct intake *t)
{
	return (struct storage_sink){
		.write = take, .restart = restart, .ctx = t, .describe = describe
	};
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
