#include "lib/restore/source.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COPY_B = 1 << 20 };

/* ---- which one ---------------------------------------------------------------------- */

static void see_backup(struct source *s, const json_t *o)
{
	const char *path = record_text(o, "path");

	if (path == NULL || !record_true(o, "newest"))
		return;
	free(s->path);
	s->path = xstrdup(path);
	s->taken = record_time(o, "taken_at", &s->taken_ms);
	s->modified = record_time(o, "modified_at", &s->modified_ms);
}

static void see_download(struct source *s, const json_t *o)
{
	const json_t *metric;
	size_t i;

	json_array_foreach(json_object_get(o, "metrics"), i, metric) {
		const char *name = record_text(metric, "name");

		if (name && strcmp(name, "fetch_seconds") == 0)
			(void)record_real(metric, "value", &s->fetch_s);
	}
}

void source_see(struct source *s, const struct record *r)
{
	const char *check = record_text(r->object, "check");

	if (strcmp(r->kind, "backup") == 0)
		see_backup(s, r->object);
	else if (check && strcmp(check, "backup-download") == 0)
		see_download(s, r->object);
}

/* What is in a directory archive: files, no directories. */
static int size_of_dir(const char *path, uint64_t *bytes, struct err *e)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	struct stat st;

	if (d == NULL)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	*bytes = 0;
	while ((entry = readdir(d)) != NULL)
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			*bytes += (uint64_t)st.st_size;
	(void)closedir(d);
	return 0;
}

int source_settle(struct source *s, const char *given, struct err *e)
{
	const char *path = given ? given : s->path;
	char absolute[PATH_MAX];
	struct stat st;

	if (path == NULL)
		return err_set(e, ERR_USAGE,
			       "find the backup: no record on standard input names one "
			       "that is here; put fetch-latest before restore-to-temp, "
			       "or name it with --backup");
	if (realpath(path, absolute) == NULL || stat(absolute, &st) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "open %s: neither a file nor a directory", path);
	if (access(absolute, R_OK) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	s->bytes = (uint64_t)st.st_size;
	if (S_ISDIR(st.st_mode) && size_of_dir(absolute, &s->bytes, e) < 0)
		return -1;
	if (given || !s->modified) {
		s->modified = true;
		s->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000;
	}
	if (given)
		s->taken = false;
	free(s->path);
	s->path = xstrdup(absolute);
	return 0;
}

void source_free(struct source *s)
{
	free(s->path);
	*s = (struct source)SOURCE_INIT;
}

/* ---- handing it over ---------------------------------------------------------------- */

static bool can_open(int dir, const char *name)
{
	FD_AUTO fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0;
}

static bool can_read_all(const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;
	bool all = true;

	if (d == NULL)
		return errno == ENOTDIR && can_open(AT_FDCWD, path);
	while (all && (entry = readdir(d)) != NULL)
		all = can_open(dirfd(d), entry->d_name);
	(void)closedir(d);
	return all;
}

/* Permissions have too many corners (groups, ACLs, parents) to be judged: it is tried. */
static bool can_read_as(const struct identity *who, const char *path)
{
	int status = -1;
	pid_t pid;

	if (!who->drops)
		return true;
	pid = fork();
	if (pid == 0)
		_exit(identity_become(who) == 0 && can_read_all(path) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid > 0 && status == 0;
}

/* Shares the blocks where the file system can; else the kernel copies; else we do. */
static int copy_bytes(int from, int to)
{
	static char chunk[COPY_B];
	ssize_t n;

	while ((n = copy_file_range(from, NULL, to, NULL, (size_t)1 << 30, 0)) > 0)
		;
	if (n == 0)
		return 0;
	if (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP &&
	    errno != EPERM)
		return -1;
	while ((n = io_read_full(from, chunk, sizeof(chunk))) > 0)
		if (io_write_all(to, chunk, (size_t)n) < 0)
			return -1;
	return (int)n;
}

static int copy_file(int from_dir, const char *from, int to_dir, const char *to,
		     const struct identity *who)
{
	/* A link in a directory that we were given must not lead root to another user's file. */
	FD_AUTO in = openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	FD_AUTO out = -1;

	if (in < 0)
		return -1;
	out = openat(to_dir, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0 || fchown(out, who->uid, who->gid) < 0 || copy_bytes(in, out) < 0)
		return -1;
	return 0;
}

/* The files of a directory archive; what else lies there (a README's directory) is not part. */
static int copy_dir(DIR *from, int to, const struct identity *who)
{
	const struct dirent *entry;
	struct stat st;

	while ((entry = readdir(from)) != NULL)
		if (fstatat(dirfd(from), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) &&
		    copy_file(dirfd(from), entry->d_name, to, entry->d_name, who) < 0)
			return -1;
	return 0;
}

static int copy_any(const char *path, const char *to, const struct identity *who)
{
	DIR *from = opendir(path);
	int ret;

	if (from == NULL)
		return errno == ENOTDIR ? copy_file(AT_FDCWD, path, AT_FDCWD, to, who) : -1;
	ret = mkdir(to, 0700);
	if (ret == 0) {
		FD_AUTO dir = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		ret = dir < 0 || fchown(dir, who->uid, who->gid) < 0 ? -1
								     : copy_dir(from, dir, who);
	}
	(void)closedir(from);
	return ret;
}

char *source_hand_over(const struct source *s, const struct identity *who, const char *dir,
		       struct err *e)
{
	const char *name = strrchr(s->path, '/') + 1;
	AUTO_FREE char *above = NULL;
	char *to;

	if (can_read_as(who, s->path))
		return xstrdup(s->path);
	above = xasprintf("%s/backup", dir);
	to = xasprintf("%s/%s", above, name);
	if (mkdir(above, 0700) == 0 && chown(above, who->uid, who->gid) == 0 &&
	    copy_any(s->path, to, who) == 0)
		return to;
	(void)err_set(e, ERR_SYSTEM, "copy %s for user %s: %s", s->path, who->name,
		      strerror(errno));
	free(to);
	return NULL;
}
