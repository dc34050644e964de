#ifndef LIB_BASE_FRESH_H
#define LIB_BASE_FRESH_H
/*
 * fresh: the sentences about ages, and their verdicts: of a backup, of the newest row in it, of the
 * last verification. Pure: the time of day comes from the caller. Limits are in seconds; 0 is none.
 *
 * A moment in the future beyond FRESH_SKEW_MS is unknown: a wrong clock or local time taken for
 * UTC has no age. Within it the age is 0.
 */
#include "lib/base/check.h"
#include "lib/base/range.h"

#include <stdbool.h>
#include <stdint.h>

enum { FRESH_SKEW_MS = 2 * 60 * 1000 };

/* Is the moment in the future, beyond what two clocks may differ? */
bool fresh_in_future(int64_t at_ms, int64_t now_ms);

/* "4 h 12 min (limit 26 h)"; adds backup_age_seconds. The ranges may be unset. */
void fresh_say_backup(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s,
		      const struct range *warn, const struct range *crit);

/* "2026-02-17 01:58:42 UTC - within 24 h"; adds data_age_seconds. Too old is a warning, for it may
 * be that nobody wrote: what must not be is the target's affair (fresh_say_rpo()). young: the
 * backup itself is within the limit, so that its data should be; critical when that is a week
 * older. */
void fresh_say_latest(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s, bool young);

/* "4 h 12 min (target 24 h)"; adds rpo_seconds. by: who tells, where it is not the newest row;
 * NULL. interval_ms: between two backups; then the worst case, just before the next one, is said
 * too and added as worst_rpo_seconds, without a verdict; 0: not known. */
void fresh_say_rpo(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t target_s,
		   const char *by, int64_t interval_ms);

/* "verified 23 h 50 min ago (limit 26 h)"; adds verified_age_seconds. */
void fresh_say_verified(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s);
#endif
