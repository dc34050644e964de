#include "lib/base/atomic.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The new name is safe only when the directory that holds it is. */
int atomic_sync_dir(const char *dir)
{
	FD_AUTO fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	/* Some network and FUSE file systems cannot sync a directory and say so. */
	return fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
}

/* Fills the open file and closes it; *step names what failed. */
static int fill(int fd, const void *data, size_t len, mode_t mode, const char **step)
{
	int bad;

	*step = "set the mode of";
	bad = fchmod(fd, mode) < 0;
	if (!bad) {
		*step = "write";
		bad = io_write_all(fd, data, len) < 0 || fsync(fd) < 0;
	}
	if (bad) {
		io_close(&fd);
		return -1;
	}
	*step = "close";
	return close(fd);
}

/* Everything but the last name of path; "." where there is none. The caller's to free. */
static char *parent_of(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (slash == NULL)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int atomic_write(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	const char *name, *step = "create a file beside";
	AUTO_FREE char *dir = parent_of(path, &name);
	AUTO_FREE char *tmp = xasprintf("%s/.%s.XXXXXX.tmp", dir, name);
	int fd = mkostemps(tmp, (int)strlen(".tmp"), O_CLOEXEC);
	int saved;

	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "%s %s: %s", step, path, strerror(errno));
	if (fill(fd, data, len, mode, &step) == 0) {
		step = "replace";
		if (rename(tmp, path) == 0) {
			if (atomic_sync_dir(dir) == 0)
				return 0;
			return err_set(e, ERR_SYSTEM, "sync the directory of %s: %s", path,
				       strerror(errno));
		}
	}
	saved = errno;
	(void)unlink(tmp);
	return err_set(e, ERR_SYSTEM, "%s %s: %s", step, path, strerror(saved));
}
