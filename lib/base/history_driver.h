#ifndef LIB_BASE_HISTORY_DRIVER_H
#define LIB_BASE_HISTORY_DRIVER_H
/*
 * history_driver: what a place that keeps histories does. The lines themselves - their chain, their
 * signature, what is read out of them - are the same everywhere: history.c.
 */
#include "lib/base/history.h"

/* A run that is to be appended. */
struct history_entry {
	json_t *run; /* as it will be read again */
	const struct history_seal *seal;
	char *line; /* set by history_compose() */
	int64_t seq;
};

/* The entry's line with this field "chain", whose number is seq. -1 with *e. */
int history_compose(struct history_entry *entry, json_t *chain, int64_t seq, const char *place,
		    struct err *e);

/* Who takes the lines of a walk, the newest first. */
struct history_walk {
	const char *label; /* NULL: of all */
	const char *text;  /* the lines that hold it; NULL: all */
	bool heads;        /* what stands before its lists is enough */
	size_t most;       /* more will not be wanted */
	history_take *take;
	void *to;
	unsigned skipped;
};

/* Takes a line of len bytes; NULL: one that is too long. False: no more. */
bool history_offer(struct history_walk *walk, const char *line, size_t len);

/* The same for what stands before a line's lists, without the brace. *whole: that is no object by
 * itself; offer the line. */
bool history_offer_head(struct history_walk *walk, const char *head, size_t len, bool *whole);

/* A line as it is kept, the oldest first. */
struct history_raw {
	const char *bytes; /* with the newline, if it has one */
	size_t len;
	bool row; /* it is kept with what follows, which must be what it says itself */
	const char *label;
	int64_t seq, at_ms; /* at_ms INT64_MIN: none */
};
typedef bool history_take_raw(const struct history_raw *raw, void *to);

struct history_driver {
	/* Keeps others away from the label, has the line that follows its last one composed, and
	 * returns when that is on the disk. */
	int (*append)(struct history *h, const char *label, struct history_entry *entry,
		      struct err *e);
	int (*walk)(struct history *h, struct history_walk *walk, struct err *e);
	/* All lines of the label, until take() returns false. */
	int (*raw)(struct history *h, const char *label, history_take_raw *take, void *to,
		   struct err *e);
	int (*parts)(struct history *h, history_visit *visit, void *to, struct err *e);
	void (*close)(struct history *h);
};

/* The first member of each driver's own. */
struct history {
	const struct history_driver *driver;
	const char *name; /* the driver's */
};
#endif
