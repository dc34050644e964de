#ifndef LIB_BASE_ISOLATE_H
#define LIB_BASE_ISOLATE_H
/*
 * isolate: a network of its own for what runs on untrusted data: a namespace with nothing in it
 * but a loopback interface (network_namespaces(7)), and its own System V shared memory
 * (ipc_namespaces(7)), which vanishes with its last process. Unix sockets with a path still work.
 *
 * Root makes the namespaces directly; others through a user namespace in which they stay
 * themselves (user_namespaces(7)), which some systems forbid.
 */
#include "lib/base/err.h"

/* In a child, before it changes its user: -1 with errno set. Async-signal-safe. */
int isolate_enter(void);

/* Tries it in a child: 0, or -1 with *e saying what forbids it. */
int isolate_possible(struct err *e);
#endif
