#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 16 * 1024 };

/* Standard output may be shared with somebody who made it non-blocking. */
static int wait_for(int fd, short what)
{
	struct pollfd p = { .fd = fd, .events = what };

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -1 : 0;
}

int io_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t w = write(fd, at, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN && wait_for(fd, POLLOUT) == 0)
			continue;
		if (w < 0)
			return -1;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

int io_pwrite_all(int fd, const void *p, size_t n, off_t at)
{
	const char *from = p;

	while (n > 0) {
		ssize_t w = pwrite(fd, from, n, at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		from += w;
		at += w;
		n -= (size_t)w;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *p, size_t n)
{
	char *to = p;
	size_t got = 0;

	while (got < n) {
		ssize_t r = read(fd, to + got, n - got);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && errno == EAGAIN && wait_for(fd, POLLIN) == 0)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int io_copy(int in, int out)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
	    errno != EPERM)
		return -1;
	/* Some file systems say "0 bytes" instead: reading on costs nothing at the end. */
	while ((n = io_read_full(in, chunk, sizeof(chunk))) > 0)
		if (io_write_all(out, chunk, (size_t)n) < 0)
			return -1;
	return (int)n;
}

int io_slurp(const char *path, struct buf *b, struct err *e)
{
	FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[CHUNK];
	ssize_t n;

	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	do {
		n = io_read_full(fd, chunk, sizeof(chunk));
		if (n < 0)
			return err_set(e, ERR_SYSTEM, "read %s: %s", path, strerror(errno));
		buf_add(b, chunk, (size_t)n);
	} while (n > 0 && !b->full);
	explicit_bzero(chunk, sizeof(chunk));
	if (b->full)
		return err_set(e, ERR_SYSTEM, "read %s: larger than %zu bytes", path, b->max);
	return 0;
}

int io_read_secret(const char *path, struct buf *b, struct err *e)
{
	size_t len;

	if (io_slurp(path, b, e) < 0)
		return -1;
	len = strcspn(b->s, "\r\n");
	if (len < b->len && b->s[len] == '\0')
		return err_set(e, ERR_SYSTEM,
			       "read %s: a NUL byte is in it; expected one line of text", path);
	if (len == 0)
		return err_set(e, ERR_SYSTEM,
			       "read %s: the first line is empty; put the secret there", path);
	explicit_bzero(b->s + len, b->len - len);
	b->len = len;
	return 0;
}

void io_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = saved;
}
