#include "lib/storage/intake.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int intake_begin(struct intake *t, const struct storage_stat *known, struct err *e)
{
	t->bytes = t->settled = t->held = 0;
	t->write_errno = 0;
	if (t->proving && proof_begin(&t->proof, known, t->wish, e) < 0)
		return -1;
	t->room = t->most >= 0 && t->most < INTAKE_GATHERED ? (size_t)t->most : INTAKE_GATHERED;
	t->gathered = t->gathers ? xmalloc(t->room) : NULL;
	return 0;
}

void intake_end(struct intake *t, bool keep)
{
	if (!keep && t->total)
		atomic_fetch_sub(t->total, t->bytes);
	if (t->proving)
		proof_free(&t->proof);
	free(t->gathered);
	t->gathered = NULL;
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

/* To their place, and into the proof. */
static int settle(struct intake *t, const void *p, size_t n, struct err *e)
{
	if (t->proving && proof_add(&t->proof, p, n, e) < 0)
		return -1;
	if (t->fd >= 0 && io_pwrite_all(t->fd, p, n, t->at + (int64_t)t->settled) < 0)
		return cannot_write(t, e);
	if (t->stream && t->stream->write(t->stream->ctx, p, n, e) < 0)
		return -1;
	t->settled += n;
	return 0;
}

int intake_flush(struct intake *t, struct err *e)
{
	const size_t n = t->held;

	t->held = 0;
	return n > 0 ? settle(t, t->gathered, n, e) : 0;
}

static int gather(struct intake *t, const char *p, size_t n, struct err *e)
{
	while (n > 0) {
		const size_t step = n < t->room - t->held ? n : t->room - t->held;

		memcpy(t->gathered + t->held, p, step);
		t->held += step;
		p += step;
		n -= step;
		if (t->held == t->room && intake_flush(t, e) < 0)
			return -1;
	}
	return 0;
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
	t->bytes += n;
	if (t->total)
		atomic_fetch_add(t->total, n);
	return t->gathers ? gather(t, p, n, e) : settle(t, p, n, e);
}

static int restart(void *ctx, struct err *e)
{
	struct intake *t = ctx;

	if (t->total)
		atomic_fetch_sub(t->total, t->bytes);
	t->bytes = t->settled = t->held = 0;
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
