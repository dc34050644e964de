#ifndef LIB_BASE_SUPERVISE_H
#define LIB_BASE_SUPERVISE_H
/*
 * supervise: work whose traces must vanish whatever happens.
 *
 * supervise_run() forks work() into a child of its own process group and waits; signals
 * (INT, TERM, HUP), the time limit and the child's end are received in ordinary code, so
 * that clean_up() runs outside any handler, exactly once, before it returns. A second
 * process, the watchdog, sleeps on a pipe in a session of its own: if the supervisor is
 * killed with SIGKILL, the watchdog kills the work's processes and runs clean_up() in its
 * stead. If both are killed, the mark in the temporary directory lets the next run reap it
 * (tmpdir.h).
 *
 * Orphans of the work (a postmaster whose starter died) stay within reach: supervisor and
 * child are child subreapers (prctl(2), PR_SET_CHILD_SUBREAPER).
 */
#include "lib/base/err.h"

#include <stdint.h>

struct supervise {
	/* May be NULL. Before anything is forked, when no signal can end us any more: makes what
	 * clean_up() removes. When it fails nothing else is called. */
	int (*prepare)(void *ctx, struct err *e);
	int (*work)(void *ctx);      /* in the child; its value is the exit status */
	void (*clean_up)(void *ctx); /* in the supervisor, or in the watchdog (whose 0, 1 and 2
				      * are /dev/null); sees ctx as it was before the fork */
	void *ctx;
	uint64_t limit_s; /* 0: none */
	uint64_t grace_s; /* between SIGTERM and SIGKILL */
};

enum supervise_end { SUPERVISE_DONE, SUPERVISE_SIGNAL, SUPERVISE_LIMIT };

/* *status is the work's wait(2) status; *end says whether a signal to us or the limit ended it;
 * *signal (may be NULL) which signal. The first signal, and the limit, send SIGTERM to the work's
 * process group; a second signal, and the end of the grace, kill it. All that is left of the work
 * then, in whatever group or session, is killed before clean_up(). Signals that were ignored when
 * we were started (nohup) stay ignored. -1 only when it could not be started. */
int supervise_run(const struct supervise *s, int *status, enum supervise_end *end, int *signal,
		  struct err *e);
#endif
