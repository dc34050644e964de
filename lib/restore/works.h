#ifndef LIB_RESTORE_WORKS_H
#define LIB_RESTORE_WORKS_H
/*
 * works: what a crew (crew.h) has to do, in the order of the script, and which of it must wait for
 * what else; with the data of each COPY that nobody has taken in yet.
 *
 * Nothing here locks: the crew's lock is held around each call.
 */
#include "lib/restore/order.h"
#include "lib/restore/places.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Data of a COPY, as it lay in the script. */
struct chunk {
	struct chunk *next;
	size_t n, size;
	char data[];
};

struct work {
	struct work *next; /* in the order of the script */
	uint64_t line;
	char *sql;       /* owned */
	size_t settings; /* of the crew's list: those before it */
	struct place *on[ORDER_ON];
	unsigned n_on;
	const struct place *makes; /* an index; NULL */
	bool shared, copy, begun;
	unsigned waits_for; /* earlier work, not done yet */
	struct work **then; /* that waits for this; owned */
	size_t n_then;
	struct chunk *first, *last; /* COPY: data not taken in yet */
	bool over;                  /* COPY: no more data will come, */
	bool cut;                   /* for the script ends before its end */
};

struct works {
	struct work *first;
	unsigned n, copies; /* not done */
	size_t held_b;      /* data that somebody has put and nobody forgotten */
};

/* From now on w, which came from malloc() with its sql, is the list's. */
void works_add(struct works *l, struct work *w);

/* What should begin next: a COPY, for it holds up the reader; else what takes longest. NULL: what
 * is there must wait. */
struct work *works_choose(const struct works *l);

/* Frees it, and lets go what waits for it. */
void works_done(struct works *l, struct work *w);

void works_put_data(struct works *l, struct work *copy, const char *p, size_t n);

/* What is being filled is left alone until it is full, or all there is. */
bool work_has_data(const struct work *copy);

/* The caller's, who gives it to works_forget(). NULL: no more will come. */
struct chunk *work_take_data(struct work *copy);
void works_forget(struct works *l, struct chunk *k);
#endif
