#ifndef LIB_RESTORE_RECOVERY_H
#define LIB_RESTORE_RECOVERY_H
/*
 * recovery: what the restore of a physical backup (physical.h) found out, and what is said of it:
 * the checks restore, wal-archive and recovery-target.
 */
#include "lib/dump/sniff.h"
#include "lib/restore/base.h"
#include "lib/restore/combine.h"
#include "lib/restore/phases.h"
#include "lib/restore/recovered.h"
#include "lib/restore/replay.h"
#include "lib/restore/restorer.h"
#include "lib/restore/walfeed.h"

struct recovery {
	struct stage *st;
	const struct restore_job *job;
	const struct sniffed *what;
	struct base base;
	char data[PATH_MAX];
	struct combine chain;
	char whole[PATH_MAX]; /* of several backups put together; "": it is one */
	struct pg_bindir bin;
	struct strv settings;
	struct walfeed feed;
	struct cluster_adopted adopted;
	struct cluster cluster;
	struct replay replay;
	struct recovered recovered;
	struct phases phases;
	bool ready;
};

/* It did not come up, or did not answer: the server's own last words, under the name of what they
 * mean; e where it had none. */
void recovery_explain(struct recovery *w, const struct err *e);

/* It is open. */
void recovery_say(struct recovery *w);

/* WAL that was replayed. */
uint64_t recovery_bytes(const struct recovery *w);
#endif
