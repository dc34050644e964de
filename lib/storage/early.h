#ifndef LIB_STORAGE_EARLY_H
#define LIB_STORAGE_EARLY_H
/*
 * early: tells of a file that is being fetched (landing.h) as soon as its first bytes are there,
 * so that somebody can read it while the rest arrives (arrival.h).
 *
 * Nothing is told of what has to be there as a whole before it can be read: an archive that is not
 * compressed, for who restores it goes forth and back in it; what has no name while it is written.
 */
#include "lib/base/arrival.h"
#include "lib/storage/landing.h"
#include "lib/storage/sink.h"

/* Start from EARLY_NONE, with to and tell. */
struct early {
	const struct landing *to;
	/* becomes: what it will be called when it is here. */
	void (*tell)(void *ctx, const char *path, const char *becomes);
	void *ctx;
	struct arrival arrival;
	bool looked; /* at the first bytes */
};
#define EARLY_NONE \
	{ \
		.arrival = ARRIVAL_NONE \
	}

/* For haul.stream: borrows *early. It cannot begin again once it was told of. */
struct storage_sink early_sink(struct early *early);

/* proven: it has its name, and all was found to be good. */
int early_end(struct early *early, bool proven, struct err *e);
#endif
