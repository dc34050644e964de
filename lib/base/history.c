#include "lib/base/history.h"

#include "lib/base/atomic.h"
#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0640, DIR_MODE = 0750, NAME_LABEL_MAX = 200, PATH_LIMIT = 4096 };
enum { CHUNK = 64 * 1024, HEAD_MAX = 64 * 1024 };

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

static int lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	return r;
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

	if (mkdir(dir, DIR_MODE) == 0)
		(void)chmod(dir, DIR_MODE);
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

static int sync_dir_of(const char *file)
{
	AUTO_FREE char *dir = dir_of(file);

	return atomic_sync_dir(dir);
}

static int write_line(int fd, const struct stat *st, const char *line)
{
	const int cut = torn(fd, st->st_size);
	BUF_AUTO b = BUF_INIT(HISTORY_LINE_MAX + 2);
	int saved;

	if (cut < 0)
		return -1;
	buf_addf(&b, "%s%s\n", cut ? "\n" : "", line);
	if (io_write_all(fd, b.s, b.len) == 0 && fsync(fd) == 0)
		return 0;
	saved = errno;
	/* Where even that fails, the next append sets the cut line aside. */
	if (ftruncate(fd, st->st_size) == 0)
		(void)fsync(fd);
	errno = saved;
	return -1;
}

int history_append(const char *path, const char *label, const json_t *run, struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);
	AUTO_FREE char *line = record_print(run, HISTORY_LINE_MAX);
	struct stat st = { 0 };
	int fd, bad;

	if (line == NULL)
		return err_set(e, ERR_SYSTEM, "history %s: the run is longer than %d bytes", path,
			       HISTORY_LINE_MAX);
	if (resolve(path, label, &file, e) < 0)
		return -1;
	fd = open_locked(file.s, &st, e);
	if (fd < 0)
		return -1;
	bad = write_line(fd, &st, line) < 0 || (st.st_size == 0 && sync_dir_of(file.s) < 0);
	if (bad) {
		err_set(e, ERR_SYSTEM, "write history %s: %s", file.s, strerror(errno));
		io_close(&fd);
		return -1;
	}
	if (close(fd) < 0)
		return err_set(e, ERR_SYSTEM, "close history %s: %s", file.s, strerror(errno));
	return 0;
}

/* A file read line by line from its end. The bytes [from, to) of buf are those of the file from
 * `at` on; a line is complete when its first byte is known to follow a newline. */
struct backwards {
	int fd;
	off_t at; /* where in the file buf[from] stands */
	char *buf;
	size_t cap, from, to;
	bool skipping; /* inside a line that is too long */
};

/* Moves what is held to the end of the buffer, so that n bytes fit in front of it. */
static void make_room(struct backwards *b, size_t n)
{
	const size_t held = b->to - b->from;

	if (b->cap - held < n) {
		const size_t cap = 2 * b->cap + CHUNK;

		b->buf = xrealloc(b->buf, cap, 1);
		b->cap = cap;
	}
	memmove(b->buf + b->cap - held, b->buf + b->from, held);
	b->to = b->cap;
	b->from = b->cap - held;
}

/* Puts the chunk before `at` in front of what is there. */
static int extend(struct backwards *b)
{
	const size_t n = b->at < CHUNK ? (size_t)b->at : CHUNK;
	ssize_t got;

	if (b->from < n)
		make_room(b, n);
	do
		got = pread(b->fd, b->buf + b->from - n, n, b->at - (off_t)n);
	while (got < 0 && errno == EINTR);
	/* Fewer bytes than the file had a moment ago: somebody cuts it off under us. */
	if (got != (ssize_t)n) {
		errno = got < 0 ? errno : EAGAIN;
		return -1;
	}
	b->from -= n;
	b->at -= (off_t)n;
	return 0;
}

/* The line before: 1 with *line (borrowed, until the next call) and its length, 0 at the start of
 * the file, -1 with errno. A line over the limit comes as NULL. */
static int line_before(struct backwards *b, const char **line, size_t *len)
{
	for (;;) {
		const size_t held = b->to - b->from;
		const char *nl = held ? memrchr(b->buf + b->from, '\n', held) : NULL;

		if (nl || (b->at == 0 && (held || b->skipping))) {
			const size_t start = nl ? (size_t)(nl - b->buf) + 1 : b->from;

			*line = b->skipping ? NULL : b->buf + start;
			*len = b->to - start;
			b->skipping = false;
			b->to = nl ? start - 1 : b->from;
			return 1;
		}
		if (b->at == 0)
			return 0;
		if (held > HISTORY_LINE_MAX)
			b->skipping = true;
		if (b->skipping)
			b->from = b->to;
		if (extend(b) < 0)
			return -1;
	}
}

static bool belongs(const json_t *run, const char *label)
{
	const char *kind = record_text(run, "record");
	const char *its = record_text(run, "label");

	return kind && strcmp(kind, "run") == 0 &&
	       (label == NULL || strcmp(its ? its : "", label) == 0);
}

/* Up to the first list, closed by a brace. Inside a string its quotes would have backslashes, and
 * inside an inner object one brace is not enough: then, as where there is no list, the whole line
 * is read. */
static json_t *parse_head(const char *line, size_t len, struct err *why)
{
	static const char stages[] = ",\"stages\":[", checks[] = ",\"checks\":[";
	const char *list = memmem(line, len, stages, sizeof(stages) - 1);
	json_t *run = NULL;

	if (list == NULL)
		list = memmem(line, len, checks, sizeof(checks) - 1);
	if (list && (size_t)(list - line) < HEAD_MAX) {
		BUF_AUTO head = BUF_INIT(HEAD_MAX + 1);

		buf_add(&head, line, (size_t)(list - line));
		buf_addc(&head, '}');
		run = record_parse(head.s, head.len, why);
	}
	return run ? run : record_parse(line, len, why);
}

/* Who takes the runs of a label. */
struct taker {
	const char *label; /* NULL: of all */
	bool heads;        /* without their lists */
	bool (*take)(json_t *run, void *to);
	void *to;
};

static int gather(struct backwards *b, const struct taker *taker, unsigned *skipped)
{
	for (;;) {
		struct err why;
		const char *line;
		size_t len;
		const int got = line_before(b, &line, &len);
		JSON_AUTO *run = NULL;

		if (got <= 0)
			return got;
		if (line && len == 0)
			continue;
		if (line)
			run = taker->heads ? parse_head(line, len, &why)
					   : record_parse(line, len, &why);
		if (run == NULL)
			++*skipped;
		else if (belongs(run, taker->label) && !taker->take(run, taker->to))
			return 0;
	}
}

/* The open file's runs: 0, or -1 with errno. */
static int walk(int fd, const struct taker *taker, unsigned *skipped)
{
	struct backwards b = { .fd = fd };
	struct stat st;
	int r;

	/* A line that is being appended right now is no torn one. */
	if (lock(fd, LOCK_SH) < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	b.at = st.st_size;
	r = gather(&b, taker, skipped);
	free(b.buf);
	return r;
}

static int walk_file(const char *file, const struct taker *taker, unsigned *skipped, struct err *e)
{
	unsigned ignored;
	FD_AUTO fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (skipped == NULL)
		skipped = &ignored;
	*skipped = 0;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(e, ERR_SYSTEM, "open history %s: %s", file, strerror(errno));
	if (walk(fd, taker, skipped) < 0)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file, strerror(errno));
	return 0;
}

int history_walk(const char *path, const char *label, bool (*take)(json_t *run, void *to), void *to,
		 unsigned *skipped, struct err *e)
{
	const struct taker taker = { .label = label, .take = take, .to = to };
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);

	if (resolve(path, label, &file, e) < 0)
		return -1;
	return walk_file(file.s, &taker, skipped, e);
}

int history_walk_heads(const char *file, bool (*take)(json_t *run, void *to), void *to,
		       unsigned *skipped, struct err *e)
{
	const struct taker taker = { .heads = true, .take = take, .to = to };

	return walk_file(file, &taker, skipped, e);
}

/* The newest runs, newest first. */
struct newest {
	json_t *runs;
	size_t most;
};

static bool keep_newest(json_t *run, void *to)
{
	struct newest *n = to;

	if (json_array_size(n->runs) < n->most)
		json_array_append(n->runs, run);
	return json_array_size(n->runs) < n->most;
}

static json_t *reversed(const json_t *list)
{
	json_t *out = json_array();

	for (size_t i = json_array_size(list); i > 0; i--)
		json_array_append(out, json_array_get(list, i - 1));
	return out;
}

json_t *history_load(const char *path, const char *label, size_t most, unsigned *skipped,
		     struct err *e)
{
	JSON_AUTO *runs = json_array();
	struct newest newest = { .runs = runs, .most = most };

	if (history_walk(path, label, keep_newest, &newest, skipped, e) < 0)
		return NULL;
	return reversed(runs);
}
