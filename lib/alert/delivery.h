#ifndef LIB_ALERT_DELIVERY_H
#define LIB_ALERT_DELIVERY_H
/*
 * delivery: at least once, in order, whatever dies.
 *
 *	delivery_begin()     the mark: a run has begun
 *	delivery_recover()   lock, state, what the spool knows beyond it
 *	delivery_add() ...   each message is on the disk
 *	delivery_commit()    the state is; the mark goes
 *	delivery_send()      what waits is sent, oldest first, and removed as it is accepted
 *
 * Killed before commit: the next call finds the mark. Killed after an add: it finds the message.
 * Killed between a service's acceptance and the removal: the message goes out once more, under the
 * same id and key, which is what services deduplicate by.
 *
 * Where the directory cannot be used (full disk, no permission) messages live in memory for
 * this one call: an alert is never held back by its own book-keeping. `trouble` says so.
 */
#include "lib/alert/home.h"
#include "lib/base/err.h"
#include "lib/net/retry.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct delivery {
	struct home home;
	json_t *state;   /* owned */
	json_t *unsaved; /* messages that could not be spooled; owned */
	char session[RUN_ID_SIZE];
	int64_t sequence;   /* the last one given out */
	struct err trouble; /* kind ERR_NONE: the directory works */
};

struct delivery_result {
	unsigned sent, refused, waiting;
	unsigned lost;  /* neither accepted nor spooled */
	enum fate fate; /* of the last message that was tried */
	struct err why; /* of the last one that was not accepted */
};

typedef enum fate delivery_send_fn(void *ctx, const json_t *message, struct err *e);

/* root as of home_root(), perhaps NULL. mark: this is a run that will decide. Never fails: see
 * trouble. */
void delivery_begin(struct delivery *d, const char *root, const char *sender, const char *label,
		    bool mark);
void delivery_recover(struct delivery *d, int64_t deadline_ms);

/* Borrows the message; puts "sequence" and "session" into it, and "last": this is the last one that
 * this process decided on. */
void delivery_add(struct delivery *d, json_t *message, bool last);
void delivery_commit(struct delivery *d);
void delivery_send(struct delivery *d, delivery_send_fn *send, void *ctx,
		   struct delivery_result *r);
unsigned delivery_waiting(const struct delivery *d);
void delivery_end(struct delivery *d);
#endif
