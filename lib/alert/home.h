#ifndef LIB_ALERT_HOME_H
#define LIB_ALERT_HOME_H
/*
 * home: where a sender keeps what must outlive the process, one private directory for each sender
 * and label:
 *
 *	STATE_DIR/SENDER/LABEL/lock           flock(2) around deciding and delivering
 *	                       state.json     what was told (state.h)
 *	                       spool/         what is to be delivered (spool.h)
 *	                       running-ID     a mark: this run began and has decided nothing yet
 *
 * A mark is locked by the process that it belongs to. One that can be locked by somebody else is
 * from a process that died before it decided (kill -9, power, out of memory): its run is known to
 * have begun and nothing else is, which is an alert of its own.
 */
#include "lib/base/err.h"
#include "lib/base/runid.h"
#include "lib/base/strv.h"

#include <stdbool.h>
#include <stdint.h>

struct home {
	char *dir;   /* owned; NULL: not open */
	char *spool; /* owned */
	char *mark;  /* owned; NULL: none */
	int lock_fd; /* -1: not locked */
	int mark_fd;
};
#define HOME_INIT \
	{ \
		.lock_fd = -1, .mark_fd = -1 \
	}

/* The state directory, the caller's to free: `given` when not NULL; "alerts" beside the history
 * ($HISTORY), when that is a file; /var/lib/backup-probes/alerts for root; $XDG_STATE_HOME
 * (~/.local/state) /backup-probes/alerts for users. NULL when HOME is unset too. */
char *home_root(const char *given);

/* Makes the directories that are missing, mode 0700. With make false it only names them. */
int home_open(struct home *h, const char *root, const char *sender, const char *label, bool make,
	      struct err *e);
void home_close(struct home *h);

/* Waits for the lock until then (monotonic). */
int home_lock(struct home *h, int64_t deadline_ms, struct err *e);

/* Removes the temporary files of writers that died. Only under the lock. */
void home_sweep(const struct home *h);

/* This process has begun; id is its own. */
int home_mark(struct home *h, const char id[RUN_ID_SIZE], int64_t now_ms, struct err *e);
void home_unmark(struct home *h);

/* The ids of the marks whose processes are dead, oldest first, and when one of them began (0:
 * unknown). They stay until home_bury(). Only under the lock. */
void home_dead(const struct home *h, struct strv *ids);
int64_t home_begun_ms(const struct home *h, const char *id);
void home_bury(const struct home *h, const char *id);
#endif
