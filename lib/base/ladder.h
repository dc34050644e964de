#ifndef LIB_BASE_LADDER_H
#define LIB_BASE_LADDER_H
/*
 * ladder: which periods of a retention ladder - the last so many days, weeks, months and years, in
 * UTC, weeks from Monday - hold a backup. Pure.
 *
 * It is counted back from the period of the newest backup: that there is none of today is another
 * check's affair. Periods before that of the oldest backup are not reached: nobody can tell a young
 * source from one that removes too early.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ladder_rung { LADDER_DAILY, LADDER_WEEKLY, LADDER_MONTHLY, LADDER_YEARLY, LADDER_RUNGS };

struct ladder_kept {
	uint64_t kept, missing; /* of the periods that are reached */
	uint64_t unreached;
	int64_t first_missing_ms; /* when the newest missing period begins */
};

/* at_ms: the moments of the backups, ascending; n > 0. wanted: periods, the newest included. */
void ladder_judge(enum ladder_rung rung, const int64_t *at_ms, size_t n, uint64_t wanted,
		  struct ladder_kept *out);

/* "daily", "day" */
const char *ladder_name(enum ladder_rung rung);
const char *ladder_period(enum ladder_rung rung);
#endif
