#include "lib/base/tmpdir.h"

#include "lib/base/io.h"
#include "lib/base/proctree.h"
#include "lib/base/tree.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "backup-probes-"
#define MARK "owner"

enum { RANDOM_CHARS = 6, MARK_MAX = 1024, BOOT_ID_MAX = 64 };

static const char *usual_parent(void)
{
	const char *env = getenv("TMPDIR");

	if (env && *env)
		return env;
	return access("/tmp", F_OK) == 0 ? "/tmp" : "/var/tmp";
}

static int find_parent(const char *parent, char out[PATH_MAX], struct err *e)
{
	if (parent == NULL)
		parent = usual_parent();
	if (realpath(parent, out) == NULL)
		return err_set(e, ERR_SYSTEM,
			       "use the directory %s: %s; name another one with "
			       "--work-dir",
			       parent, strerror(errno));
	return 0;
}

static int join(char out[PATH_MAX], const char *dir, const char *name)
{
	size_t len = strlen(dir), more = strlen(name) + 1;

	if (len + 1 + more > PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, dir, len);
	out[len] = '/';
	memcpy(out + len + 1, name, more);
	return 0;
}

static void boot_id(char out[BOOT_ID_MAX])
{
	BUF_AUTO b = BUF_INIT(BOOT_ID_MAX - 1);
	struct err e;
	size_t len;

	(void)io_slurp("/proc/sys/kernel/random/boot_id", &b, &e); /* empty where there is none */
	len = strcspn(b.s, "\n");
	memcpy(out, b.s, len);
	out[len] = '\0';
}

/* ---- making one --------------------------------------------------------------------- */

static int write_mark(int fd, const char *purpose)
{
	BUF_AUTO b = BUF_INIT(MARK_MAX);
	char boot[BOOT_ID_MAX];
	uint64_t start = 0;

	(void)proctree_start(getpid(), &start);
	boot_id(boot);
	buf_addf(&b, "%d %ju %s\n%s\n", (int)getpid(), (uintmax_t)start, boot, purpose);
	if (b.full) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return io_write_all(fd, b.s, b.len);
}

/* The mark appears under its name when it is written and locked, never before: a reaper that
 * comes by meanwhile sees a directory without a mark, and leaves it. */
static int set_mark(struct tmpdir *t, const char *purpose)
{
	FD_AUTO dir = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	FD_AUTO fd = -1;

	if (dir < 0)
		return -1;
	fd = openat(dir, MARK ".new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || write_mark(fd, purpose) < 0 ||
	    renameat(dir, MARK ".new", dir, MARK) < 0)
		return -1;
	t->lock_fd = fd;
	fd = -1;
	return 0;
}

int tmpdir_create(struct tmpdir *t, const char *parent, const char *purpose,
		  const struct identity *owner, struct err *e)
{
	char above[PATH_MAX];
	struct err ignored;

	t->lock_fd = -1;
	t->path[0] = '\0';
	if (find_parent(parent, above, e) < 0)
		return -1;
	if (join(t->path, above, PREFIX "XXXXXX") < 0 || mkdtemp(t->path) == NULL) {
		t->path[0] = '\0';
		return err_set(e, ERR_SYSTEM,
			       "make a directory in %s: %s; name another one with --work-dir",
			       above, strerror(errno));
	}
	if (set_mark(t, purpose) == 0 &&
	    (owner == NULL || !owner->drops || chown(t->path, owner->uid, owner->gid) == 0))
		return 0;
	(void)err_set(e, ERR_SYSTEM, "set up %s: %s", t->path, strerror(errno));
	(void)tmpdir_remove(t, &ignored);
	return -1;
}

/* ---- removing ----------------------------------------------------------------------- */

/* The mark goes last: a removal that is killed half-way is taken up by the next reaper. */
static int remove_marked(const char *path, struct err *e)
{
	FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0)
		return err_set(e, ERR_SYSTEM, "remove %s: %s", path, strerror(errno));
	if (tree_empty(dir, MARK, path, e) < 0)
		return -1;
	return tree_remove(path, e);
}

int tmpdir_file(struct err *e)
{
	const char *dir = usual_parent();
	AUTO_FREE char *path = xasprintf("%s/backup-probes-XXXXXX", dir);
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* Not every file system knows files without a name. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return err_set(
			e, ERR_SYSTEM,
			"make a temporary file in %s: %s; TMPDIR names another directory for it",
			dir, strerror(errno));
	return fd;
}

int tmpdir_remove(struct tmpdir *t, struct err *e)
{
	int ret = t->path[0] ? remove_marked(t->path, e) : 0;

	if (ret == 0)
		t->path[0] = '\0';
	io_close(&t->lock_fd);
	return ret;
}

/* ---- reaping ------------------------------------------------------------------------ */

/* A second witness beside the lock, for file systems whose locks get lost (NFS after a restart of
 * its server): the process that the mark names, of this boot, with that start time. */
static bool owner_lives(int fd)
{
	char text[MARK_MAX + 1], boot[BOOT_ID_MAX], marked[BOOT_ID_MAX] = "";
	ssize_t n = io_read_full(fd, text, sizeof(text) - 1);
	uintmax_t start;
	int pid;

	text[n < 0 ? 0 : n] = '\0';
	if (sscanf(text, "%d %ju %63s", &pid, &start, marked) != 3)
		return false;
	boot_id(boot);
	return strcmp(boot, marked) == 0 && proctree_alive(&(struct proc_id){ pid, start });
}

/* The locked mark of a directory without a living owner, or -1. Only a mark that this user has
 * made counts: nobody else can have us remove anything. */
static int take_over(int parent, const char *name)
{
	FD_AUTO dir = tree_open(parent, name);
	FD_AUTO fd = -1;
	struct stat st, now;
	int ret;

	if (dir < 0)
		return -1;
	fd = openat(dir, MARK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || owner_lives(fd))
		return -1;
	/* Another reaper may have been here between our open and our lock. */
	if (fstatat(dir, MARK, &now, AT_SYMLINK_NOFOLLOW) < 0 || now.st_ino != st.st_ino)
		return -1;
	ret = fd;
	fd = -1;
	return ret;
}

static bool has_our_name(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 &&
	       strlen(name) == strlen(PREFIX) + RANDOM_CHARS;
}

int tmpdir_reap(const char *parent, void (*before)(const char *dir, void *ctx), void *ctx,
		unsigned *removed, struct err *e)
{
	struct tmpdir left;
	char above[PATH_MAX];
	struct dirent *d;
	int ret = 0;
	DIR *list;

	*removed = 0;
	if (find_parent(parent, above, e) < 0)
		return -1;
	list = opendir(above);
	if (list == NULL)
		return err_set(e, ERR_SYSTEM, "read %s: %s", above, strerror(errno));
	while ((d = readdir(list)) != NULL) {
		if (!has_our_name(d->d_name) || join(left.path, above, d->d_name) < 0)
			continue;
		left.lock_fd = take_over(dirfd(list), d->d_name);
		if (left.lock_fd < 0)
			continue;
		if (before)
			before(left.path, ctx);
		if (tmpdir_remove(&left, e) < 0)
			ret = -1;
		else
			++*removed;
	}
	(void)closedir(list);
	return ret;
}
