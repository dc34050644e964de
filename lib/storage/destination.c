#include "lib/storage/destination.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int cannot_make(const char *dir, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "make directory %s: %s", dir, strerror(errno));
}

static int make_dir(const char *dir, const struct identity *owner, struct err *e)
{
	if (mkdir(dir, 0700) < 0)
		return errno == EEXIST ? 0 : cannot_make(dir, e);
	/* The user that restores has to get through it. */
	return owner->drops && chmod(dir, 0711) < 0 ? cannot_make(dir, e) : 0;
}

static bool same_file(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

char *destination_path(const char *dir, const char *name, const char *here,
		       const struct identity *owner, struct err *e)
{
	AUTO_FREE char *real = NULL;
	char *path;

	if (make_dir(dir, owner, e) < 0)
		return NULL;
	real = realpath(dir, NULL);
	if (real == NULL) {
		(void)err_set(e, ERR_SYSTEM, "open directory %s: %s", dir, strerror(errno));
		return NULL;
	}
	path = xasprintf("%s/%s", real, name);
	if (!same_file(here, path))
		return path;
	(void)err_set(e, ERR_USAGE,
		      "store %s: the copy would replace the backup itself; name another directory "
		      "with --dir",
		      path);
	free(path);
	return NULL;
}

static bool free_bytes(const char *dir, uint64_t *out)
{
	struct statvfs v;

	if (statvfs(dir, &v) < 0)
		return false;
	*out = (uint64_t)(geteuid() == 0 ? v.f_bfree : v.f_bavail) * v.f_frsize;
	return true;
}

int destination_room(const char *dir, const char *name, int64_t bytes, uint64_t there,
		     struct err *e)
{
	char need[HUMAN_SIZE], has[HUMAN_SIZE];
	uint64_t left;

	if (bytes < 0 || !free_bytes(dir, &left) || left + there >= (uint64_t)bytes)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "store %s in %s: not enough space: %s are needed, %s are free; free some, "
		       "or name another directory with --dir",
		       name, dir, human_bytes((uint64_t)bytes - there, need),
		       human_bytes(left, has));
}
