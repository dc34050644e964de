#include "lib/base/arrival.h"

#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { TELL_B = 256 * 1024 };

static int lock(int fd, int how, short type, uint64_t at_b, uint64_t n)
{
	struct flock range = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at_b, .l_len = (off_t)n
	};
	int r;

	do
		r = fcntl(fd, how, &range);
	while (r < 0 && errno == EINTR);
	return r;
}

static int cannot(const char *verb, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "%s a file that arrives: %s", verb, strerror(errno));
}

/* ---- the writer --------------------------------------------------------------------- */

int arrival_begin(struct arrival *a, int fd, struct err *e)
{
	*a = (struct arrival){ .fd = fd };
	if (fchmod(fd, 0600) == 0 && lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0)
		return 0;
	(void)cannot("lock", e);
	io_close(&a->fd);
	return -1;
}

int arrival_more(struct arrival *a, uint64_t n, struct err *e)
{
	a->there_b += n;
	if (a->there_b - a->told_b < TELL_B)
		return 0;
	if (lock(a->fd, F_OFD_SETLK, F_UNLCK, a->told_b, a->there_b - a->told_b) < 0)
		return cannot("unlock", e);
	a->told_b = a->there_b;
	return 0;
}

int arrival_end(struct arrival *a, bool proven, struct err *e)
{
	int ret = 0;

	if (a->fd < 0)
		return 0;
	if (proven && fchmod(a->fd, 0400) < 0)
		ret = cannot("finish", e);
	io_close(&a->fd);
	return ret;
}

/* ---- the reader --------------------------------------------------------------------- */

static int is_whole(int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cannot("look at", e);
	if (st.st_mode & S_IWUSR)
		return err_set(e, ERR_SYSTEM,
			       "fetch the backup: it did not come to a good end; see what "
			       "fetch-latest says");
	return 0;
}

/* Waits until nobody has a lock on that byte. */
static int wait_for(int fd, uint64_t at_b, struct err *e)
{
	if (lock(fd, F_OFD_SETLKW, F_RDLCK, at_b, 1) < 0 ||
	    lock(fd, F_OFD_SETLK, F_UNLCK, at_b, 1) < 0)
		return cannot("wait for", e);
	return 0;
}

int64_t arrival_wait(int fd, uint64_t at_b, struct err *e)
{
	struct flock held = { 0 };

	for (;;) {
		held = (struct flock){ .l_type = F_RDLCK,
				       .l_whence = SEEK_SET,
				       .l_start = (off_t)at_b };
		if (fcntl(fd, F_OFD_GETLK, &held) < 0)
			return cannot("wait for", e);
		if (held.l_type == F_UNLCK)
			return is_whole(fd, e) < 0 ? -1 : INT64_MAX;
		if (held.l_start > (off_t)at_b)
			return held.l_start - (off_t)at_b;
		if (wait_for(fd, at_b, e) < 0)
			return -1;
	}
}

int arrival_prove(int fd, struct err *e)
{
	return wait_for(fd, INT64_MAX - 1, e) < 0 ? -1 : is_whole(fd, e);
}
