#include "lib/storage/intake.h"

#include "lib/base/beside.h"
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
	t->bytes = t->placed = t->held = t->under_proof = 0;
	t->write_errno = 0;
	if (t->proving && proof_begin(&t->proof, known, t->wish, e) < 0)
		return -1;
	t->room = t->most >= 0 && t->most < INTAKE_GATHERED ? (size_t)t->most : INTAKE_GATHERED;
	t->gathered = t->gathers ? xmalloc(t->room) : NULL;
	return 0;
}

/* What is proven beside counts no more. */
static void forget_full(struct intake *t)
{
	struct err ignored;

	if (t->under_proof > 0)
		(void)beside_wait(t->beside, &ignored);
	t->under_proof = 0;
}

void intake_end(struct intake *t, bool keep)
{
	if (!keep && t->total)
		atomic_fetch_sub(t->total, t->bytes);
	forget_full(t);
	beside_free(&t->beside);
	if (t->proving)
		proof_free(&t->proof);
	free(t->gathered);
	free(t->full);
	t->gathered = t->full = NULL;
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

static struct intake *prover(struct intake *t)
{
	return t->of ? t->of : t;
}

static void keep_head(struct intake *t, const void *p, size_t n)
{
	size_t room;

	if (t->bytes >= INTAKE_HEAD)
		return;
	room = INTAKE_HEAD - (size_t)t->bytes;
	memcpy(t->head + t->bytes, p, n < room ? n : room);
}

static int prove(void *ctx, const void *p, size_t n, struct err *e)
{
	struct intake *o = prover(ctx);

	return o->proving ? proof_add(&o->proof, p, n, e) : 0;
}

static int place(struct intake *t, const void *p, size_t n, struct err *e)
{
	if (t->fd >= 0 && io_pwrite_all(t->fd, p, n, t->at + (int64_t)t->placed) < 0)
		return cannot_write(t, e);
	t->placed += n;
	return 0;
}

/* Who reads along finds in its place what he is told of. */
static int tell(struct intake *t, const void *p, size_t n, struct err *e)
{
	struct intake *o = prover(t);

	if (o != t) {
		keep_head(o, p, n);
		o->bytes += n;
		o->placed += n;
	}
	if (o->stream && o->stream->write(o->stream->ctx, p, n, e) < 0)
		return -1;
	return t->arrived ? t->arrived(t->arrived_ctx, n, e) : 0;
}

static int settle(struct intake *t, const void *p, size_t n, struct err *e)
{
	return prove(t, p, n, e) < 0 || place(t, p, n, e) < 0 ? -1 : tell(t, p, n, e);
}

/* Until all is proven that was placed. */
static int catch_up(struct intake *t, struct err *e)
{
	const size_t n = t->under_proof;

	t->under_proof = 0;
	if (n == 0)
		return 0;
	return beside_wait(t->beside, e) < 0 ? -1 : tell(t, t->full, n, e);
}

int intake_flush(struct intake *t, struct err *e)
{
	const size_t n = t->held;

	if (catch_up(t, e) < 0)
		return -1;
	t->held = 0;
	return n > 0 ? settle(t, t->gathered, n, e) : 0;
}

/* Is there something to prove, more than a little? */
static bool worth_another_thread(struct intake *t)
{
	if (t->placed == 0 || !prover(t)->proving)
		return false;
	if (t->beside == NULL)
		t->beside = beside_new();
	if (t->full == NULL)
		t->full = xmalloc(t->room);
	return t->beside != NULL;
}

/* One is proven while it is written here and the next one is gathered. */
static int pass_on(struct intake *t, struct err *e)
{
	char *const now = t->gathered;

	if (!worth_another_thread(t))
		return intake_flush(t, e);
	if (catch_up(t, e) < 0)
		return -1;
	t->gathered = t->full;
	t->full = now;
	t->under_proof = t->held;
	t->held = 0;
	beside_start(t->beside, prove, t, now, t->under_proof);
	return place(t, now, t->under_proof, e);
}

static int gather(struct intake *t, const char *p, size_t n, struct err *e)
{
	while (n > 0) {
		const size_t step = n < t->room - t->held ? n : t->room - t->held;

		memcpy(t->gathered + t->held, p, step);
		t->held += step;
		p += step;
		n -= step;
		if (t->held == t->room && pass_on(t, e) < 0)
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
	keep_head(t, p, n);
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
	forget_full(t);
	t->bytes = t->placed = t->held = 0;
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
