#ifndef LIB_RESTORE_RUN_H
#define LIB_RESTORE_RUN_H
/*
 * run: an attempt (attempt.h) under supervision, and what the tool says of its end: interrupted,
 * out of time, killed; and that nothing is left of it, nor of earlier runs.
 */
#include "lib/restore/attempt.h"

/* The records so far, for COMMAND, in a file without a name: its descriptor, for the stage's tee
 * and for attempt.records_fd; -1 with *e. */
int run_records(struct stage *st, const char *work_dir, struct err *e);

/* Removes what earlier runs left that were killed with all their processes. */
void run_reap(const char *work_dir);
/* The same as all that is to be done. Its value is the exit status. */
int run_reap_only(struct stage *st, const char *work_dir);

/* Its value is the exit status. */
int run_attempt(struct stage *st, struct attempt *a);
#endif
