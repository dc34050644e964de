#ifndef LIB_BASE_NEWROOT_H
#define LIB_BASE_NEWROOT_H
/*
 * newroot: a root directory that holds what a program needs and nothing else.
 *
 * Root is not the only one who must be kept from files: whoever may read a socket's directory may
 * talk to the server behind it, and production's server often runs as the very user that restores.
 * So what is not on the list is not there: the system's programs and libraries, read-only; devices
 * without a meaning (null, random); /proc of the processes that belong to us; a user database with
 * one user; and one directory to write in, under the name that it has outside.
 */
#include "lib/base/identity.h"

struct newroot {
	const char *dir;           /* absolute: the one that can be written to */
	const char *const *show;   /* further files and directories, read-only; NULL-terminated, may
				    * be NULL; what is not there is left out */
	const struct identity *as; /* who is to live there */
	bool old_proc;             /* take /proc as it is where a fresh one is refused */
};

/* In a mount namespace of its own (mount_namespaces(7)), as whoever has CAP_SYS_ADMIN in it, as the
 * first process of a new PID namespace: makes it and goes there. Uses dir/root to build it. -1 with
 * errno set. */
int newroot_enter(const struct newroot *r);
#endif
