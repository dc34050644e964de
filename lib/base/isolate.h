#ifndef LIB_BASE_ISOLATE_H
#define LIB_BASE_ISOLATE_H
/*
 * isolate: processes that read untrusted input, in a place of their own.
 *
 * A restored database still wants to reach what it reached in production: subscriptions, foreign
 * servers, archives; and a hostile dump wants more. In namespaces of its own (namespaces(7)) there
 * is no network but an empty loopback, no process and no System V memory but those that were begun
 * there, and no file but those that newroot.h lists. When the first process there ends, the kernel
 * ends all the others.
 *
 * Root may make namespaces; others may where user namespaces are open to everybody
 * (user_namespaces(7); many container runtimes and some distributions close them). Where only a
 * part is possible, that part is taken.
 */
#include "lib/base/err.h"
#include "lib/base/newroot.h"

#include <stdbool.h>
#include <sys/types.h>

enum isolate_level {
	ISOLATE_NONE,    /* with everything as it is */
	ISOLATE_NETWORK, /* without a network, without others' shared memory */
	ISOLATE_FULL,    /* and with its own processes and files only */
};

/* Start from { .root = ... }. */
struct isolate {
	struct newroot root; /* what there is when it is full */
	enum isolate_level level;
	bool user; /* by way of a user namespace, in which we stay who we are */
};

/* Tries it out in child processes and sets the rest of *i to the best that works. When that is not
 * full, *e says why. */
void isolate_find(struct isolate *i, struct err *e);

/* fork(2), with the child in there: 0 in the child, its id in the parent, -1 with errno set. The
 * parent's wait(2) gets the child's status. The child has given up every right of root over its
 * namespaces unless it is root itself: then identity_become() is next. It ends with its parent, and
 * SIGTERM ends it at once. */
pid_t isolate_fork(const struct isolate *i);

/* In the child, once more after identity_become(), which forgets it: it ends with its parent. */
void isolate_tie(void);
#endif
