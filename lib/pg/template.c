#include "lib/pg/template.h"

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/strv.h"
#include "lib/base/tree.h"
#include "lib/base/xmem.h"
#include "lib/pg/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 8, BLOCK = 64 * 1024 };

/* ---- copying ------------------------------------------------------------------------ */

/* Blocks of zeros (nearly all of the first WAL segment) become holes. */
static int copy_bytes(int in, int out)
{
	static const char zeros[BLOCK];
	char block[BLOCK];
	off_t size = 0;
	ssize_t n;

	while ((n = io_read_full(in, block, sizeof(block))) > 0) {
		size += n;
		if (memcmp(block, zeros, (size_t)n) == 0) {
			if (lseek(out, n, SEEK_CUR) < 0)
				return -1;
		} else if (io_write_all(out, block, (size_t)n) < 0) {
			return -1;
		}
	}
	return n < 0 ? -1 : ftruncate(out, size);
}

static int copy_file(int from, int to, const char *name, mode_t mode)
{
	FD_AUTO in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	FD_AUTO out = -1;

	if (in < 0)
		return -1;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return out < 0 || fchmod(out, mode) < 0 ? -1 : copy_bytes(in, out);
}

static int copy_tree(int from, int to, mode_t mode, unsigned depth);

static int copy_entry(int from, int to, const char *name, mode_t mode, unsigned depth)
{
	struct stat st;
	FD_AUTO sub = -1;
	FD_AUTO made = -1;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, mode & 0666);
	if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX) {
		errno = EINVAL; /* initdb makes neither */
		return -1;
	}
	sub = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0 || mkdirat(to, name, mode) < 0)
		return -1;
	made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return made < 0 || fchmod(made, mode) < 0 ? -1 : copy_tree(sub, made, mode, depth + 1);
}

/* mode: of directories; files have the same without the right to execute. */
static int copy_tree(int from, int to, mode_t mode, unsigned depth)
{
	DIR *d = fdopendir(dup(from));
	const struct dirent *entry;
	int ret = d ? 0 : -1;

	while (ret == 0 && (entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = copy_entry(from, to, entry->d_name, mode, depth);
	if (d)
		(void)closedir(d);
	return ret;
}

static int copy_dir(const char *from, const char *to, mode_t mode)
{
	FD_AUTO in = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	FD_AUTO out = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return in < 0 || out < 0 || fchmod(out, mode) < 0 ? -1 : copy_tree(in, out, mode, 0);
}

/* ---- where they are ----------------------------------------------------------------- */

static bool nobody_elses(const char *dir)
{
	struct stat st;

	return lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	       (st.st_mode & 022) == 0;
}

char *template_place(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	AUTO_FREE char *above = NULL;
	char *place;

	if (geteuid() == 0)
		above = xstrdup("/var/cache");
	else if (cache && cache[0] == '/')
		above = xstrdup(cache);
	else if (home && home[0] == '/')
		above = xasprintf("%s/.cache", home);
	else
		return NULL;
	(void)mkdir(above, 0700); /* as the XDG base directory specification asks for */
	place = xasprintf("%s/backup-probes", above);
	/* Others may look at root's, whatever its umask says. */
	if (mkdir(place, 0700) == 0 && geteuid() == 0)
		(void)chmod(place, 0755);
	if (nobody_elses(place))
		return place;
	free(place);
	return NULL;
}

/* NULL: this PostgreSQL cannot be looked at. */
static char *name_of(const char *place, const struct pg_bindir *bin)
{
	AUTO_FREE char *program = xasprintf("%s/postgres", bin->path);
	struct stat st;

	if (stat(program, &st) < 0)
		return NULL;
	return xasprintf("%s/pg-%s-%s-%jx-%jx", place, bin->version, cluster_locale(),
			 (uintmax_t)st.st_mtim.tv_sec, (uintmax_t)st.st_size);
}

int template_copy(const char *place, const struct pg_bindir *bin, const char *data, struct err *e)
{
	AUTO_FREE char *from = name_of(place, bin);
	struct err ignored;

	if (from == NULL || access(from, F_OK) < 0)
		return 0;
	if (mkdir(data, 0700) == 0 && copy_dir(from, data, 0700) == 0)
		return 1;
	(void)err_set(e, ERR_SYSTEM, "copy %s: %s", from, strerror(errno));
	return tree_remove(data, &ignored) < 0 ? -1 : 0;
}

/* ---- making them -------------------------------------------------------------------- */

/* Every PostgreSQL that may be asked for. */
static void installed(const char *only, const struct identity *who, const char *place,
		      struct pg_bindir *bins, size_t max, size_t *n, struct strv *names)
{
	struct err none;

	for (*n = 0; *n < max; (*n)++) {
		int need = *n ? bins[*n - 1].major + 1 : 1;
		AUTO_FREE char *name = NULL;

		if ((only && *n) || pg_bindir_find(only, need, who, &bins[*n], &none) < 0)
			return;
		name = name_of(place, &bins[*n]);
		strv_add(names, name ? name : "");
	}
}

static int init_in(const char *dir, const struct pg_bindir *bin, const struct identity *who,
		   char data[PATH_MAX], struct err *e)
{
	struct cluster c = { .opts = { .bin = bin, .as = who, .dir = dir } };

	if (mkdir(dir, 0700) < 0 || (who->drops && chown(dir, who->uid, who->gid) < 0))
		return err_set(e, ERR_SYSTEM, "create %s: %s", dir, strerror(errno));
	if (cluster_init(&c, e) < 0)
		return -1;
	memcpy(data, c.data, sizeof(c.data));
	return 0;
}

static int make(const char *name, const char *place, const struct pg_bindir *bin,
		const struct identity *who, const char *scratch, struct err *e)
{
	AUTO_FREE char *dir = xasprintf("%s/template", scratch);
	AUTO_FREE char *part = xasprintf("%s/new.XXXXXX", place);
	char data[PATH_MAX];
	struct err ignored;
	int ret;

	ret = init_in(dir, bin, who, data, e);
	if (ret == 0 &&
	    (mkdtemp(part) == NULL || copy_dir(data, part, geteuid() == 0 ? 0755 : 0700) < 0 ||
	     rename(part, name) < 0))
		ret = err_set(e, ERR_SYSTEM, "keep a new data directory as %s: %s", name,
			      strerror(errno));
	(void)tree_remove(dir, &ignored);
	return ret;
}

/* What no installed PostgreSQL needs, and what a killed run left; under the lock. */
static void tidy(const char *place, const struct strv *names)
{
	DIR *d = opendir(place);
	const struct dirent *entry;
	struct err ignored;

	while (d && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *path = xasprintf("%s/%s", place, entry->d_name);

		if ((strncmp(entry->d_name, "pg-", 3) == 0 && !strv_has(names, path)) ||
		    strncmp(entry->d_name, "new.", 4) == 0)
			(void)tree_remove(path, &ignored);
	}
	if (d)
		(void)closedir(d);
}

int template_prepare(const char *place, const char *only, const struct identity *who,
		     const char *scratch, struct err *e)
{
	enum { VERSIONS = 16 };
	AUTO_FREE struct pg_bindir *bins = xcalloc(VERSIONS, sizeof(*bins));
	AUTO_FREE char *path = xasprintf("%s/lock", place);
	FD_AUTO lock = -1;
	STRV_AUTO names = { 0 };
	bool missing = false;
	int ret = 0;
	size_t n;

	installed(only, who, place, bins, VERSIONS, &n, &names);
	for (size_t i = 0; i < n; i++)
		missing = missing || access(names.v[i], F_OK) < 0;
	if (!missing)
		return 0;
	lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) /* another run makes them; initdb will do */
		return 0;
	if (only == NULL)
		tidy(place, &names);
	for (size_t i = 0; i < n && ret == 0; i++)
		if (*names.v[i] && access(names.v[i], F_OK) < 0)
			ret = make(names.v[i], place, &bins[i], who, scratch, e);
	return ret;
}
