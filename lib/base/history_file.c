#include "lib/base/atomic.h"
#include "lib/base/backward.h"
#include "lib/base/buf.h"
#include "lib/base/history_driver.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MODE = 0640, DIR_MODE = 0750, NAME_LABEL_MAX = 200, PATH_LIMIT = 4096 };
/* A writer holds the lock for the moment of one write; one that was stopped holds it for good. */
enum { LOCK_TRIES = 20000, LOCK_PAUSE_MS = 3 };

/* Start is common to all drivers. */
struct file_history {
	struct history h;
	char *path;
};

static const char *path_of(const struct history *h)
{
	return ((const struct file_history *)h)->path;
}

/* The file for the label; false when the path is too long. */
static bool file_of(const char *path, const char *label, struct buf *out)
{
	const size_t len = strlen(path);
	const bool slash = len > 0 && path[len - 1] == '/';
	struct stat st;

	buf_adds(out, path);
	if (!slash && !(stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return !out->full;
	if (!slash)
		buf_addc(out, '/');
	for (size_t i = 0; i < NAME_LABEL_MAX && label[i]; i++) {
		const char c = label[i];
		const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				   (c >= '0' && c <= '9') || c == '-' || c == '_' ||
				   (c == '.' && i > 0);

		buf_addc(out, (char)(plain ? c : '_'));
	}
	buf_adds(out, label[0] ? ".jsonl" : "unlabelled.jsonl");
	return !out->full;
}

static int resolve(const char *path, const char *label, struct buf *out, struct err *e)
{
	if (*path == '\0')
		return err_set(e, ERR_USAGE, "history: the path is empty");
	if (!file_of(path, label, out))
		return err_set(e, ERR_USAGE, "history %.80s...: the path is too long", path);
	return 0;
}

/* The directory that holds file. The caller's to free. */
static char *dir_of(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (slash == NULL)
		return xstrdup(".");
	return xstrndup(file, slash == file ? 1 : (size_t)(slash - file));
}

static int sync_dir_of(const char *file)
{
	AUTO_FREE char *dir = dir_of(file);

	return atomic_sync_dir(dir);
}

static int lock(int fd, int how)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, how | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	errno = ETIMEDOUT;
	return -1;
}

static int open_made(const char *file)
{
	const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(file, flags | O_CREAT | O_EXCL, FILE_MODE);

	if (fd < 0)
		return errno == EEXIST ? open(file, flags) : -1;
	/* The tools' umask is for dumps; a history is for monitoring too. */
	if (fchmod(fd, FILE_MODE) < 0) {
		io_close(&fd);
		return -1;
	}
	return fd;
}

/* Is fd still what the path names, or was it renamed away (rotated) while we waited for it? */
static bool still_there(int fd, const char *file, struct stat *st)
{
	struct stat now;

	return fstat(fd, st) == 0 && stat(file, &now) == 0 && st->st_dev == now.st_dev &&
	       st->st_ino == now.st_ino;
}

/* Locks the open file: 1, 0 when the path names another one by now, -1. */
static int lock_opened(int fd, const char *file, struct stat *st, struct err *e)
{
	if (lock(fd, LOCK_EX) < 0)
		return err_set(e, ERR_SYSTEM, "lock history %s: %s", file, strerror(errno));
	if (!still_there(fd, file, st))
		return 0;
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_SYSTEM, "history %s is no regular file", file);
	return 1;
}

/* Opens it for appending, locked; makes what is missing. */
static int open_locked(const char *file, struct stat *st, struct err *e)
{
	AUTO_FREE char *dir = dir_of(file);

	if (mkdir(dir, DIR_MODE) == 0) {
		(void)chmod(dir, DIR_MODE);
		if (sync_dir_of(dir) < 0)
			return err_set(e, ERR_SYSTEM, "make %s: %s", dir, strerror(errno));
	}
	for (;;) {
		int fd = open_made(file);
		int locked;

		if (fd < 0)
			return err_set(e, ERR_SYSTEM, "open history %s: %s", file, strerror(errno));
		locked = lock_opened(fd, file, st, e);
		if (locked > 0)
			return fd;
		io_close(&fd);
		if (locked < 0)
			return -1;
	}
}

/* Does the file end inside a line, the work of a writer that died? */
static int torn(int fd, off_t size)
{
	char last = '\n';

	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		return -1;
	return last != '\n';
}

static int write_line(int fd, off_t size, bool cut, const char *line)
{
	BUF_AUTO b = BUF_INIT(HISTORY_LINE_MAX + 2);
	int saved;

	buf_addf(&b, "%s%s\n", cut ? "\n" : "", line);
	if (io_write_all(fd, b.s, b.len) == 0 && fsync(fd) == 0)
		return 0;
	saved = errno;
	/* Where even that fails, the next append sets the cut line aside. */
	if (ftruncate(fd, size) == 0)
		(void)fsync(fd);
	errno = saved;
	return -1;
}

/* The file is open and locked. */
static int append_locked(int fd, off_t size, struct history_entry *entry, const char *file,
			 struct err *e)
{
	const int cut = torn(fd, size);
	int64_t seq = 0;
	JSON_AUTO *chain = cut < 0 ? NULL : chain_next(fd, size, cut > 0, HISTORY_LINE_MAX, &seq);

	if (chain == NULL)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file, strerror(errno));
	if (history_compose(entry, chain, seq, file, e) < 0)
		return -1;
	if (write_line(fd, size, cut > 0, entry->line) < 0 || sync_dir_of(file) < 0)
		return err_set(e, ERR_SYSTEM, "write history %s: %s", file, strerror(errno));
	return 0;
}

static int file_append(struct history *h, const char *label, struct history_entry *entry,
		       struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);
	struct stat st = { 0 };

	if (resolve(path_of(h), label, &file, e) < 0)
		return -1;
	FD_AUTO fd = open_locked(file.s, &st, e);

	return fd < 0 ? -1 : append_locked(fd, st.st_size, entry, file.s, e);
}

/* The open file's lines: 0, or -1 with errno. */
static int walk_lines(int fd, struct history_walk *walk)
{
	struct backward b = { .fd = fd, .most = HISTORY_LINE_MAX };
	const char *line;
	struct stat st;
	size_t len;
	int got;

	/* A line that is being appended right now is no torn one. */
	if (lock(fd, LOCK_SH) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	b.at = st.st_size;
	do
		got = backward_line(&b, &line, &len);
	while (got > 0 && ((line && len == 0) || history_offer(walk, line, len)));
	backward_free(&b);
	return got < 0 ? -1 : 0;
}

static int file_walk(struct history *h, struct history_walk *walk, struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);

	if (resolve(path_of(h), walk->label ? walk->label : "", &file, e) < 0)
		return -1;
	FD_AUTO fd = open(file.s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open history %s: %s", file.s, strerror(errno));
	if (walk_lines(fd, walk) < 0)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file.s, strerror(errno));
	return 0;
}

/* 0, or -1 with errno. */
static int give_lines(int fd, history_take_raw *take, void *to)
{
	const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *f = copy < 0 ? NULL : fdopen(copy, "r");
	struct history_raw raw = { .row = false };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	bool failed;

	if (f == NULL)
		return -1;
	while ((n = getline(&line, &cap, f)) > 0) {
		raw.bytes = line;
		raw.len = (size_t)n;
		if (!take(&raw, to))
			break;
	}
	failed = ferror(f);
	free(line);
	(void)fclose(f);
	return failed ? -1 : 0;
}

static int file_raw(struct history *h, const char *label, history_take_raw *take, void *to,
		    struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);

	if (resolve(path_of(h), label, &file, e) < 0)
		return -1;
	FD_AUTO fd = open(file.s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	/* No file is no history: whoever removed it removed all runs. */
	if (fd < 0 || lock(fd, LOCK_SH) < 0 || give_lines(fd, take, to) < 0)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file.s, strerror(errno));
	return 0;
}

/* The histories, and not what lies beside them. */
static bool is_history(const char *name)
{
	static const char ending[] = ".jsonl", other[] = ".readings.jsonl";
	const size_t n = strlen(name);

	if (n < sizeof(ending) || strcmp(name + n - sizeof(ending) + 1, ending) != 0)
		return false;
	return n < sizeof(other) || strcmp(name + n - sizeof(other) + 1, other) != 0;
}

static int visit_files(DIR *d, const char *dir, history_visit *visit, void *to, struct err *e)
{
	const struct dirent *entry;

	for (errno = 0; (entry = readdir(d)); errno = 0) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, entry->d_name);

		if (!is_history(entry->d_name))
			continue;
		HISTORY_AUTO *part = history_file_open(path);

		if (visit(part, to, e) < 0)
			return -1;
	}
	return errno ? err_set(e, ERR_SYSTEM, "read histories in %s: %s", dir, strerror(errno)) : 0;
}

static int file_parts(struct history *h, history_visit *visit, void *to, struct err *e)
{
	const char *dir = path_of(h);
	DIR *d = opendir(dir);
	int r;

	if (d == NULL)
		return err_set(e, ERR_SYSTEM, "read histories in %s: %s", dir, strerror(errno));
	r = visit_files(d, dir, visit, to, e);
	(void)closedir(d);
	return r;
}

static void file_close(struct history *h)
{
	struct file_history *f = (struct file_history *)h;

	free(f->path);
	free(f);
}

struct history *history_file_open(const char *path)
{
	static const struct history_driver driver = {
		.append = file_append,
		.walk = file_walk,
		.raw = file_raw,
		.parts = file_parts,
		.close = file_close,
	};
	struct file_history *f = xcalloc(1, sizeof(*f));

	f->path = xstrdup(path);
	f->h = (struct history){ .driver = &driver, .name = f->path };
	return &f->h;
}
