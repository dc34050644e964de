#ifndef LIB_REPORT_COURSE_H
#define LIB_REPORT_COURSE_H
/*
 * course: what the runs of a label measured, one after the other, as the points that forecast.h
 * reads: times beside the sizes of the backups, and how much is stored.
 *
 * Only like is put beside like: restores of another format ("pgbackrest incr"), or with another
 * durability of the temporary server, are no points of the same course.
 */
#include "lib/base/err.h"
#include "lib/base/forecast.h"
#include "lib/base/history.h"
#include "lib/report/past.h"

#include <jansson.h>
#include <stddef.h>

enum { COURSE_RUNS = 400 };

/* What is measured; from COURSE_PHASE on, past_phases[]. */
enum course_of {
	COURSE_RTO,
	COURSE_RPO,
	COURSE_STORAGE, /* all backups that are there, in bytes */
	COURSE_PHASE,
	COURSE_END = COURSE_PHASE + PAST_PHASES,
};

struct course_run {
	int64_t at_ms;
	char *kind;  /* owned */
	double size; /* of the backup; what it restores to, where that is known */
	double of[COURSE_END];
};

struct course {
	struct course_run v[COURSE_RUNS + 1]; /* oldest first; the last is the present one */
	size_t n;
	unsigned skipped; /* unreadable lines */
};

/* Reads the label's history. present: a "run" object that is not in it yet; NULL: its last one is
 * the present. 0, or -1 with *e; *c is to be freed in both cases. */
int course_load(struct course *c, struct history *history, const char *label, const json_t *present,
		struct err *e);
void course_free(struct course *c);

/* The points of one figure up to the present run's, into v[COURSE_RUNS + 1]. Returns how many: 0
 * when the present run has not measured it. */
size_t course_points(const struct course *c, enum course_of of, struct forecast_point *v);
#endif
