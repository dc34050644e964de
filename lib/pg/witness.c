#include "lib/pg/witness.h"

#include "lib/base/fresh.h"
#include "lib/base/human.h"
#include "lib/base/utc.h"

#include <string.h>

/* Names and headers may be in local time, or tell no more than the day. */
enum { DAY_MS = 24 * 60 * 60 * 1000 };

bool witness_replayed(const struct witnesses *w)
{
	return w->point && w->point_by && strcmp(w->point_by, "last-commit") == 0;
}

static const char *point_by(const struct witnesses *w)
{
	static const struct {
		const char *by, *says;
	} ways[] = {
		{ "last-commit", "the last commit that was replayed" },
		{ "base-backup", "the beginning of its base backup" },
		{ "header", "the header of the dump" },
		{ "name", "the time in its name" },
		{ "modified", "the time of its file" },
	};

	for (size_t i = 0; w->point_by && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].by, w->point_by) == 0)
			return ways[i].says;
	return "what the backup says of itself";
}

const char *witness_best(const struct witnesses *w, int64_t *at_ms)
{
	if (w->snapshot) {
		*at_ms = w->snapshot_ms;
		return "its baseline's snapshot";
	}
	if (witness_replayed(w) || (w->point && !w->row)) {
		*at_ms = w->point_ms;
		return point_by(w);
	}
	if (w->row) {
		*at_ms = w->row_ms;
		return "its newest row";
	}
	*at_ms = w->backup_ms;
	return !w->backup       ? NULL
	       : w->backup_said ? "the time that it names"
				: "the time of its file";
}

bool witness_proves(const struct witnesses *w)
{
	static const char *const proofs[] = { "last-commit", "base-backup", "header" };

	for (size_t i = 0; w->point && w->point_by && i < sizeof(proofs) / sizeof(proofs[0]); i++)
		if (strcmp(proofs[i], w->point_by) == 0)
			return true;
	return w->snapshot || w->row;
}

/* Rows that are newer than all that the backup can hold. */
static void weigh_row(struct check *c, const struct witnesses *w, int64_t at_ms)
{
	char by[HUMAN_SIZE], row[UTC_SIZE];

	if (!w->row || (!w->snapshot && !witness_replayed(w)) || w->row_ms <= at_ms + FRESH_SKEW_MS)
		return;
	check_say(c, V_WARNING,
		  "its newest row, of %s, is %s newer: another clock, local time, or %s",
		  utc_human(w->row_ms, row), human_duration((double)(w->row_ms - at_ms) / 1000, by),
		  w->snapshot ? "the baseline of another backup" : "a commit without a time");
}

/* Is the backup that is called today's one of today? */
static void weigh_backup(struct check *c, const struct witnesses *w, int64_t at_ms)
{
	int64_t later_ms = w->backup_ms - at_ms;
	char by[HUMAN_SIZE], at[UTC_SIZE];

	if (!w->backup || (!w->snapshot && !witness_replayed(w)))
		return;
	(void)utc_human(w->backup_ms, at);
	(void)human_duration((double)(later_ms < 0 ? -later_ms : later_ms) / 1000, by);
	if (later_ms > DAY_MS && w->snapshot && w->backup_said)
		check_say(c, V_CRITICAL,
			  "the backup says that it is of %s, but its baseline is %s older: an old "
			  "backup under a new name, or another one's baseline",
			  at, by);
	else if (later_ms > DAY_MS)
		check_say(c, V_WARNING, "the backup is of %s, %s later: %s", at, by,
			  w->snapshot ? "copied since, or another one's baseline"
				      : "nobody wrote, or the WAL after it is missing");
	else if (later_ms < -DAY_MS && w->snapshot)
		check_say(c, V_WARNING,
			  "the backup is of %s, %s before that: another one's baseline?", at, by);
}

void witness_say(struct check *c, const struct witnesses *w, int64_t now_ms)
{
	char at[UTC_SIZE];
	int64_t at_ms = 0;
	const char *by = witness_best(w, &at_ms);

	check_observed_text(c, utc_format(at_ms, at));
	check_field(c, "by", json_string(by));
	(void)utc_human(at_ms, at);
	if (fresh_in_future(at_ms, now_ms)) {
		check_say(c, V_UNKNOWN,
			  "%s, by %s: in the future; a wrong clock, or local time taken for UTC",
			  at, by);
		return;
	}
	check_say(c, V_OK, "%s, by %s", at, by);
	weigh_row(c, w, at_ms);
	weigh_backup(c, w, at_ms);
}
