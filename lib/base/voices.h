#ifndef LIB_BASE_VOICES_H
#define LIB_BASE_VOICES_H
/*
 * voices: the lines of several processes that share one standard error, told apart.
 *
 * A program that writes a line in pieces ("pg_restore: ", "error: ", the rest), as everybody does
 * whose standard error is unbuffered, mixes its pieces with those of its sisters. Through a pipe
 * that cannot be undone. Through a socket it can: the kernel says with each piece who wrote it, and
 * never joins pieces of two writers (unix(7), SO_PASSCRED).
 */
#include "lib/base/err.h"

#include <sys/types.h>

enum { VOICES_LINE_MAX = 64 * 1024 }; /* what is beyond it of a line is dropped */

/* hear is ours to read from, speak is for proc's fd[2]; the caller closes both. -1 with *e. */
int voices_open(int *hear, int *speak, struct err *e);

/* Every line, without its end, until all who speak have closed; one without an end comes last.
 * who: the writer, 0 where it cannot be named from here (then all of them are one). */
int voices_read(int hear, void (*line)(void *ctx, pid_t who, const char *line), void *ctx,
		struct err *e);
#endif
