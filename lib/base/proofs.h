#ifndef LIB_BASE_PROOFS_H
#define LIB_BASE_PROOFS_H
/*
 * proofs: when a backup was last proved, and when a drill last did so, by the history: the checks
 * last-verified and last-drill. Limits are in seconds.
 */
#include "lib/base/history.h"
#include "lib/base/stage.h"

struct proofs {
	struct history *history; /* borrowed; NULL: there is none */
	const char *label;       /* of the runs; borrowed */
	bool drill, found;       /* a drill is looked for, and a proof was found */
	int64_t at_ms;           /* of the proof */
};

/* now: a backup is being verified in this very pipeline. Its success is not in the history yet,
 * and the days before it are no reason to fail it. */
void proofs_check_verified(struct stage *st, struct proofs *p, uint64_t limit_s, bool now);
/* A warning in the last tenth of the time; now: this very run is a drill. */
void proofs_check_drill(struct stage *st, struct proofs *p, uint64_t every_s, bool now);

/* The caller's; NULL: there is none, or (*e) it cannot be read. *skipped: unreadable lines. */
json_t *proofs_newest_run(const struct proofs *p, unsigned *skipped, struct err *e);
#endif
