#ifndef LIB_RESTORE_RELAY_H
#define LIB_RESTORE_RELAY_H
/*
 * relay: runs COMMAND with all records so far on its standard input, and passes on what it adds.
 *
 * COMMAND usually is a record filter and repeats its input: lines that it was fed come back byte
 * for byte, in their order, and are dropped, for they are in the stream already. What is new and a
 * record is passed on; what is no record goes to standard error.
 */
#include "lib/base/stage.h"
#include "lib/base/strv.h"

/* The lines that COMMAND was fed, as 64-bit hashes in their order. */
struct relay_fed {
	uint64_t *v; /* owned */
	size_t n, next;
};

void relay_fed_add(struct relay_fed *f, const char *line, size_t len);
/* Was this line fed, at or after where the last one was found? A filter may drop some. */
bool relay_fed_take(struct relay_fed *f, const char *line, size_t len);
void relay_fed_free(struct relay_fed *f);

struct relay_result {
	unsigned records; /* new ones */
	unsigned checks;  /* among them */
	unsigned strays;  /* lines that are no records */
	enum verdict
		worst; /* of the new checks: a pipe inside COMMAND hides its first tool's status */
	int status;    /* of wait(2) */
};

/* records_fd: a file that holds the records, read from its beginning. -1: it could not be run. */
int relay_run(struct stage *st, char *const *command, int records_fd, struct relay_result *out,
	      struct err *e);
#endif
