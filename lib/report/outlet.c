#include "lib/report/outlet.h"

#include "lib/base/atomic.h"
#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTLET_MODE = 0644 };

/* A pipe or a terminal is written to and not replaced. */
static int put_directly(const char *path, const struct buf *b, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (io_write_all(fd, b->s, b->len) < 0) {
		err_set(e, ERR_SYSTEM, "write %s: %s", path, strerror(errno));
		io_close(&fd);
		return -1;
	}
	if (close(fd) < 0)
		return err_set(e, ERR_SYSTEM, "close %s: %s", path, strerror(errno));
	return 0;
}

int outlet_put(const char *path, int fd, const struct buf *report, struct err *e)
{
	struct stat st;

	if (report->full)
		return err_set(e, ERR_SYSTEM, "the report is larger than %zu bytes", report->max);
	if (path && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return put_directly(path, report, e);
	if (path)
		return atomic_write(path, report->s, report->len, OUTLET_MODE, e);
	if (io_write_all(fd, report->s, report->len) < 0)
		return err_set(e, ERR_SYSTEM, "write to standard %s: %s",
			       fd == STDERR_FILENO ? "error" : "output", strerror(errno));
	return 0;
}
