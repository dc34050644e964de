#include "lib/restore/walfeed.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/physical/wal.h"
#include "lib/restore/walwire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME = 32, TIMELINE = 8, LIST_MAX = 256 * 1024 * 1024, HISTORY_MAX_B = 1024 * 1024 };

/* What the shell exits with (PostgreSQL's restore_command): over 125 the server gives up instead of
 * believing that the archive ends here. */
#define HERE "0"
#define ABSENT "1"
#define GIVE_UP "255"

/* cat, and not read, for it waits until the FIFO is closed: so the next question cannot meet the
 * end of this answer. */
#define COMMAND \
	"restore_command=" \
	"echo %f >../wal/ask; r=$(cat ../wal/answer); " \
	"[ \"$r\" = " HERE " ] || exit \"${r:-" GIVE_UP "}\"; exec mv ../wal/%f %p"

const char *walfeed_command(const struct walfeed *f)
{
	return f->end < 0 ? "restore_command=exit " ABSENT : COMMAND;
}

/* ---- one file ----------------------------------------------------------------------- */

/* Is it the segment of that name, of this cluster? */
static int verify(const struct walfeed *f, const char *name, const unsigned char *p, uint64_t n,
		  struct err *e)
{
	const struct control *c = f->control;
	struct wal_header h;
	uint32_t timeline;
	uint64_t lsn;

	if (!c->known)
		return 0;
	if (n != c->wal_segment_size)
		return err_set(e, ERR_BACKUP,
			       "the WAL segment %s has the wrong size: %" PRIu64
			       " bytes instead of "
			       "%" PRIu32,
			       name, n, c->wal_segment_size);
	if (!wal_header(p, &h))
		return err_set(e, ERR_BACKUP, "%s is no WAL segment", name);
	if (h.system_identifier != c->system_identifier)
		return err_set(e, ERR_BACKUP,
			       "the WAL segment %s is of another cluster: its system identifier is "
			       "%" PRIu64 ", the backup's is %" PRIu64,
			       name, h.system_identifier, c->system_identifier);
	if (!wal_of_name(name, c->wal_segment_size, &timeline, &lsn) || h.lsn != lsn ||
	    h.timeline > timeline)
		return err_set(e, ERR_BACKUP, "the WAL segment %s holds another segment's content",
			       name);
	return 0;
}

static int create(const struct walfeed *f, const char *name, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/wal/%s", f->dir, name);
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		(void)err_set(e, ERR_SYSTEM, "create %s: %s", path, strerror(errno));
	return fd;
}

/* Unpacks from in to out; the first bytes are kept for a look. */
static int unpack(const struct walfeed *f, const char *name, int in, int out,
		  unsigned char head[WAL_HEADER_SIZE], uint64_t *bytes, struct err *e)
{
	struct stream_opts opts = *f->reading;
	const unsigned char *p;
	STREAM_AUTO *s = NULL;
	ssize_t n = -1;

	opts.name = name;
	opts.max_out_b = f->control->known ? f->control->wal_segment_size + HISTORY_MAX_B
					   : UINT64_C(1) << 31;
	s = stream_open_fd(in, &opts, e);
	*bytes = 0;
	while (s && (n = stream_next(s, &p, e)) > 0) {
		for (size_t i = 0; i < (size_t)n && *bytes + i < WAL_HEADER_SIZE; i++)
			head[*bytes + i] = p[i];
		*bytes += (uint64_t)n;
		if (io_write_all(out, p, (size_t)n) < 0)
			return err_set(e, ERR_SYSTEM, "write the WAL segment %s: %s", name,
				       strerror(errno));
	}
	return s && n == 0 ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_history(const char *name)
{
	return strchr(name, '.') != NULL;
}

/* Puts it where the command takes it from: 1; 0 when it is not in the archive; -1. */
static int lay(struct walfeed *f, const char *name, struct err *e)
{
	unsigned char head[WAL_HEADER_SIZE] = { 0 };
	FD_AUTO in = -1;
	FD_AUTO out = -1;
	int found;

	f->ready[0] = '\0';
	found = walwire_ask(f->end, name, &in, e);
	if (found <= 0)
		return found;
	out = create(f, name, e);
	if (out < 0 || unpack(f, name, in, out, head, &f->ready_b, e) < 0 ||
	    (!is_history(name) && verify(f, name, head, f->ready_b, e) < 0))
		return -1;
	(void)snprintf(f->ready, sizeof(f->ready), "%s", name);
	return 1;
}

/* The segment after it. What is wrong with that is said when it is asked for. */
static void lay_next(struct walfeed *f, const char *name)
{
	struct err ignored = { 0 };
	char **at;

	if (is_history(name) || f->names.n == 0)
		return;
	at = bsearch(&name, f->names.v, f->names.n, sizeof(*f->names.v), by_name);
	/* The list ends with a NULL; several repositories may each hold it. */
	while (at && at[1] && strcmp(at[1], name) == 0)
		at++;
	if (at && at[1] && !is_history(at[1]) && strncmp(at[1], name, TIMELINE) == 0)
		(void)lay(f, at[1], &ignored);
}

static void count(struct walfeed *f, const char *name)
{
	(void)pthread_mutex_lock(&f->lock);
	f->files++;
	f->bytes += f->ready_b;
	if (!is_history(name))
		(void)snprintf(f->last, sizeof(f->last), "%s", name);
	(void)pthread_mutex_unlock(&f->lock);
}

/* ---- questions ---------------------------------------------------------------------- */

/* The server is no more to be trusted than what it was made of. */
static bool is_name(const char *name)
{
	size_t n = strspn(name, "0123456789ABCDEF");

	return (n == WAL_NAME_SIZE - 1 && name[n] == '\0') ||
	       (n == 8 && strcmp(name + n, ".history") == 0);
}

static const char *answer(struct walfeed *f, const char *name)
{
	struct err e = { 0 };
	int found;

	if (!is_name(name))
		return ABSENT;
	found = strcmp(name, f->ready) == 0 ? 1 : lay(f, name, &e);
	f->ready[0] = '\0'; /* the command takes it away */
	if (found == 0)
		return ABSENT;
	if (found > 0) {
		count(f, name);
		return HERE;
	}
	(void)pthread_mutex_lock(&f->lock);
	if (f->broken.kind == ERR_NONE)
		f->broken = e;
	(void)pthread_mutex_unlock(&f->lock);
	return GIVE_UP;
}

static void reply(const char *fifo, const char *text)
{
	FD_AUTO fd = open(fifo, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)dprintf(fd, "%s\n", text);
}

/* To its end, and closed: only then is it answered. */
static bool hear(const char *fifo, char name[NAME])
{
	FD_AUTO fd = open(fifo, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : io_read_full(fd, name, NAME - 1);

	if (n < 0)
		return false;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return true;
}

static void *serve(void *arg)
{
	struct walfeed *f = arg;
	AUTO_FREE char *ask = xasprintf("%s/wal/ask", f->dir);
	AUTO_FREE char *answers = xasprintf("%s/wal/answer", f->dir);
	char name[NAME];

	while (hear(ask, name)) {
		const char *said = answer(f, name);

		reply(answers, said);
		if (strcmp(said, HERE) == 0)
			lay_next(f, name);
	}
	return NULL;
}

/* ---- beginning and end -------------------------------------------------------------- */

static int take_list(struct walfeed *f, struct err *e)
{
	FILE *in;
	char line[NAME + 2];
	int fd = -1;

	if (walwire_ask(f->end, "", &fd, e) <= 0)
		return -1;
	in = fdopen(fd, "r");
	if (in == NULL) {
		io_close(&fd);
		return err_set(e, ERR_SYSTEM, "read the list of the WAL archive: %s",
			       strerror(errno));
	}
	while (fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (is_name(line))
			strv_add(&f->names, line);
	}
	(void)fclose(in);
	return 0;
}

int walfeed_start(struct walfeed *f, struct err *e)
{
	AUTO_FREE char *dir = xasprintf("%s/wal", f->dir);
	AUTO_FREE char *ask = xasprintf("%s/ask", dir);
	AUTO_FREE char *answers = xasprintf("%s/answer", dir);
	int failed;

	(void)pthread_mutex_init(&f->lock, NULL);
	if (f->end < 0)
		return 0;
	if (take_list(f, e) < 0)
		return -1;
	if (mkdir(dir, 0700) < 0 || mkfifo(ask, 0600) < 0 || mkfifo(answers, 0600) < 0)
		return err_set(e, ERR_SYSTEM, "create %s: %s", dir, strerror(errno));
	failed = pthread_create(&f->thread, NULL, serve, f);
	f->running = failed == 0;
	return failed ? err_set(e, ERR_SYSTEM, "start a thread: %s", strerror(failed)) : 0;
}

/* It sleeps until somebody asks: an empty question wakes it, and what it asks by is gone then. It
 * may also wait for a file that nobody wants any more. */
void walfeed_stop(struct walfeed *f)
{
	AUTO_FREE char *ask = xasprintf("%s/wal/ask", f->dir);
	AUTO_FREE char *answers = xasprintf("%s/wal/answer", f->dir);
	FD_AUTO reader = -1;
	FD_AUTO writer = -1;

	if (f->running) {
		reader = open(answers, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		writer = open(ask, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		(void)unlink(ask);
		io_close(&writer);
		writer = -1;
		(void)shutdown(f->end, SHUT_RDWR);
		(void)pthread_join(f->thread, NULL);
	}
	f->running = false;
	strv_free(&f->names);
	(void)pthread_mutex_destroy(&f->lock);
}
