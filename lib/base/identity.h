#ifndef LIB_BASE_IDENTITY_H
#define LIB_BASE_IDENTITY_H
/*
 * identity: whom the temporary server and everything that touches a dump runs as.
 *
 * PostgreSQL refuses to run as root, and a dump is untrusted input. So root becomes the
 * named user, else "postgres", else "nobody"; anybody else stays what they are.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	uid_t uid;
	gid_t gid;
	char name[64];
	bool drops; /* we are root and this is somebody else */
};

/* user may be NULL. Asking for root, an unknown user, or (not being root) for somebody else
 * is an error. */
int identity_unprivileged(const char *user, struct identity *out, struct err *e);

/* In a child: becomes *who for good (groups, gid, uid, no new privileges). -1 with errno set.
 * Async-signal-safe once identity_unprivileged() has filled *who. */
int identity_become(const struct identity *who);
#endif
