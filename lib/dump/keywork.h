#ifndef LIB_DUMP_KEYWORK_H
#define LIB_DUMP_KEYWORK_H
/*
 * keywork: work that may open what is encrypted. With keys it is done in a process of its own,
 * which gpg's home is made for and removed after, so that nothing of them stays, whatever ends it.
 */
#include "lib/dump/keys.h"

/* work(ctx) is a stage's exit status, in *status. Without keys it is just called. keys->dir is set
 * meanwhile; tool names the private directory. -1 with *e when it was interrupted, or not begun. */
int keywork_run(const char *tool, struct keys *keys, int (*work)(void *ctx), void *ctx, int *status,
		struct err *e);
#endif
