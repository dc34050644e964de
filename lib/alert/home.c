#include "lib/alert/home.h"

#include "lib/alert/alert.h"
#include "lib/base/atomic.h"
#include "lib/base/buf.h"
#include "lib/base/history.h"
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MOST = 120, LOCK_POLL_MS = 50, MARK_MAX = 256, NEW_AGE_S = 60 };

static const char mark_prefix[] = "running-", new_prefix[] = ".new-";

static const char *set_env(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static char *beside(const char *history)
{
	struct stat st;
	size_t n = strlen(history);
	const char *slash = strrchr(history, '/');

	if ((n > 0 && history[n - 1] == '/') || (stat(history, &st) == 0 && S_ISDIR(st.st_mode)))
		return xasprintf("%s/alerts", history);
	if (slash == NULL)
		return xstrdup("alerts");
	return xasprintf("%.*s/alerts", (int)(slash - history), history);
}

char *home_root(const char *given)
{
	const char *history = set_env("HISTORY"), *xdg = set_env("XDG_STATE_HOME");
	const char *user = set_env("HOME");

	if (given)
		return xstrdup(given);
	if (history && !history_in_database(history))
		return beside(history);
	if (geteuid() == 0)
		return xstrdup("/var/lib/backup-probes/alerts");
	if (xdg)
		return xasprintf("%s/backup-probes/alerts", xdg);
	if (user)
		return xasprintf("%s/.local/state/backup-probes/alerts", user);
	return NULL;
}

/* mkdir -p, 0700. */
static int make_dirs(const char *path, struct err *e)
{
	AUTO_FREE char *part = xstrdup(path);

	for (char *p = part + 1;; p++) {
		char c = *p;

		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return err_set(e, ERR_SYSTEM, "make the directory %s: %s", part,
				       strerror(errno));
		*p = c;
		if (c == '\0')
			return 0;
	}
}

/* A label as a file name: nothing but letters, digits and ._- stays as it is, and no two labels
 * meet. */
static void add_name(struct buf *out, const char *s)
{
	BUF_AUTO name = BUF_INIT(SIZE_MAX / 2);

	for (size_t i = 0; s[i]; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x80 && (isalnum(c) || c == '_' || c == '-' || (c == '.' && i > 0)))
			buf_addc(&name, s[i]);
		else
			buf_addf(&name, "%%%02X", c);
	}
	if (name.len > NAME_MOST)
		buf_addf(out, "%.*s%%-%016llx", NAME_MOST - 20, name.s,
			 (unsigned long long)alert_hash(s));
	else
		buf_adds(out, name.s);
}

int home_open(struct home *h, const char *root, const char *sender, const char *label, bool make,
	      struct err *e)
{
	BUF_AUTO dir = BUF_INIT(PATH_MAX);

	*h = (struct home)HOME_INIT;
	buf_addf(&dir, "%s/", root);
	add_name(&dir, sender);
	buf_addc(&dir, '/');
	add_name(&dir, label);
	h->dir = xstrdup(dir.s);
	h->spool = xasprintf("%s/spool", dir.s);
	if (dir.full)
		return err_set(e, ERR_USAGE, "use the directory %s: its name is too long", root);
	return make ? make_dirs(h->spool, e) : 0;
}

void home_close(struct home *h)
{
	io_close(&h->lock_fd);
	io_close(&h->mark_fd);
	free(h->dir);
	free(h->spool);
	free(h->mark);
	*h = (struct home)HOME_INIT;
}

int home_lock(struct home *h, int64_t deadline_ms, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/lock", h->dir);

	h->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->lock_fd < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	while (flock(h->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, ERR_SYSTEM, "lock %s: %s", path, strerror(errno));
		if (mono_ms() >= deadline_ms) {
			io_close(&h->lock_fd);
			return err_set(e, ERR_SYSTEM, "lock %s: another process holds it", path);
		}
		(void)nanosleep(&(struct timespec){ 0, LOCK_POLL_MS * 1000000L }, NULL);
	}
	return 0;
}

/* The mark is locked before it gets its name, so that nobody sees it unlocked while we live. */
int home_mark(struct home *h, const char id[RUN_ID_SIZE], int64_t now_ms, struct err *e)
{
	AUTO_FREE char *fresh = xasprintf("%s/%s%s", h->dir, new_prefix, id);
	AUTO_FREE char *mark = xasprintf("%s/%s%s", h->dir, mark_prefix, id);
	char at[UTC_SIZE];

	h->mark_fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (h->mark_fd < 0)
		return err_set(e, ERR_SYSTEM, "create %s: %s", fresh, strerror(errno));
	(void)utc_format(now_ms, at);
	if (flock(h->mark_fd, LOCK_EX | LOCK_NB) < 0 ||
	    io_write_all(h->mark_fd, at, strlen(at)) < 0 || fsync(h->mark_fd) < 0 ||
	    rename(fresh, mark) < 0 || atomic_sync_dir(h->dir) < 0) {
		(void)err_set(e, ERR_SYSTEM, "write %s: %s", mark, strerror(errno));
		(void)unlink(fresh);
		io_close(&h->mark_fd);
		return -1;
	}
	h->mark = xstrdup(mark);
	return 0;
}

void home_unmark(struct home *h)
{
	if (h->mark == NULL)
		return;
	(void)unlink(h->mark);
	io_close(&h->mark_fd);
	free(h->mark);
	h->mark = NULL;
}

/* Whether nobody holds its lock any more. */
static bool is_dead(const char *path)
{
	FD_AUTO fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* A process that died between creating and naming its mark leaves a few bytes. */
static void drop_unnamed(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && time(NULL) - st.st_mtime > NEW_AGE_S && is_dead(path))
		(void)unlink(path);
}

static void sweep(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		size_t n = strlen(entry->d_name);

		/* As atomic_write() names them. */
		if (entry->d_name[0] == '.' && n > 4 && strcmp(entry->d_name + n - 4, ".tmp") == 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

void home_sweep(const struct home *h)
{
	sweep(h->dir);
	sweep(h->spool);
}

void home_dead(const struct home *h, struct strv *ids)
{
	DIR *dir = opendir(h->dir);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		AUTO_FREE char *path = xasprintf("%s/%s", h->dir, name);

		if (strncmp(name, new_prefix, strlen(new_prefix)) == 0)
			drop_unnamed(path);
		if (strncmp(name, mark_prefix, strlen(mark_prefix)) == 0 &&
		    (h->mark == NULL || strcmp(path, h->mark) != 0) && is_dead(path))
			strv_add(ids, name + strlen(mark_prefix));
	}
	if (dir)
		(void)closedir(dir);
	strv_sort(ids); /* ULIDs sort by time */
}

int64_t home_begun_ms(const struct home *h, const char *id)
{
	AUTO_FREE char *path = xasprintf("%s/%s%s", h->dir, mark_prefix, id);
	BUF_AUTO b = BUF_INIT(MARK_MAX);
	struct err ignored = { 0 };
	int64_t ms;

	if (io_slurp(path, &b, &ignored) < 0 || !utc_parse(b.s, &ms))
		return 0;
	return ms;
}

void home_bury(const struct home *h, const char *id)
{
	AUTO_FREE char *path = xasprintf("%s/%s%s", h->dir, mark_prefix, id);

	(void)unlink(path);
}
