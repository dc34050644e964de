#ifndef LIB_RESTORE_GUARD_H
#define LIB_RESTORE_GUARD_H
/*
 * guard: the limits on disk and memory (watch.h) while COMMAND works with the restored server. A
 * process of its own looks; when a limit is passed it ends the server and tells why.
 */
#include "lib/restore/watch.h"

#include "lib/base/err.h"

#include <sys/types.h>

struct guard {
	pid_t pid;
	int why; /* what it tells */
};

/* w has begun. */
int guard_begin(struct guard *g, const struct watch *w, uint64_t need_b, struct err *e);

/* Ends it, once. True: a limit was passed, the server was ended, and why says which it was. */
bool guard_end(struct guard *g, struct buf *why);
#endif
