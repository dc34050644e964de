#include "lib/restore/walwire.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
	int32_t found;
	struct err e;
};

/* Room for one descriptor, aligned as cmsg(3) wants it. */
union ancillary {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

int walwire_open(int ends[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0)
		return 0;
	return err_set(e, ERR_SYSTEM, "open a socket: %s", strerror(errno));
}

static ssize_t receive(int end, struct msghdr *m)
{
	ssize_t n;

	do
		n = recvmsg(end, m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	return n;
}

static int take_descriptor(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int walwire_ask(int end, const char *name, int *fd, struct err *e)
{
	char question[WALWIRE_NAME] = "";
	struct answer a = { 0 };
	union ancillary extra;
	struct iovec v = { .iov_base = &a, .iov_len = sizeof(a) };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = extra.room,
			    .msg_controllen = sizeof(extra.room) };

	(void)snprintf(question, sizeof(question), "%s", name);
	if (send(end, question, sizeof(question), MSG_NOSIGNAL) < 0 ||
	    receive(end, &m) != (ssize_t)sizeof(a))
		return err_set(e, ERR_SYSTEM, "ask for WAL: the process that fetches it is gone");
	*fd = take_descriptor(&m);
	if (a.found < 0) {
		*e = a.e;
		return -1;
	}
	return a.found > 0 && *fd >= 0;
}

bool walwire_hear(int end, char name[WALWIRE_NAME])
{
	struct iovec v = { .iov_base = name, .iov_len = WALWIRE_NAME };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (receive(end, &m) != WALWIRE_NAME)
		return false;
	name[WALWIRE_NAME - 1] = '\0';
	return true;
}

void walwire_answer(int end, int found, int fd, const struct err *e)
{
	struct answer a = { .found = found };
	union ancillary extra = { .room = { 0 } };
	struct iovec v = { .iov_base = &a, .iov_len = sizeof(a) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (found < 0)
		a.e = *e;
	if (found > 0) {
		struct cmsghdr *c;

		m.msg_control = extra.room;
		m.msg_controllen = sizeof(extra.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	/* Whoever asked may be gone: then nobody waits for this. */
	(void)sendmsg(end, &m, MSG_NOSIGNAL);
}
