#include "lib/storage/partial.h"

#include "lib/base/io.h"
#include "lib/base/num.h"
#include "lib/base/runid.h"
#include "lib/base/tree.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARK "backup-probes partial 1"
#define SUFFIX ".partial"

enum { JOURNAL_MAX = 64 * 1024 * 1024, LINE_MAX_BYTES = 64, HEAD_MAX = 512 };

static int cannot(const struct partial *p, const char *verb, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "%s %s: %s", verb, p->path, strerror(errno));
}

static void first_line(const char *identity, struct buf *out)
{
	BUF_AUTO boot = BUF_INIT(128);
	struct err ignored;

	/* Where the system tells no boot, one cannot be told from another: none is ever the same.
	 */
	if (io_slurp("/proc/sys/kernel/random/boot_id", &boot, &ignored) < 0)
		identity = "";
	buf_addf(out, MARK " %.*s %s\n", (int)strcspn(boot.s, "\n"), boot.s, identity);
}

/* The journal of the directory, locked; -1 with errno, EWOULDBLOCK when its owner lives. A
 * directory that is not ours alone could have been filled by anybody: EPERM. */
static int lock_journal(const char *path, int flags)
{
	FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	FD_AUTO fd = -1;
	struct stat st;
	int locked;

	if (dir < 0 || fstat(dir, &st) < 0)
		return -1;
	errno = EPERM;
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return -1;
	fd = openat(dir, "journal", O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0)
		return -1;
	/* Its owner may have removed it between the two. */
	errno = EWOULDBLOCK;
	if (st.st_nlink == 0)
		return -1;
	locked = fd;
	fd = -1;
	return locked;
}

/* Only whole lines count: the last one may have been cut off. */
static void read_ranges(const char *text, void (*has)(void *ctx, uint64_t file, uint64_t range),
			void *ctx)
{
	const char *end;

	for (; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		char line[LINE_MAX_BYTES], *blank;
		struct err ignored;
		uint64_t file, range;

		if (end - text >= LINE_MAX_BYTES)
			continue;
		memcpy(line, text, (size_t)(end - text));
		line[end - text] = '\0';
		blank = strchr(line, ' ');
		if (blank == NULL)
			continue;
		*blank = '\0';
		if (num_u64(line, 0, INT64_MAX, &file, &ignored) == 0 &&
		    num_u64(blank + 1, 0, INT64_MAX, &range, &ignored) == 0)
			has(ctx, file, range);
	}
}

static bool take_over(struct partial *p, const char *identity,
		      void (*has)(void *ctx, uint64_t file, uint64_t range), void *ctx)
{
	AUTO_FREE char *path = xasprintf("%s/journal", p->path);
	BUF_AUTO text = BUF_INIT(JOURNAL_MAX);
	BUF_AUTO head = BUF_INIT(HEAD_MAX);
	struct err ignored;

	first_line(identity, &head);
	if (identity[0] == '\0' || io_slurp(path, &text, &ignored) < 0 ||
	    strncmp(text.s, head.s, head.len) != 0)
		return false;
	read_ranges(text.s + head.len, has, ctx);
	return true;
}

/* A journal without ranges; -1 with errno. */
static int write_head(const struct partial *p, const char *identity)
{
	BUF_AUTO head = BUF_INIT(HEAD_MAX);

	first_line(identity, &head);
	return ftruncate(p->journal, 0) < 0 ? -1 : io_write_all(p->journal, head.s, head.len);
}

/* Empties what is not to be taken over. */
static int begin_anew(struct partial *p, const char *identity, struct err *e)
{
	FD_AUTO dir = open(p->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return cannot(p, "open", e);
	if (tree_empty(dir, "journal", p->path, e) < 0)
		return -1;
	return write_head(p, identity) < 0 ? cannot(p, "write", e) : 0;
}

static int try_open(struct partial *p, struct err *e)
{
	if (mkdir(p->path, 0700) < 0 && errno != EEXIST)
		return cannot(p, "make directory", e);
	p->journal = lock_journal(p->path, O_CREAT);
	return p->journal < 0 ? cannot(p, "lock", e) : 0;
}

static int name_path(struct partial *p, const char *dir, const char *name, const char *tag,
		     struct err *e)
{
	int n = snprintf(p->path, sizeof(p->path), "%s/.%s%s" SUFFIX, dir, name, tag);

	if (n > 0 && (size_t)n < sizeof(p->path))
		return 0;
	p->path[0] = '\0';
	return err_set(e, ERR_SYSTEM, "store %s in %s: the path is too long", name, dir);
}

int partial_open(struct partial *p, const char *dir, const char *name, const char *identity,
		 void (*has)(void *ctx, uint64_t file, uint64_t range), void *ctx, struct err *e)
{
	char tag[RUN_ID_SIZE + 1] = ".";

	*p = (struct partial)PARTIAL_NONE;
	if (name_path(p, dir, name, "", e) < 0)
		return -1;
	if (try_open(p, e) < 0) {
		/* Somebody's, and busy or not to be trusted: one of our own. */
		(void)runid_make(utc_now_ms(), tag + 1);
		if (name_path(p, dir, name, tag, e) < 0 || try_open(p, e) < 0) {
			p->path[0] = '\0';
			return -1;
		}
	}
	if (take_over(p, identity, has, ctx))
		return 0;
	if (begin_anew(p, identity, e) == 0)
		return 0;
	partial_leave(p);
	return -1;
}

int partial_note(const struct partial *p, uint64_t file, uint64_t range)
{
	char line[LINE_MAX_BYTES];
	int n = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n", file, range);

	return io_write_all(p->journal, line, (size_t)n);
}

int partial_finish(const struct partial *p)
{
	return write_head(p, "");
}

char *partial_content(const struct partial *p)
{
	return xasprintf("%s/content", p->path);
}

int partial_remove(struct partial *p, struct err *e)
{
	int rc = p->path[0] ? tree_remove(p->path, e) : 0;

	partial_leave(p);
	return rc;
}

void partial_leave(struct partial *p)
{
	io_close(&p->journal);
	p->path[0] = '\0';
}

static bool is_ours(int journal)
{
	char head[sizeof(MARK)] = "";

	return pread(journal, head, sizeof(MARK) - 1, 0) == sizeof(MARK) - 1 &&
	       strcmp(head, MARK) == 0;
}

static void reap_one(const char *dir, const char *entry)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, entry);
	FD_AUTO journal = lock_journal(path, 0);
	struct err ignored;

	if (journal >= 0 && is_ours(journal))
		(void)tree_remove(path, &ignored);
}

void partial_reap(const char *dir, const char *name)
{
	AUTO_FREE char *keep = xasprintf(".%s" SUFFIX, name);
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (d == NULL)
		return;
	while ((entry = readdir(d)) != NULL) {
		size_t n = strlen(entry->d_name), m = strlen(SUFFIX);

		if (entry->d_name[0] == '.' && n > m &&
		    strcmp(entry->d_name + n - m, SUFFIX) == 0 && strcmp(entry->d_name, keep) != 0)
			reap_one(dir, entry->d_name);
	}
	(void)closedir(d);
}
