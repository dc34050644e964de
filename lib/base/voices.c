#include "lib/base/voices.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

struct voice {
	pid_t who;
	struct buf line; /* what there is of it */
};

struct voices {
	struct voice *v;
	size_t n;
	void (*line)(void *ctx, pid_t who, const char *line);
	void *ctx;
};

int voices_open(int *hear, int *speak, struct err *e)
{
	const int on = 1;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		return err_set(e, ERR_SYSTEM, "listen to a program: socketpair: %s",
			       strerror(errno));
	if (setsockopt(fd[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
		(void)err_set(e, ERR_SYSTEM, "listen to a program: SO_PASSCRED: %s",
			      strerror(errno));
		(void)close(fd[0]);
		(void)close(fd[1]);
		return -1;
	}
	*hear = fd[0];
	*speak = fd[1];
	return 0;
}

/* The next bytes of one writer: their count, 0 at the end. */
static ssize_t receive(int fd, char *piece, pid_t *who)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { .iov_base = piece, .iov_len = PIECE };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct ucred by;
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*who = 0;
	for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL; c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&by, CMSG_DATA(c), sizeof(by));
		*who = by.pid;
	}
	return n;
}

static struct voice *voice_of(struct voices *all, pid_t who)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].who == who)
			return &all->v[i];
	all->v = xrealloc(all->v, all->n + 1, sizeof(*all->v));
	all->v[all->n] = (struct voice){ .who = who, .line = BUF_INIT(VOICES_LINE_MAX) };
	return &all->v[all->n++];
}

static void take(struct voices *all, struct voice *v, const char *p, size_t n)
{
	const char *end;

	while (n > 0) {
		size_t part, room = v->line.max - v->line.len;

		end = memchr(p, '\n', n);
		part = end ? (size_t)(end - p) : n;
		buf_add(&v->line, p, part < room ? part : room);
		if (end == NULL)
			return;
		all->line(all->ctx, v->who, v->line.s);
		buf_reset(&v->line);
		n -= part + 1;
		p = end + 1;
	}
}

int voices_read(int hear, void (*line)(void *ctx, pid_t who, const char *line), void *ctx,
		struct err *e)
{
	struct voices all = { .line = line, .ctx = ctx };
	char piece[PIECE];
	pid_t who;
	ssize_t n;

	while ((n = receive(hear, piece, &who)) > 0)
		take(&all, voice_of(&all, who), piece, (size_t)n);
	if (n < 0)
		(void)err_set(e, ERR_SYSTEM, "listen to a program: %s", strerror(errno));
	for (size_t i = 0; i < all.n; i++) {
		if (all.v[i].line.len)
			line(ctx, all.v[i].who, all.v[i].line.s);
		buf_free(&all.v[i].line);
	}
	free(all.v);
	return n < 0 ? -1 : 0;
}
