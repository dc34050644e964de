#include "lib/storage/landing.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot(const struct landing *l, const char *verb, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "%s %s: %s", verb, l->path, strerror(errno));
}

static int begin(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 struct err *e)
{
	size_t n = strlen(dir);
	struct err ignored;
	unsigned reaped;

	*l = (struct landing){ .dir = -1, .fd = -1, .tree = -1, .temp = { .lock_fd = -1 } };
	while (n > 1 && dir[n - 1] == '/')
		n--;
	l->path = xasprintf("%.*s/%s", (int)n, dir, name);
	l->name = l->path + n + 1;
	l->owner = *owner;
	if (name[0] == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return err_set(e, ERR_USAGE, "store '%s': not a file's name", name);
	l->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		return err_set(e, ERR_SYSTEM, "open directory %s: %s; name another one with --dir",
			       dir, strerror(errno));
	/* What cannot be reaped is no reason not to store a backup beside it. */
	(void)tmpdir_reap(dir, NULL, NULL, &reaped, &ignored);
	return 0;
}

/* A directory beside the target, so that a rename brings the result into place. */
static int make_temp(struct landing *l, const char *dir, struct err *e)
{
	return tmpdir_create(&l->temp, dir, "fetching a backup", NULL, e);
}

static char *temp_path(const struct landing *l)
{
	return xasprintf("%s/content", l->temp.path);
}

static int open_unnamed(struct landing *l, const char *dir, struct err *e)
{
	AUTO_FREE char *path = NULL;

	l->fd = openat(l->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (l->fd >= 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
		return cannot(l, "write", e);
	if (make_temp(l, dir, e) < 0)
		return -1;
	path = temp_path(l);
	l->fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	return l->fd < 0 ? cannot(l, "write", e) : 0;
}

int landing_file(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 struct err *e)
{
	if (begin(l, dir, name, owner, e) == 0 && open_unnamed(l, dir, e) == 0)
		return 0;
	landing_drop(l);
	return -1;
}

static int open_tree(struct landing *l, const char *dir, struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (make_temp(l, dir, e) < 0)
		return -1;
	path = temp_path(l);
	if (mkdir(path, 0700) < 0)
		return cannot(l, "make directory for", e);
	l->tree = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return l->tree < 0 ? cannot(l, "open directory for", e) : 0;
}

int landing_tree(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 struct err *e)
{
	if (begin(l, dir, name, owner, e) == 0 && open_tree(l, dir, e) == 0)
		return 0;
	landing_drop(l);
	return -1;
}

static bool give_away(const struct landing *l, int fd)
{
	return !l->owner.drops || fchown(fd, l->owner.uid, l->owner.gid) == 0;
}

/* Steps from *at into its directory of that name, which is made where it is missing. */
static int step_into(struct landing *l, int *at, const char *part, struct err *e)
{
	int next;

	if (mkdirat(*at, part, 0700) < 0 && errno != EEXIST)
		return cannot(l, "make directories in", e);
	next = openat(*at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 || !give_away(l, next)) {
		io_close(&next);
		return cannot(l, "make directories in", e);
	}
	io_close(at);
	*at = next;
	return 0;
}

int landing_member(struct landing *l, const char *member, struct err *e)
{
	AUTO_FREE char *path = xstrdup(member);
	FD_AUTO at = fcntl(l->tree, F_DUPFD_CLOEXEC, 0);
	char *part = path, *slash;

	if (at < 0)
		return cannot(l, "write", e);
	for (;; part = slash + 1) {
		slash = strchr(part, '/');
		if (slash)
			*slash = '\0';
		if (part[0] == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			return err_set(e, ERR_BACKUP,
				       "store '%s': its path leads out of the backup", member);
		if (slash == NULL)
			break;
		if (step_into(l, &at, part, e) < 0)
			return -1;
	}
	l->fd = openat(at, part, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	return l->fd < 0 ? cannot(l, "write into", e) : 0;
}

/* Owner, then disk: a file that is not safely stored is none. */
static int settle(struct landing *l, int *fd, struct err *e)
{
	int rc = 0;

	if (!give_away(l, *fd))
		rc = cannot(l, "give away", e);
	else if (fsync(*fd) < 0)
		rc = cannot(l, "write", e);
	if (close(*fd) < 0 && rc == 0)
		rc = cannot(l, "write", e);
	*fd = -1;
	return rc;
}

int landing_member_done(struct landing *l, struct err *e)
{
	return settle(l, &l->fd, e);
}

/* Gives the nameless file its name. Only what has no name can be linked, so an older file of that
 * name goes first. */
static int link_unnamed(struct landing *l)
{
	char self[64];

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", l->fd);
	if (linkat(AT_FDCWD, self, l->dir, l->name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != EEXIST || unlinkat(l->dir, l->name, 0) < 0)
		return -1;
	return linkat(AT_FDCWD, self, l->dir, l->name, AT_SYMLINK_FOLLOW);
}

/* A directory cannot be renamed over another that is not empty: they change places, and the older
 * one goes with the temporary directory. */
static int move_named(struct landing *l)
{
	AUTO_FREE char *from = temp_path(l);

	if (renameat(AT_FDCWD, from, l->dir, l->name) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR && errno != EISDIR)
		return -1;
	return renameat2(AT_FDCWD, from, l->dir, l->name, RENAME_EXCHANGE);
}

int landing_commit(struct landing *l, struct err *e)
{
	struct err ignored;

	if (l->temp.path[0]) {
		if (settle(l, l->tree >= 0 ? &l->tree : &l->fd, e) < 0)
			return -1;
		if (move_named(l) < 0)
			return cannot(l, "store", e);
	} else if (!give_away(l, l->fd) || fsync(l->fd) < 0 || link_unnamed(l) < 0) {
		return cannot(l, "store", e);
	}
	if (fsync(l->dir) < 0)
		return cannot(l, "store", e);
	(void)tmpdir_remove(&l->temp, &ignored);
	return 0;
}

void landing_drop(struct landing *l)
{
	struct err ignored;

	io_close(&l->fd);
	io_close(&l->tree);
	io_close(&l->dir);
	if (l->temp.path[0])
		(void)tmpdir_remove(&l->temp, &ignored);
	io_close(&l->temp.lock_fd);
	free(l->path);
	l->path = NULL;
	l->name = NULL;
}
