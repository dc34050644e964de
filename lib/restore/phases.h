#ifndef LIB_RESTORE_PHASES_H
#define LIB_RESTORE_PHASES_H
/*
 * phases: how long each part of a recovery took (design, section 6). What only the verification
 * needs (looking at the backup's completeness, handing the file to another user) is not part of a
 * recovery and not timed.
 */
#include "lib/base/buf.h"
#include "lib/base/check.h"

#include <stdbool.h>
#include <stdint.h>

enum phase {
	PHASE_BRING,      /* its program's own restore, out of its repository */
	PHASE_DECRYPT,    /* as far as it can be told apart */
	PHASE_UNPACK,     /* an archive that is compressed as a whole */
	PHASE_COMBINE,    /* an incremental backup, with those that it builds on */
	PHASE_START,      /* making the server and starting it */
	PHASE_CONSISTENT, /* a physical backup: replay until it is consistent */
	PHASE_REPLAY,     /* and on to the target, until it takes connections */
	PHASE_PRE_DATA,   /* roles, databases, tables */
	PHASE_DATA,       /* rows */
	PHASE_POST_DATA,  /* indexes, constraints, triggers */
	PHASE_ANALYZE,    /* statistics for the planner, where they are asked for */
	PHASE_READY,      /* up to the first correct answer */
	PHASES
};

/* Start from { .find_s = -1, .fetch_s = -1 } when it is not known how long these took. */
struct phases {
	double find_s; /* before the first byte was fetched: no part of the total */
	double fetch_s;
	bool ran[PHASES];
	int64_t ms[PHASES];
	uint64_t bytes[PHASES]; /* that it made: unpacked; on the disk, rows and indexes; 0: none */
	int64_t unpack_along_ms;  /* spent on unpacking while rows went in: a part of their time */
	bool decrypts_along;      /* it is decrypted while rows go in */
	int64_t decrypt_along_ms; /* the same, of decrypting */
	bool arrives_along;       /* it was fetched while rows went in, or while it was unpacked */
	int64_t arrives_ms;       /* since when, by mono_ms() */
	int64_t wait_ms;          /* spent on waiting for it: a part of their time */
	int64_t began_ms;         /* of the running one */
	int64_t ended_ms;         /* of the last one, by mono_ms() */
	void (*progress)(const char *phase); /* NULL: nobody wants to know that one begins */
};

/* A phase may begin several times: its times add up. */
void phases_begin(struct phases *p, enum phase which);
void phases_end(struct phases *p, enum phase which);

/* ms of what one phase took were another's. */
void phases_move(struct phases *p, enum phase from, enum phase to, int64_t ms);

double phases_restore_s(const struct phases *p); /* without fetching */
/* With it, where it is known. What was fetched along: from its first byte to the end of all. */
double phases_total_s(const struct phases *p);

/* "22 min to a temporary server (fetch 2 min 20 s, restore 19 min, indexes 3 min)" */
void phases_text(const struct phases *p, struct buf *out);

/* restore_seconds, then for each phase that ran its seconds, bytes, and bytes in a second. */
void phases_metrics(const struct phases *p, struct check *c);
#endif
