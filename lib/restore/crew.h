#ifndef LIB_RESTORE_CREW_H
#define LIB_RESTORE_CREW_H
/*
 * crew: sessions on the temporary server that work on one script at the same time, each in a thread
 * of its own, while the script is still being read.
 *
 * Work is handed over in the order of the script. A piece of work begins once all work before it on
 * the same tables is done; of what may begin, COPY comes first, then what is on the largest table.
 * A COPY block goes to one session as a stream: what was read and not yet taken in is held in
 * memory, up to ahead_b in all, then the reader waits; so a block may be larger than memory.
 *
 * All functions are for the one thread that reads the script. -1 always means that it makes no
 * sense to go on (session.h), with the reason that the first session gave.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/restore/mishap.h"
#include "lib/restore/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew_opts {
	const char *conninfo; /* of the temporary server; borrowed */
	const struct strv *left_out;
	bool roles_expected; /* both as in session.h */
	unsigned sessions;
	size_t ahead_b;
};

struct crew;

/* NULL with *e when no thread can be had. */
struct crew *crew_new(const struct crew_opts *opts, struct err *e);

/* Work that is handed over from now on is for this database, in a new session's settings. All work
 * must be done; no session of the crew is in the old database then. */
void crew_enter(struct crew *c, const char *dbname);

/* A setting for all work that is handed over from now on. False: these are too many. */
bool crew_set(struct crew *c, const char *sql);

/* A statement of kind ORDER_TABLES. False: it names an index that is not known. */
bool crew_knows(struct crew *c, const struct order *o);
int crew_run(struct crew *c, uint64_t line, const char *sql, const struct order *o, struct err *e);

/* A COPY, its data, its end. */
int crew_copy_begin(struct crew *c, uint64_t line, const char *sql, const struct order *o,
		    struct err *e);
int crew_copy_put(struct crew *c, const char *p, size_t n, struct err *e);
void crew_copy_end(struct crew *c);

/* Waits until all work is done. A COPY whose data did not come to its end leaves nothing. */
int crew_drain(struct crew *c, struct err *e);

/* When the last COPY so far was over, by mono_ms(); 0: there was none. */
int64_t crew_copied_ms(struct crew *c);

/* Ends it, drained. Adds what went wrong, what was made, and the rows. */
struct crew_result {
	struct mishaps *mishaps;
	struct strv *made;
	uint64_t *rows;
};
int crew_end(struct crew *c, const struct crew_result *out, struct err *e);
#endif
