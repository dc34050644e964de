#ifndef LIB_RESTORE_OUTCOME_H
#define LIB_RESTORE_OUTCOME_H
/*
 * outcome: what is said of a restored server that is up, whatever was restored into it: the record
 * "instance", and the checks restore-time and verified-rto.
 */
#include "lib/restore/phases.h"
#include "lib/restore/restorer.h"

enum outcome_how {
	OUTCOME_WHOLE,
	OUTCOME_PART, /* something was left out, as asked */
	OUTCOME_FAILED,
};

struct outcome {
	struct stage *st;
	const struct restore_job *job;
	const struct cluster *cluster;
	const struct phases *phases;
	const struct strv *databases;
	const char *database; /* the one to look at */
	bool rows_only;       /* no measure of a recovery */
	bool has_point;
	int64_t point_ms;     /* the recovery point, by the best evidence */
	const char *point_by; /* ... which is: docs/records.md */
	enum outcome_how how;
};

void outcome_say(const struct outcome *o);
#endif
