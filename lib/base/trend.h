#ifndef LIB_BASE_TREND_H
#define LIB_BASE_TREND_H
/*
 * trend: is a backup's size plausible beside those before it? Collects sizes from "backup" records
 * and from the history, and judges; pure, no clock, no files.
 */
#include "lib/base/verdict.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One backup; the strings are owned, "" where unknown. format: with the type, where it has one
 * ("pgbackrest incr"). bytes: what it restores to, where that is known, else its own. */
struct trend_backup {
	char *source, *name, *format, *sha256;
	int64_t at_ms; /* taken, else modified; INT64_MIN where unknown */
	uint64_t bytes;
};

struct trend_list {
	struct trend_backup *v;
	size_t n;
};

/* From the fields of a "backup" record, or of a run's "backup". False when it has no size. */
bool trend_backup_of(const json_t *fields, struct trend_backup *out);
void trend_backup_free(struct trend_backup *b);

/* Takes over what *b owns. */
void trend_add(struct trend_list *list, struct trend_backup *b);
void trend_free(struct trend_list *list);

/* The sizes of the last `most` different backups before *this, oldest first, into bytes[], and when
 * they were taken into at_ms[] (may be NULL): how many. One that names another source or another
 * format is no peer; a backup of 0 bytes is none either, for nothing can be compared with it. The
 * list is sorted by it. */
size_t trend_before(struct trend_list *list, const struct trend_backup *this, size_t most,
		    uint64_t *bytes, int64_t *at_ms);

/* Another backup with the same content: of the same size and SHA-256. NULL: none. */
const struct trend_backup *trend_twin(const struct trend_list *list,
				      const struct trend_backup *this);

/* Shares of the earlier size; INFINITY for no limit. */
struct trend_limits {
	double max_drop, max_growth;
};

struct trend {
	size_t n; /* earlier backups; with none, what follows is 0 */
	uint64_t previous_b, median_b;
	double against_previous, against_median; /* -0.2: a fifth smaller */
	bool dropped_previous, dropped_median;   /* beyond max_drop: critical */
	bool grown;                              /* beyond max_growth, against both: warning */
	enum verdict status;
};

/* earlier: oldest first, none of them 0. 0 bytes now are critical whatever was before. */
void trend_judge(const uint64_t *earlier, size_t n, uint64_t now_b,
		 const struct trend_limits *limits, struct trend *out);
#endif
