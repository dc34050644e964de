#ifndef LIB_PHYSICAL_DELIVERY_H
#define LIB_PHYSICAL_DELIVERY_H
/*
 * delivery: what fetch-latest says of a backup that it has brought: the record "backup", with what
 * the next tools need to know, and the check backup-download with bytes, seconds and rate.
 */
#include "lib/base/stage.h"
#include "lib/physical/chainfetch.h"
#include "lib/storage/catalog.h"
#include "lib/storage/fetch.h"

/* All borrowed. */
struct delivery {
	const struct storage *from;
	const struct backup *backup;
	const struct fetched *fetched;
	const struct chainfetch *chain; /* those that it builds on: the restore needs them all, so
					 * fetching them is a part of it */
	bool here;                      /* it is used where it was */
	bool early;                     /* it could be read while it came */
};

void delivery_say(struct stage *st, const struct delivery *d);
#endif
