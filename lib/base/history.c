#include "lib/base/history.h"

#include "lib/base/atomic.h"
#include "lib/base/backward.h"
#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/signature.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILE_MODE = 0640, DIR_MODE = 0750, NAME_LABEL_MAX = 200, PATH_LIMIT = 4096 };
enum { HEAD_MAX = 64 * 1024 };
/* A writer holds the lock for the moment of one write; one that was stopped holds it for good. */
enum { LOCK_TRIES = 20000, LOCK_PAUSE_MS = 3 };

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

static int too_long(const char *file, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "history %s: the run is longer than %d bytes", file,
		       HISTORY_LINE_MAX);
}

/* The run as it will be read again: figures lose digits when they are printed, and what is signed
 * must not. */
static json_t *as_printed(const json_t *run)
{
	AUTO_FREE char *line = record_print(run, HISTORY_LINE_MAX);
	struct err why;

	return line ? record_parse(line, strlen(line), &why) : NULL;
}

/* The line for the run, with its chain: the caller's. */
static char *chained(json_t *run, json_t *chain, const struct history_seal *seal, const char *file,
		     struct err *e)
{
	char *line;

	(void)json_object_del(run, "chain");
	(void)json_object_del(run, "signature");
	json_object_set(run, "chain", chain);
	if (seal && seal->sign_key && signature_add(run, seal->sign_key, e) < 0)
		return NULL;
	line = record_print(run, HISTORY_LINE_MAX);
	if (line == NULL)
		(void)too_long(file, e);
	return line;
}

/* The file is open and locked. */
static int append_locked(int fd, off_t size, json_t *run, struct history_seal *seal,
			 const char *file, struct err *e)
{
	const int cut = torn(fd, size);
	struct chain_head head = { 0 };
	JSON_AUTO *chain =
		cut < 0 ? NULL : chain_next(fd, size, cut > 0, HISTORY_LINE_MAX, &head.seq);
	AUTO_FREE char *line = chain ? chained(run, chain, seal, file, e) : NULL;

	if (chain == NULL)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file, strerror(errno));
	if (line == NULL)
		return -1;
	if (write_line(fd, size, cut > 0, line) < 0 || sync_dir_of(file) < 0)
		return err_set(e, ERR_SYSTEM, "write history %s: %s", file, strerror(errno));
	chain_sha(line, strlen(line), head.sha256);
	if (seal)
		seal->head = head;
	return 0;
}

int history_append(const char *path, const char *label, const json_t *run,
		   struct history_seal *seal, struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);
	JSON_AUTO *printed = as_printed(run);
	struct stat st = { 0 };

	if (printed == NULL)
		return too_long(path, e);
	if (resolve(path, label, &file, e) < 0)
		return -1;
	FD_AUTO fd = open_locked(file.s, &st, e);

	return fd < 0 ? -1 : append_locked(fd, st.st_size, printed, seal, file.s, e);
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

static int gather(struct backward *b, const struct taker *taker, unsigned *skipped)
{
	for (;;) {
		struct err why;
		const char *line;
		size_t len;
		const int got = backward_line(b, &line, &len);
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
	struct backward b = { .fd = fd, .most = HISTORY_LINE_MAX };
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
	backward_free(&b);
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

int history_prove(const char *path, const char *label, const struct chain_visitor *visitor,
		  struct chain_proof *out, struct err *e)
{
	BUF_AUTO file = BUF_INIT(PATH_LIMIT);

	if (resolve(path, label, &file, e) < 0)
		return -1;
	FD_AUTO fd = open(file.s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	/* No file is no history: whoever removed it removed all runs. */
	if (fd < 0 || lock(fd, LOCK_SH) < 0 || chain_prove(fd, HISTORY_LINE_MAX, visitor, out) < 0)
		return err_set(e, ERR_SYSTEM, "read history %s: %s", file.s, strerror(errno));
	return 0;
}
