#ifndef LIB_PHYSICAL_WALVERDICT_H
#define LIB_PHYSICAL_WALVERDICT_H
/*
 * walverdict: the checks on a WAL archive, made of what walarchive and walchain found: wal-archive,
 * wal-gap and wal-segment for each hole, wal-duplicate, wal-timeline, wal-window for each backup,
 * wal-newest and wal-ledger.
 */
#include "lib/base/stage.h"
#include "lib/physical/walchain.h"

struct walverdict_opts {
	uint64_t max_lag_s; /* the newest commit may be so old; 0: any age */
	bool ledger;        /* there is one */
	size_t ledger_damaged;
	uint64_t recheck_s;
};

void walverdict_say(struct stage *st, const struct walarchive *a, const struct walchain *c,
		    const struct walverdict_opts *opts);
#endif
