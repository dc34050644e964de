#ifndef LIB_BASE_VERIFIED_H
#define LIB_BASE_VERIFIED_H
/*
 * verified: when a backup was last proved, as the history of runs tells it: the check
 * "last-verified".
 */
#include "lib/base/check.h"
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct verified {
	const char *path, *label; /* borrowed */
	json_t *runs;             /* NULL: not read, see error; owned */
	unsigned skipped;
	struct err error;
};

/* path NULL: there is no history to read. */
void verified_read(struct verified *v, const char *path, const char *label);
void verified_free(struct verified *v);

/* The backup of the last run, for who reads no records; NULL: none. Borrowed. */
const json_t *verified_backup(const struct verified *v);

/* now: a backup is being verified in this very pipeline. Its success is not in the history yet,
 * and the days before it are no reason to fail it. */
void verified_say(struct check *c, const struct verified *v, bool now, uint64_t limit_s);
#endif
