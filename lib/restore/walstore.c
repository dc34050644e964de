#include "lib/restore/walstore.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/physical/walfile.h"
#include "lib/physical/walread.h"
#include "lib/restore/walwire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = 32, SEGMENT = 24, TIMELINE = 8, WORKERS = 4, AHEAD = 8 };
enum { RETRIES = 4, CONNECT_S = 20, STALL_S = 60 };

enum state { IDLE, WANTED, BUSY, READY, FAILED };

struct item {
	char key[KEY];
	char *object; /* owned */
	enum state state;
	int fd; /* READY */
	struct err e;
};

struct store {
	const struct walstore_opts *opts;
	struct storage *storage; /* NULL: a keeper is asked */
	struct item *items;      /* by key */
	size_t n, room;
	struct err broken; /* it could not be listed */
	pthread_mutex_t lock;
	pthread_cond_t wanted, done;
};

struct worker {
	struct store *store;
	struct storage *storage; /* its own handle */
};

/* ---- names -------------------------------------------------------------------------- */

bool walstore_key(const char *object, char key[32])
{
	char stem[WALFILE_STEM];
	enum walfile_kind kind;

	if (!walfile_of(object, &kind, stem) ||
	    (kind != WALFILE_SEGMENT && kind != WALFILE_HISTORY))
		return false;
	(void)snprintf(key, KEY, kind == WALFILE_HISTORY ? "%.8s.history" : "%.24s", stem);
	return true;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct item *)a)->key, ((const struct item *)b)->key);
}

static void add(struct store *s, const char *object)
{
	struct item it = { .fd = -1 };

	if (!walstore_key(object, it.key))
		return;
	it.object = xstrdup(object);
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->items = xrealloc(s->items, s->room, sizeof(*s->items));
	}
	s->items[s->n++] = it;
}

static int see(const struct storage_object *o, void *ctx, struct err *e)
{
	(void)e;
	add(ctx, o->name);
	return 0;
}

static int ask_keeper(struct store *s)
{
	STRV_AUTO names = { 0 };

	if (keeper_wal_names(s->opts->keeper, &names, &s->broken) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		add(s, names.v[i]);
	return 0;
}

static void load(struct store *s)
{
	const struct storage_options options = { .retries = RETRIES,
						 .connect_s = CONNECT_S,
						 .stall_s = STALL_S,
						 .access = s->opts->access,
						 .deep = true };
	int listed = -1;

	if (s->opts->keeper) {
		listed = ask_keeper(s);
	} else {
		s->storage = storage_open(s->opts->source, &options, &s->broken);
		if (s->storage)
			listed = storage_list(s->storage, see, s, &s->broken);
	}
	if (listed < 0) {
		(void)err_wrap(&s->broken, "list the WAL archive");
		return;
	}
	if (s->n > 0)
		qsort(s->items, s->n, sizeof(*s->items), by_key);
}

static int is_key(const void *key, const void *item)
{
	return strcmp(key, ((const struct item *)item)->key);
}

static struct item *find(struct store *s, const char *key)
{
	return s->n ? bsearch(key, s->items, s->n, sizeof(*s->items), is_key) : NULL;
}

/* ---- fetching ----------------------------------------------------------------------- */

/* A file without a name in dir, -1 with *e. */
static int nameless(const char *dir, struct err *e)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0) {
		AUTO_FREE char *path = xasprintf("%s/wal.XXXXXX", dir);

		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		(void)err_set(e, ERR_SYSTEM, "create a file in %s: %s", dir, strerror(errno));
	return fd;
}

static int fetch(const struct worker *w, const char *object, struct err *e)
{
	int fd = nameless(w->store->opts->dir, e);

	if (fd < 0)
		return -1;
	if (walread_fetch(w->storage, object, fd, e) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	io_close(&fd);
	return err_wrap(e, "fetch %s", object);
}

/* What the program has written is opened with our rights, in a place where others write too: only
 * as its own new file. */
static int open_written(const char *path, const struct identity *who, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == who->uid && st.st_size <= WALREAD_FILE_MAX_B)
		return fd;
	io_close(&fd);
	(void)err_set(e, ERR_SYSTEM, "open %s: it is not the file that was written", path);
	return -1;
}

static int ask_for(const struct walstore_opts *opts, const char *key, struct err *e)
{
	AUTO_FREE char *data = xasprintf("%s/data", opts->dir);
	AUTO_FREE char *path = xasprintf("%s/%s", opts->dir, key);
	int fd = -1, got = keeper_wal_get(opts->keeper, key, opts->dir, data, e);

	if (got > 0)
		fd = open_written(path, &opts->keeper->who, e);
	else if (got == 0)
		(void)err_set(e, ERR_REMOTE, "fetch %s: it was listed, and is not there", key);
	(void)unlink(path);
	return fd;
}

static struct item *next_wanted(struct store *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->items[i].state == WANTED)
			return &s->items[i];
	return NULL;
}

static void *work(void *arg)
{
	const struct worker *w = arg;
	struct store *s = w->store;

	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		struct item *it = next_wanted(s);
		struct err e = { 0 };
		int fd;

		if (it == NULL) {
			(void)pthread_cond_wait(&s->wanted, &s->lock);
			continue;
		}
		it->state = BUSY;
		(void)pthread_mutex_unlock(&s->lock);
		fd = s->opts->keeper ? ask_for(s->opts, it->key, &e) : fetch(w, it->object, &e);
		(void)pthread_mutex_lock(&s->lock);
		it->fd = fd;
		it->e = e;
		it->state = fd < 0 ? FAILED : READY;
		(void)pthread_cond_broadcast(&s->done);
	}
	return NULL;
}

/* ---- answering ---------------------------------------------------------------------- */

static void forget(struct item *it)
{
	if (it->state == BUSY)
		return;
	io_close(&it->fd);
	it->fd = -1;
	it->state = IDLE;
}

/* This one, and those that will be asked for next; no others. */
static void want(struct store *s, size_t first)
{
	const char *key = s->items[first].key;
	size_t end = first + 1;

	while (end < s->n && end < first + AHEAD && strlen(key) == SEGMENT &&
	       strncmp(s->items[end].key, key, TIMELINE) == 0)
		end++;
	for (size_t i = 0; i < s->n; i++) {
		if (i < first || i >= end)
			forget(&s->items[i]);
		else if (s->items[i].state == IDLE || (i > first && s->items[i].state == FAILED))
			s->items[i].state = WANTED;
	}
	(void)pthread_cond_broadcast(&s->wanted);
}

static void give(struct store *s, int end, const char *name)
{
	struct item *it = find(s, name);

	if (it == NULL) {
		walwire_answer(end, 0, -1, NULL);
		return;
	}
	(void)pthread_mutex_lock(&s->lock);
	want(s, (size_t)(it - s->items));
	while (it->state != READY && it->state != FAILED)
		(void)pthread_cond_wait(&s->done, &s->lock);
	walwire_answer(end, it->state == READY ? 1 : -1, it->fd, &it->e);
	forget(it);
	(void)pthread_mutex_unlock(&s->lock);
}

static void give_list(const struct store *s, int end)
{
	struct err e = { 0 };
	FD_AUTO fd = nameless(s->opts->dir, &e);
	bool bad = fd < 0;

	for (size_t i = 0; i < s->n && !bad; i++) {
		char line[KEY + 1];
		int n = snprintf(line, sizeof(line), "%s\n", s->items[i].key);

		bad = io_write_all(fd, line, (size_t)n) < 0;
	}
	if (!bad)
		bad = lseek(fd, 0, SEEK_SET) < 0;
	if (bad && e.kind == ERR_NONE)
		(void)err_set(&e, ERR_SYSTEM, "write the list of the WAL archive: %s",
			      strerror(errno));
	walwire_answer(end, bad ? -1 : 1, fd, &e);
}

static int employ(struct store *s, struct worker *w, struct err *e)
{
	pthread_t thread;
	int failed;

	w->store = s;
	if (s->storage) {
		w->storage = storage_clone(s->storage, e);
		if (w->storage == NULL)
			return -1;
	}
	failed = pthread_create(&thread, NULL, work, w);
	if (failed)
		return err_set(e, ERR_SYSTEM, "start a thread: %s", strerror(failed));
	(void)pthread_detach(thread);
	return 0;
}

_Noreturn void walstore_serve(const struct walstore_opts *opts, int end)
{
	struct store s = { .opts = opts };
	struct worker workers[WORKERS] = { 0 };
	char name[WALWIRE_NAME];

	(void)pthread_mutex_init(&s.lock, NULL);
	(void)pthread_cond_init(&s.wanted, NULL);
	(void)pthread_cond_init(&s.done, NULL);
	load(&s);
	for (size_t i = 0; i < WORKERS && s.broken.kind == ERR_NONE; i++)
		(void)employ(&s, &workers[i], &s.broken);
	while (walwire_hear(end, name)) {
		if (s.broken.kind != ERR_NONE)
			walwire_answer(end, -1, -1, &s.broken);
		else if (name[0] == '\0')
			give_list(&s, end);
		else
			give(&s, end, name);
	}
	/* Its threads may be in the middle of a transfer: the process is over. */
	_exit(0);
}
