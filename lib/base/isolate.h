#ifndef LIB_BASE_ISOLATE_H
#define LIB_BASE_ISOLATE_H
/*
 * isolate: programs without a network.
 *
 * A restored database still wants to reach what it reached in production: subscriptions, foreign
 * servers, archives. In a network namespace of its own (network_namespaces(7)) there is nothing
 * but an empty loopback. Unix sockets that have a path in the file system work across the border.
 *
 * Root may make such a namespace; others may where user namespaces are open to everybody
 * (user_namespaces(7); many container runtimes and some distributions close them).
 */
#include "lib/base/err.h"

#include <stdbool.h>

struct isolate {
	bool network; /* false: runs with the network as it is */
	bool user;    /* by way of a user namespace, in which we stay who we are */
	char uid_map[64], gid_map[64];
};

/* Tries it out in a child and fills *out with the way that works. -1 with the reason, and *out
 * then leaves the network alone. */
int isolate_network(struct isolate *out, struct err *e);

/* In a child, before it gives up root: enters. -1 with errno set. Async-signal-safe. */
int isolate_enter(const struct isolate *i);
#endif
