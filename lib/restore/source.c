#include "lib/restore/source.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/keeper/keeper.h"
#include "lib/restore/space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- which one ---------------------------------------------------------------------- */

static void forget(struct source *s)
{
	free(s->path);
	free(s->kept);
	free(s->label);
	s->path = s->kept = s->label = NULL;
}

static void see_backup(struct source *s, const json_t *o)
{
	const char *path = record_text(o, "path");
	const char *from = record_text(o, "source"), *name = record_text(o, "name");

	if (!record_true(o, "newest") || (path == NULL && (!from || !keeper_claims(from))))
		return;
	forget(s);
	if (path)
		s->path = xstrdup(path);
	else
		s->kept = xstrdup(from);
	if (!path && name)
		s->label = xstrdup(name);
	s->taken = record_time(o, "taken_at", &s->taken_ms);
	s->modified = record_time(o, "modified_at", &s->modified_ms);
}

/* What is told early, and can be read: nothing else says the same before all of it is here. */
static bool see_arrival(struct source *s, const json_t *o)
{
	const char *path = record_text(o, "path"), *becomes = record_text(o, "becomes");
	int64_t bytes;

	if (path == NULL || !record_int(o, "bytes", &bytes) || bytes <= 0 ||
	    !record_time(o, "at", &s->arrives_ms))
		return false;
	io_close(&s->arriving);
	s->arriving = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (s->arriving < 0)
		return false;
	forget(s);
	s->path = xstrdup(becomes ? becomes : path);
	s->bytes = (uint64_t)bytes;
	s->taken = record_time(o, "taken_at", &s->taken_ms);
	s->modified = record_time(o, "modified_at", &s->modified_ms);
	return true;
}

static void see_download(struct source *s, const json_t *o)
{
	const json_t *metric;
	int64_t ended_ms;
	size_t i;

	json_array_foreach(json_object_get(o, "metrics"), i, metric) {
		const char *name = record_text(metric, "name");

		if (name && strcmp(name, "fetch_seconds") == 0)
			(void)record_real(metric, "value", &s->fetch_s);
	}
	if (s->began_ms && s->fetch_s >= 0 && record_time(o, "at", &ended_ms))
		s->find_s = (double)(ended_ms - s->began_ms) / 1000 - s->fetch_s;
}

static void see_stage(struct source *s, const json_t *o)
{
	const char *tool = record_text(o, "tool"), *event = record_text(o, "event");

	if (tool && event && strcmp(tool, "fetch-latest") == 0 && strcmp(event, "begin") == 0)
		(void)record_time(o, "at", &s->began_ms);
}

bool source_see(struct source *s, const struct record *r)
{
	const char *check = record_text(r->object, "check");

	if (strcmp(r->kind, "arrival") == 0)
		return see_arrival(s, r->object);
	if (strcmp(r->kind, "stage") == 0)
		see_stage(s, r->object);
	else if (strcmp(r->kind, "backup") == 0)
		see_backup(s, r->object);
	else if (check && strcmp(check, "backup-download") == 0)
		see_download(s, r->object);
	return false;
}

/* A base backup as pg_basebackup -Fp leaves it, with directories in it. */
static bool is_data_directory(const char *path)
{
	AUTO_FREE char *version = xasprintf("%s/PG_VERSION", path);

	return access(version, F_OK) == 0;
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

/* It is open, and what it will be called is not there yet. */
static void settle_arriving(struct source *s)
{
	struct stat st;

	if (s->modified || fstat(s->arriving, &st) < 0)
		return;
	s->modified = true;
	s->modified_ms = (int64_t)st.st_mtim.tv_sec * 1000;
}

int source_settle(struct source *s, const char *given, struct err *e)
{
	const char *path = given ? given : s->path;
	char absolute[PATH_MAX];
	struct stat st;

	if (given)
		io_close(&s->arriving);
	if (s->arriving >= 0) {
		settle_arriving(s);
		return 0;
	}
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
	if (S_ISDIR(st.st_mode) && is_data_directory(absolute))
		s->bytes = space_used(absolute);
	else if (S_ISDIR(st.st_mode) && size_of_dir(absolute, &s->bytes, e) < 0)
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
	forget(s);
	io_close(&s->arriving);
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
		all = strcmp(entry->d_name, "..") == 0 || can_open(dirfd(d), entry->d_name);
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

static int copy_file(int from_dir, const char *name, int to_dir, const struct identity *who)
{
	/* A link in a directory that we were given must not lead root to another user's file. */
	FD_AUTO in = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	FD_AUTO out = -1;

	if (in < 0)
		return -1;
	out = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0 || fchown(out, who->uid, who->gid) < 0)
		return -1;
	return io_copy(in, out);
}

static int copy_dir(DIR *from, int to, const struct identity *who, bool deep);

static int copy_below(int from, const char *name, int to, const struct identity *who)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = in < 0 ? NULL : fdopendir(in);
	FD_AUTO out = -1;
	int ret = -1;

	if (d && mkdirat(to, name, 0700) == 0)
		out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out >= 0 && fchown(out, who->uid, who->gid) == 0)
		ret = copy_dir(d, out, who, true);
	if (d)
		(void)closedir(d);
	else
		io_close(&in);
	return ret;
}

/* The files of a directory archive; what else lies there (a README's directory) is not part. Of a
 * data directory (deep) all is, and root follows none of its links. */
static int copy_dir(DIR *from, int to, const struct identity *who, bool deep)
{
	const struct dirent *entry;
	struct stat st;
	int ret = 0;

	while (ret == 0 && (entry = readdir(from)) != NULL) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(dirfd(from), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			ret = copy_file(dirfd(from), name, to, who);
		else if (deep && S_ISDIR(st.st_mode))
			ret = copy_below(dirfd(from), name, to, who);
		else if (deep && S_ISLNK(st.st_mode)) {
			errno = ELOOP;
			ret = -1;
		}
	}
	return ret;
}

int source_fd(const char *path)
{
	static const char prefix[] = "/dev/fd/";

	if (strncmp(path, prefix, strlen(prefix)) != 0)
		return -1;
	return (int)strtol(path + strlen(prefix), NULL, 10);
}

/* For a directory, whose files are opened by name. */
static int copy_into(const char *path, const char *to, const struct identity *who)
{
	DIR *from = opendir(path);
	FD_AUTO dir = -1;
	int ret = -1;

	if (from && mkdir(to, 0700) == 0)
		dir = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && fchown(dir, who->uid, who->gid) == 0)
		ret = copy_dir(from, dir, who, is_data_directory(path));
	if (from)
		(void)closedir(from);
	return ret;
}

char *source_hand_over(const struct source *s, const struct identity *who, const char *dir,
		       struct err *e)
{
	AUTO_FREE char *copy = xasprintf("%s/backup", dir);
	struct stat st;
	int fd;

	if (s->arriving >= 0) /* it will get another name */
		return xasprintf("/dev/fd/%d", s->arriving);
	if (can_read_as(who, s->path))
		return xstrdup(s->path);
	if (stat(s->path, &st) == 0 && S_ISREG(st.st_mode)) {
		fd = open(s->path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0)
			return xasprintf("/dev/fd/%d", fd);
	} else if (copy_into(s->path, copy, who) == 0) {
		return xstrdup(copy);
	}
	if (errno == ELOOP)
		(void)err_set(
			e, ERR_SYSTEM,
			"hand %s to user %s: not all of it is readable for that user, and root "
			"follows none of its links; change its owner or its mode",
			s->path, who->name);
	else
		(void)err_set(e, ERR_SYSTEM, "hand %s to user %s: %s", s->path, who->name,
			      strerror(errno));
	return NULL;
}
