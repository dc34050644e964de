#ifndef LIB_PG_RESTORED_H
#define LIB_PG_RESTORED_H
/*
 * restored: what the records on a probe's input tell about the restored database, and about the
 * backup that it came from.
 *
 * From the `instance` record: conninfo, database, databases, recovery_point and by what. From the
 * `backup` record (the one that says newest, else the latest by the time in its name, else by its
 * modification): name, path, taken_at, modified_at.
 */
#include "lib/base/err.h"
#include "lib/base/record.h"
#include "lib/base/strv.h"
#include "lib/pg/conn.h"
#include "lib/pg/recovery.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct restored {
	size_t records; /* seen */
	bool instance;  /* one was seen */
	char *conninfo;
	char *database;
	struct strv databases;
	bool recovered; /* recovery_point is known */
	int64_t recovered_ms;
	char *recovered_by; /* recovery_point_by; NULL: it does not say */

	bool backup; /* one was seen */
	bool newest; /* ... and it said so itself */
	char *name;
	char *path; /* where it is on this machine */
	bool taken; /* by its name or its header */
	int64_t taken_ms;
	bool taken_day; /* only the day */
	bool modified;
	int64_t modified_ms;
	int64_t *times; /* of all backups that were seen */
	size_t n_times;
};

void restored_see(struct restored *r, const struct record *record);
/* The fields of a backup that come from elsewhere: a run in the history. */
void restored_see_backup(struct restored *r, const json_t *fields);
void restored_free(struct restored *r);
#define RESTORED_AUTO __attribute__((cleanup(restored_free))) struct restored

/* Fills *out (borrowing from *r and from conninfo) with the way to the restored database: the one
 * named by the user (NULL: none), else the instance record's, else what PG* say. With records on
 * the input but no instance among them the restore failed, and PG* would lead elsewhere: -1. */
int restored_target(const struct restored *r, const char *conninfo, struct pg_target *out,
		    struct err *e);

/* What is known about the recovery point. given: by the user, NULL: not. */
void restored_evidence(const struct restored *r, const int64_t *given, struct pg_evidence *out);

/* How long it is, as a rule, from one backup to the next: the median of what was seen. False: fewer
 * than three backups were. */
bool restored_interval(struct restored *r, int64_t *ms);

/* The moment that counts as the backup's: in its name, else its modification. False: neither. */
bool restored_backup_time(const struct restored *r, int64_t *ms);
/* The same for the backup's age: the later of two claims is wrong when it lies in the future, and a
 * day has many moments. 0: neither. */
int64_t restored_backup_moment(const struct restored *r, int64_t now_ms);
#endif
