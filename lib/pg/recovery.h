#ifndef LIB_PG_RECOVERY_H
#define LIB_PG_RECOVERY_H
/*
 * recovery: the recovery point of a restored backup - up to which moment of production's life its
 * rows should be there - from evidence that is never quite enough. No clock, no database.
 *
 * A dump's rows are those of one instant S, and no dump says when that was. What we have:
 *
 *	said      a time in the backup's header or name: S or a few seconds before it - unless it
 *		  is local time read as UTC, or only a date; or, surely, S itself: the snapshot of
 *		  its baseline, or what the user says;
 *	latest    the backup's last modification (a finished dump): S is not later. Else now;
 *	data      the newest row in any restored table: S is not earlier, and in a database that
 *		  is in use hardly later.
 *
 * The recovery point is said or data, whichever is later, for both are lower bounds. It must not
 * be taken from the very table that it is to judge: one that lost its newest rows would excuse
 * itself. The data of all tables together is safe from that, unless every table lost its newest
 * rows, or only one has a time column: then the point is not sure, and rows that production has
 * beyond it may be new or lost.
 *
 * A said time that several tables contradict (production has rows between data and said in at
 * least two, and the backup in none) is taken for local time or for a stale source: data counts
 * then, and the disagreement is a finding.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg_evidence {
	bool said;
	int64_t said_ms;
	bool said_day;       /* it is no more than a date */
	bool said_surely;    /* by the user or with a zone: local time is out of the question */
	const char *said_by; /* who surely said it; NULL: the user */
	bool modified;
	int64_t modified_ms;
	int64_t now_ms;
	bool data;
	int64_t data_ms; /* the newest row of all */
	size_t near; /* tables whose newest row lies within RECOVERY_NEAR_MS of it, itself included
		      */
};

enum {
	RECOVERY_SKEW_MS = 2 * 60 * 1000,  /* clocks of two hosts; times cut to the minute */
	RECOVERY_NEAR_MS = 15 * 60 * 1000, /* how long a database in use may idle */
};

/* No row of the backup is later than this. */
int64_t pg_evidence_latest(const struct pg_evidence *v);

/* The two candidates between which counting decides: data_ms <= said_ms. */
struct pg_bounds {
	int64_t data_ms; /* the recovery point if the said time is no use */
	int64_t said_ms; /* the recovery point if it is; else the latest moment possible */
	bool use_said;
	char doubt[160]; /* why it is no use; "" */
};
void pg_recovery_bounds(const struct pg_evidence *v, struct pg_bounds *out);

struct pg_recovery {
	int64_t at_ms;
	bool by_said;   /* the cut to use is bounds.said_ms, else bounds.data_ms */
	bool sure;      /* rows beyond it are new: they cannot be lost ones */
	bool disagree;  /* said and data contradict each other: see why */
	const char *by; /* "the time in its name or header" */
	char why[256];  /* of disagree, or of not being sure */
};

/* between: tables of which production has rows later than bounds.data_ms and not later than
 * bounds.said_ms, and the backup has none. */
void pg_recovery_decide(const struct pg_evidence *v, const struct pg_bounds *b, size_t between,
			struct pg_recovery *out);
#endif
