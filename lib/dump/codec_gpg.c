#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"
#include "lib/dump/codec.h"
#include "lib/dump/gpg.h"
#include "lib/dump/pgp.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct gpg_codec {
	const struct keys *keys;
	bool running;
	struct gpg gpg;
	struct gpg_status status;
	struct pgp_walk walk;
	char why[512];
};

static void *gpg_codec_open(const struct keys *keys)
{
	struct gpg_codec *g = xcalloc(1, sizeof(*g));

	g->keys = keys;
	return g;
}

static void gpg_codec_close(void *state)
{
	struct gpg_codec *g = state;

	if (g->running)
		gpg_stop(&g->gpg);
	free(g);
}

static enum codec_step say(struct gpg_codec *g, enum codec_step r, const char *why)
{
	(void)snprintf(g->why, sizeof(g->why), "%.500s", why);
	return r;
}

static void read_said(struct gpg_codec *g)
{
	char chunk[1024];
	ssize_t n;

	while ((n = read(g->gpg.said, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			gpg_status_see(&g->status, chunk, (size_t)n);
	if (n == 0)
		io_close(&g->gpg.said);
}

static void feed(struct gpg_codec *g, struct codec_io *io)
{
	ssize_t n = send(g->gpg.in, io->in, io->in_n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n > 0) {
		pgp_walk(&g->walk, io->in, (size_t)n);
		io->in += n;
		io->in_n -= (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		io_close(&g->gpg.in); /* it reads no more: what it says tells why */
	}
}

/* False: it has closed its output. */
static bool fetch(struct gpg_codec *g, struct codec_io *io)
{
	ssize_t n = read(g->gpg.out, io->out, io->out_n);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	io->out += n;
	io->out_n -= (size_t)n;
	return n > 0;
}

static enum codec_step locked(struct gpg_codec *g)
{
	const struct gpg_status *s = &g->status;

	if (s->asked && g->keys->passphrase.value == NULL)
		return say(g, CODEC_LOCKED,
			   "it asks for a passphrase; name its file as DECRYPT_PASSPHRASE_FILE");
	if (s->wrong)
		return say(g, CODEC_LOCKED, "the passphrase is wrong (or its header damaged)");
	if (s->no_key && g->keys->key.value == NULL) {
		(void)snprintf(g->why, sizeof(g->why),
			       "it is for key %s; name the file of the secret key as "
			       "DECRYPT_KEY_FILE",
			       s->key);
		return CODEC_LOCKED;
	}
	if (s->no_key) {
		(void)snprintf(g->why, sizeof(g->why),
			       "it is for key %s, which is not in the given key file", s->key);
		return CODEC_LOCKED;
	}
	return say(g, CODEC_DAMAGED, "the session key in its header is wrong");
}

/* What came of it, when gpg has ended. cut: the packets were not whole. */
static enum codec_step judge(struct gpg_codec *g, int status, bool cut)
{
	const struct gpg_status *s = &g->status;
	char text[64];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && s->okay)
		return CODEC_END;
	if (s->opened && cut)
		return say(g, CODEC_CUT, "it ends within a packet");
	if (s->opened && s->changed)
		return say(g, CODEC_DAMAGED, "it was changed: its check is wrong");
	if (s->no_key || s->bad_key || s->wrong || s->asked)
		return locked(g);
	if (cut)
		return say(g, CODEC_CUT, "it ends within its header");
	(void)snprintf(g->why, sizeof(g->why), "gpg %s: %s",
		       proc_status_text(status, text, sizeof(text)), s->said);
	return WIFEXITED(status) ? CODEC_DAMAGED : CODEC_FAILED;
}

static enum codec_step finish(struct gpg_codec *g, struct codec_io *io)
{
	bool cut;
	int status = 0;

	/* A gpg that gave up has not seen the end, but the packets may. */
	pgp_walk(&g->walk, io->in, io->in_n);
	cut = io->in_ends && pgp_walk_cut(&g->walk);
	io->in += io->in_n;
	io->in_n = 0;
	io_close(&g->gpg.in);
	io_close(&g->gpg.out);
	gpg_wait(&g->gpg, &status);
	read_said(g);
	gpg_stop(&g->gpg);
	g->running = false;
	return judge(g, status, cut);
}

/* As far as it goes without waiting; waits when there is nothing else that could be done. */
static enum codec_step pump(struct gpg_codec *g, struct codec_io *io)
{
	size_t in_n = io->in_n, out_n = io->out_n;

	while (io->in_n == in_n && io->out_n == out_n) {
		struct pollfd p[] = {
			{ .fd = g->gpg.out, .events = POLLIN },
			{ .fd = g->gpg.said, .events = POLLIN },
			{ .fd = io->in_n > 0 ? g->gpg.in : -1, .events = POLLOUT },
		};
		/* A closed input swallows what comes; the end of the output is waited for then. */
		bool wants_more = io->in_n == 0 && !io->in_ends && g->gpg.in >= 0;

		if (io->in_n == 0 && io->in_ends)
			io_close(&g->gpg.in);
		if (poll(p, 3, wants_more ? 0 : -1) < 0 && errno != EINTR)
			return say(g, CODEC_FAILED, strerror(errno));
		if (p[1].revents && g->gpg.said >= 0)
			read_said(g);
		if (p[2].revents)
			feed(g, io);
		if (p[0].revents && !fetch(g, io))
			return finish(g, io);
		if (wants_more)
			break;
	}
	return CODEC_MORE;
}

static enum codec_step gpg_codec_step(void *state, struct codec_io *io, const char **why)
{
	struct gpg_codec *g = state;
	struct err e = { 0 };

	*why = g->why;
	if (!g->running) {
		if (gpg_start(&g->gpg, g->keys, &e) < 0)
			return say(g, CODEC_FAILED, e.msg);
		g->running = true;
	}
	return pump(g, io);
}

const struct codec codec_gpg = {
	.name = "gpg",
	.kind = CODEC_ENCRYPTION,
	.begins = pgp_begins,
	.open = gpg_codec_open,
	.step = gpg_codec_step,
	.close = gpg_codec_close,
};
