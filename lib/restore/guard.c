#include "lib/restore/guard.h"

#include "lib/base/io.h"
#include "lib/base/isolate.h"
#include "lib/base/proc.h"
#include "lib/base/proctree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { KILL_MS = 15 * 1000, WHY_MAX = 1000 };

static _Noreturn void look(struct watch w, uint64_t need_b, int why_fd)
{
	BUF_AUTO why = BUF_INIT(WHY_MAX);

	isolate_tie();
	while (!watch_over(&w, need_b, &why))
		(void)poll(NULL, 0, WATCH_MS);
	(void)io_write_all(why_fd, why.s, why.len);
	(void)proctree_kill_inside(w.dir, KILL_MS);
	_exit(0);
}

int guard_begin(struct guard *g, const struct watch *w, uint64_t need_b, struct err *e)
{
	int ends[2];

	*g = (struct guard){ .pid = -1, .why = -1 };
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, ERR_SYSTEM, "watch the limits: %s", strerror(errno));
	g->pid = fork();
	if (g->pid == 0)
		look(*w, need_b, ends[1]);
	io_close(&ends[1]);
	g->why = ends[0];
	if (g->pid > 0)
		return 0;
	io_close(&g->why);
	return err_set(e, ERR_SYSTEM, "watch the limits: %s", strerror(errno));
}

bool guard_end(struct guard *g, struct buf *why)
{
	struct pollfd p = { .fd = g->why, .events = POLLIN };
	char text[WHY_MAX];
	ssize_t n = 0;
	struct err e;

	/* One that has begun to end the server ends it. */
	if (poll(&p, 1, 0) == 0)
		(void)kill(g->pid, SIGKILL);
	(void)proc_wait(g->pid, NULL, &e);
	n = io_read_full(g->why, text, sizeof(text));
	io_close(&g->why);
	if (n <= 0)
		return false;
	buf_addf(why, "%.*s", (int)n, text);
	return true;
}
