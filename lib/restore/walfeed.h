#ifndef LIB_RESTORE_WALFEED_H
#define LIB_RESTORE_WALFEED_H
/*
 * walfeed: what a recovering server gets for its restore_command. The command is a line of shell
 * that asks through a FIFO in the private directory and waits for the answer in another; here a
 * thread answers: it has the file fetched (walwire.h), unpacks it, and hands it over only when it
 * is WAL of this very cluster. (Of a foreign or shortened file the server would think that the
 * archive ends there.) While the server replays a segment, the next one is made ready.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/dump/stream.h"
#include "lib/physical/control.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Start from { .end = ..., .dir = ..., .control = ..., .reading = ... }. */
struct walfeed {
	int end;         /* of the wire; -1: there is no archive */
	const char *dir; /* private, ours */
	const struct control *control;
	const struct stream_opts *reading;
	struct strv names; /* that the archive holds, sorted */
	char ready[32];    /* the thread's: the file that lies there already; "" */
	uint64_t ready_b;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* of what follows */
	struct err broken;    /* why a file could not be handed over; ERR_BACKUP: it is bad */
	uint64_t files, bytes;
	char last[32]; /* segment that was handed over; "" */
};

/* Lists the archive and gets ready for questions. Without an archive nothing happens. */
int walfeed_start(struct walfeed *f, struct err *e);

/* The setting restore_command=... that asks here, in the data directory dir/data. */
const char *walfeed_command(const struct walfeed *f);

/* No more questions come. */
void walfeed_stop(struct walfeed *f);
#endif
