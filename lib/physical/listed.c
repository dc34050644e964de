#include "lib/physical/listed.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/physical/look.h"
#include "lib/physical/tarfile.h"
#include "lib/storage/select.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "backup_manifest"
static const uint64_t max_b = UINT64_C(1) << 32; /* in a tar: it is held in memory */

static int parse_file(int fd, struct manifest *m, struct err *e)
{
	struct stat info;
	void *text;
	int status;

	if (fstat(fd, &info) < 0)
		return err_set(e, ERR_SYSTEM, "open " NAME ": %s", strerror(errno));
	if (info.st_size == 0)
		return err_set(e, ERR_BACKUP, "read " NAME ": it is empty");
	text = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return err_set(e, ERR_SYSTEM, "read " NAME ": %s", strerror(errno));
	status = manifest_parse(text, (size_t)info.st_size, NAME, m, e);
	(void)munmap(text, (size_t)info.st_size);
	return status;
}

/* The tar of the directory that has the cluster's own files; NULL: none. The caller's to free. */
static char *find_base(int dir)
{
	const int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;
	char *found = NULL;

	while (d && found == NULL && (entry = readdir(d)) != NULL)
		if (strncmp(entry->d_name, "base.tar", 8) == 0)
			found = xstrdup(entry->d_name);
	if (d)
		(void)closedir(d);
	else if (own >= 0)
		(void)close(own);
	return found;
}

static int parse_member(struct stream *s, const struct tar_member *at, struct manifest *m,
			struct err *e)
{
	AUTO_FREE char *text = NULL;
	ssize_t n;

	if (at->size_b > max_b)
		return err_set(e, ERR_BACKUP, "read " NAME ": no manifest is as large");
	text = xmalloc((size_t)at->size_b + 1);
	n = stream_read(s, text, (size_t)at->size_b, e);
	return n < 0 ? -1 : manifest_parse(text, (size_t)n, NAME, m, e);
}

static int look_inside(int dir, const char *where, const char *tar, struct manifest *m,
		       struct err *e)
{
	struct err why = { 0 };
	TARFILE_AUTO *t = tarfile_open(dir, where, tar, true, &why);
	struct stream *s = t ? tarfile_stream(t) : NULL;
	struct tar_member at;
	int more = -1;

	while (s && (more = tar_next(s, &at, &why)) > 0) {
		if (at.type == '0' && strcmp(tarfile_name(&at), NAME) == 0)
			return parse_member(s, &at, m, e) < 0 ? -1 : 1;
		if (stream_skip(s, at.size_b, &why) < 0 || tar_pad(s, &at, &why) < 0) {
			more = -1;
			break;
		}
	}
	/* Who looks at all of the tar says what is wrong with it. */
	return more == 0 ? 0
			 : err_set(e, ERR_SYSTEM, "look for " NAME ": %s cannot be read to its end",
				   tar);
}

int listed_read(int dir, const char *where, const char *lone, struct manifest *m, struct err *e)
{
	FD_AUTO fd = openat(dir, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	AUTO_FREE char *tar = NULL;

	if (fd >= 0)
		return parse_file(fd, m, e) < 0 ? -1 : 1;
	if (errno != ENOENT)
		return err_set(e, ERR_SYSTEM, "open " NAME ": %s%s", strerror(errno),
			       look_way_out(errno));
	tar = lone ? xstrdup(lone) : find_base(dir);
	return tar ? look_inside(dir, where, tar, m, e) : 0;
}

char *listed_name(const struct backup *b)
{
	return b->whole ? xstrdup(NAME) : xasprintf("%s/" NAME, b->name);
}
