#ifndef LIB_RESTORE_REPLAY_H
#define LIB_RESTORE_REPLAY_H
/*
 * replay: what a recovering server says in its log, followed while it grows: how far it has come,
 * and why it does not go on. The lines are those of PostgreSQL src/backend/access/transam/xlog.c
 * and xlogrecovery.c, in English (lc_messages=C), without a prefix (log_line_prefix).
 */
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { REPLAY_LINE = 400, REPLAY_LSN = 24 };

struct replay {
	const char *path; /* of the log */
	off_t at;
	char held[REPLAY_LINE]; /* the beginning of a line whose end has not been written yet */
	size_t held_n;
	int64_t began_ms; /* when following began; all by mono_ms(), 0: not yet */
	int64_t redo_ms, consistent_ms, ready_ms;
	char redo_lsn[REPLAY_LSN], done_lsn[REPLAY_LSN]; /* the first and the last record */
	char stopped[REPLAY_LINE]; /* "recovery stopping after WAL location ..."; "" */
	char commit[80];           /* log time of the last transaction; "" */
	char fatal[REPLAY_LINE];   /* why it ended, with its detail; "" */
	char trouble[REPLAY_LINE]; /* the last thing wrong with WAL; also harmless at its end */
	char damage[REPLAY_LINE];  /* the first thing wrong with the data; "" */
	bool detail;               /* of fatal is expected next */
};

/* Start from { .path = ..., .began_ms = mono_ms() }. Reads what is new. True when the server takes
 * connections. For cluster_opts.ready. */
bool replay_follow(void *replay);

/* One line, without its end. */
void replay_line(struct replay *r, const char *line, int64_t now_ms);
#endif
