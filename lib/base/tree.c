#include "lib/base/tree.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct walk {
	int top;
	const char *path; /* of top, for messages */
	const char *keep;
	uint64_t moved;    /* makes the names of moved directories */
	uint64_t progress; /* entries removed or moved in this round */
	bool failed;
	struct err *e; /* the first failure of the round */
};

/* Before Linux 5.6: a bind mount of the same file system goes unnoticed here, but cannot be moved
 * or removed either (EBUSY). */
static int open_same_device(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat above, here;

	if (fd < 0)
		return -1;
	if (fstat(dir, &above) == 0 && fstat(fd, &here) == 0 && above.st_dev == here.st_dev)
		return fd;
	io_close(&fd);
	errno = EXDEV;
	return -1;
}

int tree_open(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM)) /* old kernel; old container filter */
		return open_same_device(dir, name);
	return (int)fd;
}

/* A directory that its owner may not read or change: gives it those rights, not through a link. */
static void unlock(int dir, const char *name)
{
	FD_AUTO fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char self[64];

	if (fd < 0)
		return;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	(void)chmod(self, 0700);
}

static void fail(struct walk *w, const char *name)
{
	if (!w->failed)
		(void)err_set(
			w->e, ERR_SYSTEM, "remove %s/%s: %s%s", w->path, name, strerror(errno),
			errno == EXDEV || errno == EBUSY ? "; unmount what is mounted there" : "");
	w->failed = true;
}

static void remove_entry(struct walk *w, int dir, const char *name);

static void empty(struct walk *w, int dir, const char *name)
{
	FD_AUTO fd = -1;
	struct dirent *d;
	DIR *list;

	(void)fchmod(dir, 0700); /* whoever filled it may have taken our right to remove from it */
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fd < 0 ? NULL : fdopendir(fd);
	if (list == NULL) {
		fail(w, name);
		return;
	}
	fd = -1;
	while ((d = readdir(list)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		if (dir == w->top && w->keep && strcmp(d->d_name, w->keep) == 0)
			continue;
		remove_entry(w, dir, d->d_name);
	}
	(void)closedir(list);
}

/* Moves dir/name to the top, so that depth never costs descriptors; the next round removes it. */
static int move_up(struct walk *w, int dir, const char *name)
{
	char to[64];

	do
		(void)snprintf(to, sizeof(to), ".moved-%ju", (uintmax_t)w->moved++);
	while (faccessat(w->top, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat(dir, name, w->top, to);
}

/* Empties dir/name as far as it goes: what is in it counts, and fails, for itself. */
static int enter(struct walk *w, int dir, const char *name)
{
	FD_AUTO fd = tree_open(dir, name);

	if (fd < 0)
		return -1;
	empty(w, fd, name);
	return 0;
}

static int descend(struct walk *w, int dir, const char *name)
{
	int (*step)(struct walk *, int, const char *) = dir == w->top ? enter : move_up;

	if (step(w, dir, name) == 0)
		return 0;
	if (errno != EACCES)
		return -1;
	unlock(dir, name);
	return step(w, dir, name);
}

static void remove_entry(struct walk *w, int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0 || unlinkat(dir, name, AT_REMOVEDIR) == 0) {
		w->progress++;
		return;
	}
	if (errno == ENOENT)
		return;
	if (errno != ENOTEMPTY || descend(w, dir, name) < 0) {
		fail(w, name);
		return;
	}
	if (dir != w->top || unlinkat(dir, name, AT_REMOVEDIR) == 0)
		w->progress++;
	else if (errno != ENOTEMPTY && errno != ENOENT)
		fail(w, name);
}

int tree_empty(int dir, const char *keep, const char *path, struct err *e)
{
	struct walk w = { .top = dir, .path = path, .keep = keep, .e = e };

	do {
		w.progress = 0;
		w.failed = false;
		empty(&w, dir, "");
	} while (w.progress > 0);
	return w.failed ? -1 : 0;
}

int tree_remove(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *above = slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup(".");
	FD_AUTO parent = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	FD_AUTO fd = -1;

	if (parent >= 0)
		fd = tree_open(parent, slash ? slash + 1 : path);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
	if (tree_empty(fd, NULL, path, e) < 0)
		return -1;
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(e, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
	return 0;
}
