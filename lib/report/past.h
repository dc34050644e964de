#ifndef LIB_REPORT_PAST_H
#define LIB_REPORT_PAST_H
/*
 * past: what a report shows of earlier runs: the figures of each for charts, and one whole run to
 * compare with. Reads "run" objects (docs/records.md). Bounded by PAST_RUNS and PAST_DAYS.
 */
#include "lib/base/err.h"
#include "lib/base/history.h"
#include "lib/base/verdict.h"
#include "lib/report/tables.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAST_RUNS = 5000, PAST_DAYS = 371 };

/* The parts of a recovery time, in their order; past_phases[] names them. */
enum { PAST_PHASES = 13 };
struct past_phase {
	const char *check, *metric, *name;
};
extern const struct past_phase past_phases[PAST_PHASES];

/* Figures are NAN where the run has none. */
struct past_run {
	int64_t at_ms;
	enum verdict status;
	bool restored; /* it tried to: it has a check "restore" */
	bool verified;
	double bytes, rto_s, rto_target_s, rpo_s, rpo_target_s;
	double phase_s[PAST_PHASES];
	double rows[TABLES_MOST]; /* of the watched tables; set by past_watched() */
};

struct past {
	struct past_run *v; /* oldest first */
	size_t n;
	json_t *last;        /* the newest run of the same kind as the present one; NULL: none */
	int64_t verified_ms; /* end of the newest run that verified a backup; INT64_MIN: none */
	bool known;          /* a history was read, even an empty one */
	char *tables[TABLES_MOST]; /* watched: their rows are taken from every run; owned */
	size_t n_tables;
};

#define PAST_NONE \
	{ \
		.verified_ms = INT64_MIN \
	}

/* False when the object has no time. */
bool past_run_of(const json_t *run, struct past_run *out);

/* Watches the largest tables of the present run, whose checks these are. Before past_load(). */
void past_watch(struct past *p, const json_t *checks);
void past_watched(const struct past *p, const json_t *run, struct past_run *out);

/* The value of a metric of the run's first check of that name; NAN where there is none. */
double past_metric(const json_t *run, const char *check, const char *metric);

/* Reads the history of the label into *p, which is PAST_NONE. restored: the present run tried to
 * restore, so that the run to compare with is one that did. 0, or -1 with *e. */
int past_load(struct past *p, struct history *history, const char *label, bool restored,
	      int64_t now_ms, struct err *e);

void past_free(struct past *p);
#endif
