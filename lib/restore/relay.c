#include "lib/restore/relay.h"

#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(const char *p, size_t n)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 1099511628211ULL;
	return h;
}

void relay_fed_add(struct relay_fed *f, const char *line, size_t len)
{
	if ((f->n & (f->n - 1)) == 0) /* full whenever n is a power of two */
		f->v = xrealloc(f->v, f->n ? f->n * 2 : 1, sizeof(*f->v));
	f->v[f->n++] = hash(line, len);
}

bool relay_fed_take(struct relay_fed *f, const char *line, size_t len)
{
	uint64_t h = hash(line, len);

	for (size_t i = f->next; i < f->n; i++) {
		if (f->v[i] == h) {
			f->next = i + 1;
			return true;
		}
	}
	return false;
}

void relay_fed_free(struct relay_fed *f)
{
	free(f->v);
	*f = (struct relay_fed){ 0 };
}

/* A descriptor of its own, at the beginning: the writer's position is not ours. */
static int reopen(int fd)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int remember(int records_fd, struct relay_fed *fed, struct err *e)
{
	int fd = reopen(records_fd);
	struct record_reader *in = fd < 0 ? NULL : record_open(fd);
	struct record r;
	int got = -1;

	if (in == NULL)
		return err_set(e, ERR_SYSTEM, "read the records so far: %s", strerror(errno));
	while ((got = record_read(in, &r, e)) > 0)
		relay_fed_add(fed, r.line, r.len);
	record_close(in);
	io_close(&fd);
	return got;
}

static void stray(const struct record *r, struct relay_result *out)
{
	out->strays++;
	(void)fprintf(stderr, "%s\n", r->line);
}

static void count_check(const struct record *r, struct relay_result *out)
{
	enum verdict status;

	(void)verdict_parse(record_text(r->object, "status"), &status);
	out->worst = verdict_worst(out->worst, status);
	out->checks++;
}

static int pass_new(struct stage *st, int fd, struct relay_fed *fed, struct relay_result *out,
		    struct err *e)
{
	struct record_reader *in = record_open(fd);
	struct record r;
	int got;

	while ((got = record_read(in, &r, e)) > 0) {
		if (relay_fed_take(fed, r.line, r.len))
			continue;
		if (r.why) {
			stray(&r, out);
			continue;
		}
		out->records++;
		if (strcmp(r.kind, "check") == 0)
			count_check(&r, out);
		stage_pass(st, &r);
	}
	record_close(in);
	return got;
}

int relay_run(struct stage *st, char *const *command, int records_fd, struct relay_result *out,
	      struct err *e)
{
	struct relay_fed fed = { 0 };
	FD_AUTO in = reopen(records_fd);
	int ends[2], fd[3], ret;
	struct proc p = { .argv = command, .fd = fd };
	pid_t pid;

	*out = (struct relay_result){ 0 };
	if (in < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "run %s: %s", command[0], strerror(errno));
	fd[0] = in;
	fd[1] = ends[1];
	fd[2] = STDERR_FILENO;
	ret = remember(records_fd, &fed, e);
	pid = ret < 0 ? -1 : proc_spawn(&p, e);
	io_close(&ends[1]);
	ret = -1;
	if (pid > 0) {
		ret = pass_new(st, ends[0], &fed, out, e);
		if (proc_wait(pid, &out->status, e) < 0)
			ret = -1;
	}
	io_close(&ends[0]);
	relay_fed_free(&fed);
	return ret;
}
