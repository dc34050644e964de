#ifndef LIB_BASE_STAGE_H
#define LIB_BASE_STAGE_H
/*
 * stage: one tool's place in the pipeline (design, sections 1 and 3).
 *
 * It reads records from standard input and passes each through unchanged, at once; adds the
 * tool's own (between its stage records "begin" and "end"); remembers the worst status said; and
 * turns it all into the exit status. With --text it prints for people instead, with --nagios one
 * plugin line at the end, and then it never reads. A line that is no record becomes an unknown
 * check of ours, once; from the twenty-first on they are counted.
 *
 * Typical filter:
 *	stage_begin(&st, &tool);
 *	while (stage_next(&st, &r))
 *		look(&r);
 *	... stage_check(&st, &c) ...
 *	return stage_end(&st);
 *
 * --timeout is kept here too: a thread writes an unknown check and "end" and ends the process with
 * status 3, whatever the tool hangs in. Tools with own_timeout do that themselves, as long as their
 * grace lasts; one that gathers stops reading, with a finding, for it still has to act.
 *
 * The run's id and label come from the options, else from the first record that carries them, else
 * the id is made. "begin" is written after the first input line, so that it can carry them, or at
 * the input's end.
 */
#include "lib/base/check.h"
#include "lib/base/record.h"
#include "lib/base/runid.h"
#include "lib/base/tool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { LABEL_SIZE = 256 };

struct stage {
	const struct tool *tool;
	struct record_reader *in; /* NULL: does not read */
	char run[RUN_ID_SIZE];
	char label[LABEL_SIZE]; /* "" while unknown */
	enum verdict status;    /* worst of our own checks */
	unsigned checks;        /* how many of them */
	int64_t started_ms;     /* monotonic */
	unsigned lines;         /* read from standard input */
	unsigned bad_lines;     /* those of them that were no records */
	bool begun;
	bool out_failed; /* standard output is gone: status 3 at the end */
	int tee_fd;      /* see stage_tee(); -1: none */
	json_t *kept;    /* our checks, for the plugin's line and for who gathers; owned */
};

void stage_begin(struct stage *st, const struct tool *t);

/* The next record, already passed through. False at the end, and at once when this stage does not
 * read (a source, a plugin, a terminal as standard input). Lines that are no records are dealt with
 * inside. r is valid until the next call. */
bool stage_next(struct stage *st, struct record *r);

/* Reads and passes through all that is left. */
void stage_drain(struct stage *st);

/* A child process of ours has read on from where we stopped: the rest is not ours to read. */
void stage_leave_input(struct stage *st);

/* Writes one of our checks and releases it. */
void stage_check(struct stage *st, struct check *c);

/* Writes a record of another kind ("backup", "instance"); its own fields are given, the shared ones
 * are added. Takes over the reference. */
void stage_record(struct stage *st, const char *kind, json_t *fields);

/* One check `name` from an error: critical for a bad backup, else unknown. */
void stage_error(struct stage *st, const char *name, const char *subject, const struct err *e);

/* From now on every record that is passed on or written goes to fd too, as a line, whatever the
 * output is; first of all our "begin", when it is out already. -1: no more. restore-to-temp feeds
 * its COMMAND from this, and counts in it what its child processes have said. */
void stage_tee(struct stage *st, int fd);

/* Counts one of our checks that another process of ours has written. */
void stage_count(struct stage *st, const json_t *check);

/* Writes a line that is a record already (restore-to-temp relays those of its COMMAND). */
void stage_pass(struct stage *st, const struct record *r);

/* "end", the summary, and the exit status of main(). A stage that checked nothing is unknown unless
 * its tool may_be_empty. */
int stage_end(struct stage *st);

/* stage_error(), stage_drain(), stage_end(): the tool cannot go on. */
int stage_fail(struct stage *st, const char *name, const char *subject, const struct err *e);
#endif
