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

	*l = (struct landing)LANDING_NONE;
	while (n > 1 && dir[n - 1] == '/')
		n--;
	l->path = xasprintf("%.*s/%s", (int)(n == 1 && dir[0] == '/' ? 0 : n), dir, name);
	l->name = strrchr(l->path, '/') + 1;
	l->owner = *owner;
	if (name[0] == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return err_set(e, ERR_USAGE, "store '%s': not a file's name", name);
	l->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir < 0)
		return err_set(e, ERR_SYSTEM, "open directory %s: %s; name another one with --dir",
			       dir, strerror(errno));
	partial_reap(dir, name);
	return 0;
}

static bool give_away(const struct landing *l, int fd)
{
	return !l->owner.drops || fchown(fd, l->owner.uid, l->owner.gid) == 0;
}

/* Where the file grows: without a name if that can be and is wanted. */
static int open_file(struct landing *l, const char *dir, const struct landing_past *past,
		     struct err *e)
{
	static const struct landing_past none = { .identity = "" };
	AUTO_FREE char *path = NULL;

	if (past == NULL) {
		l->fd = openat(l->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (l->fd >= 0)
			return 0;
		if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
			return cannot(l, "write", e);
		past = &none;
	}
	if (partial_open(&l->partial, dir, l->name, past->identity, past->has, past->ctx, e) < 0)
		return -1;
	path = partial_content(&l->partial);
	l->fd = open(path, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	return l->fd < 0 ? cannot(l, "write", e) : 0;
}

int landing_file(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 const struct landing_past *past, struct err *e)
{
	if (begin(l, dir, name, owner, e) == 0 && open_file(l, dir, past, e) == 0)
		return 0;
	landing_drop(l, false);
	return -1;
}

static int open_tree(struct landing *l, const char *dir, const struct landing_past *past,
		     struct err *e)
{
	AUTO_FREE char *path = NULL;

	if (partial_open(&l->partial, dir, l->name, past->identity, past->has, past->ctx, e) < 0)
		return -1;
	path = partial_content(&l->partial);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return cannot(l, "make directory for", e);
	l->tree = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->tree < 0 || !give_away(l, l->tree))
		return cannot(l, "open directory for", e);
	return 0;
}

int landing_tree(struct landing *l, const char *dir, const char *name, const struct identity *owner,
		 const struct landing_past *past, struct err *e)
{
	if (begin(l, dir, name, owner, e) == 0 && open_tree(l, dir, past, e) == 0)
		return 0;
	landing_drop(l, false);
	return -1;
}

/* Steps from *at into its directory of that name, which is made where it is missing. */
static int step_into(const struct landing *l, int *at, const char *part, struct err *e)
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

/* Walks to the directory that the member is in: *at becomes it. The member's last part, in path, or
 * NULL with *e. */
static const char *walk_to(const struct landing *l, char *path, int *at, struct err *e)
{
	char *part = path, *slash;

	for (;; part = slash + 1) {
		slash = strchr(part, '/');
		if (slash)
			*slash = '\0';
		if (part[0] == '\0' || strcmp(part, ".") == 0 || strcmp(part, "..") == 0) {
			(void)err_set(e, ERR_BACKUP,
				      "store '%s': a path in it leads out of the backup", l->name);
			return NULL;
		}
		if (slash == NULL)
			return part;
		if (step_into(l, at, part, e) < 0)
			return NULL;
	}
}

int landing_open(const struct landing *l, const char *member, struct err *e)
{
	AUTO_FREE char *path = member ? xstrdup(member) : NULL;
	FD_AUTO at = fcntl(member ? l->tree : l->fd, F_DUPFD_CLOEXEC, 0);
	const char *last;
	int fd;

	if (at < 0)
		return cannot(l, "write", e);
	if (member == NULL) {
		fd = at;
		at = -1;
		return fd;
	}
	last = walk_to(l, path, &at, e);
	if (last == NULL)
		return -1;
	fd = openat(at, last, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && give_away(l, fd))
		return fd;
	io_close(&fd);
	return cannot(l, "write into", e);
}

bool landing_stays_within(const char *member, const char *target)
{
	int64_t depth = 0;

	if (target[0] == '/')
		return false;
	for (const char *s = member; (s = strchr(s, '/')) != NULL; s++)
		depth++;
	for (size_t n; *target; target += n + (target[n] == '/')) {
		n = strcspn(target, "/");
		if (n == 2 && strncmp(target, "..", 2) == 0)
			depth--;
		else if (n > 0 && !(n == 1 && target[0] == '.'))
			depth++;
		if (depth < 0)
			return false;
	}
	return true;
}

int landing_link(const struct landing *l, const char *member, const char *target, struct err *e)
{
	AUTO_FREE char *path = xstrdup(member);
	FD_AUTO at = fcntl(l->tree, F_DUPFD_CLOEXEC, 0);
	const char *last;

	if (at < 0)
		return cannot(l, "write", e);
	last = walk_to(l, path, &at, e);
	if (last == NULL)
		return -1;
	if (symlinkat(target, at, last) < 0 && errno != EEXIST)
		return cannot(l, "write into", e);
	return 0;
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
 * one goes with the partial one. */
static int move_named(struct landing *l)
{
	AUTO_FREE char *from = partial_content(&l->partial);

	if (renameat(AT_FDCWD, from, l->dir, l->name) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR && errno != EISDIR)
		return -1;
	return renameat2(AT_FDCWD, from, l->dir, l->name, RENAME_EXCHANGE);
}

/* Many files at once reach the disk sooner together than one after the other. */
static bool settle(const struct landing *l)
{
	if (l->tree >= 0)
		return syncfs(l->tree) == 0;
	return give_away(l, l->fd) && fsync(l->fd) == 0;
}

int landing_commit(struct landing *l, struct err *e)
{
	struct err ignored;

	if (!settle(l) || (l->partial.path[0] && partial_finish(&l->partial) < 0))
		return cannot(l, "write", e);
	if ((l->partial.path[0] ? move_named(l) : link_unnamed(l)) < 0 || fsync(l->dir) < 0)
		return cannot(l, "store", e);
	(void)partial_remove(&l->partial, &ignored);
	return 0;
}

void landing_drop(struct landing *l, bool keep)
{
	struct err ignored;

	io_close(&l->fd);
	io_close(&l->tree);
	io_close(&l->dir);
	if (keep)
		partial_leave(&l->partial);
	else
		(void)partial_remove(&l->partial, &ignored);
	free(l->path);
	l->path = NULL;
	l->name = NULL;
}
