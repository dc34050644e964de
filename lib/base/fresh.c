#include "lib/base/fresh.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <stdio.h>

/* So long nobody writes nothing to a database that is worth a backup. */
enum { STALE_S = 7 * 24 * 60 * 60 };

bool fresh_in_future(int64_t at_ms, int64_t now_ms)
{
	return at_ms > now_ms + FRESH_SKEW_MS;
}

static double age_s(int64_t at_ms, int64_t now_ms)
{
	return at_ms < now_ms ? (double)(now_ms - at_ms) / 1000 : 0;
}

/* True when it is in the future; then that has been said. */
static bool say_future(struct check *c, const char *what, int64_t at_ms, int64_t now_ms)
{
	char at[UTC_SIZE];

	if (!fresh_in_future(at_ms, now_ms))
		return false;
	check_say(c, V_UNKNOWN,
		  "%s is of %s, in the future: a wrong clock, or local time taken for UTC", what,
		  utc_human(at_ms, at));
	return true;
}

/* A limit in seconds as the range 0..limit. */
static void add_limit(struct check *c, uint64_t limit_s)
{
	char range[RANGE_SIZE];

	(void)snprintf(range, sizeof(range), "%llu", (unsigned long long)limit_s);
	check_metric_limits(c, NULL, limit_s ? range : NULL);
}

void fresh_say_backup(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s,
		      const struct range *warn, const struct range *crit)
{
	double s = age_s(at_ms, now_ms);
	char age[HUMAN_SIZE], limit[HUMAN_SIZE];

	if (say_future(c, "the backup", at_ms, now_ms))
		return;
	(void)human_duration(s, age);
	(void)human_duration((double)limit_s, limit);
	if (limit_s == 0)
		check_say(c, V_OK, "%s", age);
	else if (s > (double)limit_s)
		check_say(c, V_CRITICAL, "%s, older than %s", age, limit);
	else
		check_say(c, V_OK, "%s (limit %s)", age, limit);
	check_metric_real(c, "backup_age_seconds", s, "s");
	add_limit(c, limit_s);
	if (warn->set || crit->set)
		check_ranges(c, warn, crit, s);
}

void fresh_say_latest(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s, bool young)
{
	double s = age_s(at_ms, now_ms);
	char at[UTC_SIZE], age[HUMAN_SIZE], limit[HUMAN_SIZE];

	if (say_future(c, "the newest row", at_ms, now_ms))
		return;
	(void)utc_human(at_ms, at);
	(void)human_duration(s, age);
	(void)human_duration((double)limit_s, limit);
	if (s <= (double)limit_s)
		check_say(c, V_OK, "%s - within %s", at, limit);
	else if (young)
		check_say(
			c, s >= STALE_S ? V_CRITICAL : V_WARNING,
			"%s - %s old, though the backup is younger than %s: nobody wrote since, or "
			"it was taken from a stale copy",
			at, age, limit);
	else
		check_say(c, V_WARNING, "%s - %s old, more than %s", at, age, limit);
	check_metric_real(c, "data_age_seconds", s, "s");
}

/* What would be lost just before the next backup is there. */
static void add_worst(struct check *c, double rpo_s, int64_t interval_ms)
{
	double interval_s = (double)interval_ms / 1000;
	char worst[HUMAN_SIZE], interval[HUMAN_SIZE];

	check_say(c, c->status, "up to %s before the next one, with a backup every %s",
		  human_duration(rpo_s + interval_s, worst), human_duration(interval_s, interval));
	check_metric_real(c, "worst_rpo_seconds", rpo_s + interval_s, "s");
}

void fresh_say_rpo(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t target_s,
		   const char *by, int64_t interval_ms)
{
	double s = age_s(at_ms, now_ms);
	char rpo[HUMAN_SIZE], target[HUMAN_SIZE];

	if (say_future(c, by ? by : "the newest row", at_ms, now_ms))
		return;
	(void)human_duration(s, rpo);
	(void)human_duration((double)target_s, target);
	if (target_s == 0)
		check_say(c, V_OK, "%s%s%s", rpo, by ? ", by " : "", by ? by : "");
	else
		check_say(c, s > (double)target_s ? V_CRITICAL : V_OK, "%s (target %s)%s%s", rpo,
			  target, by ? ", by " : "", by ? by : "");
	check_metric_real(c, "rpo_seconds", s, "s");
	add_limit(c, target_s);
	if (interval_ms > 0)
		add_worst(c, s, interval_ms);
}

void fresh_say_verified(struct check *c, int64_t at_ms, int64_t now_ms, uint64_t limit_s)
{
	double s = age_s(at_ms, now_ms);
	char age[HUMAN_SIZE], limit[HUMAN_SIZE];

	if (say_future(c, "the last verification", at_ms, now_ms))
		return;
	(void)human_duration(s, age);
	(void)human_duration((double)limit_s, limit);
	if (limit_s == 0)
		check_say(c, V_OK, "verified %s ago", age);
	else if (s > (double)limit_s)
		check_say(c, V_CRITICAL, "verified %s ago, longer than %s", age, limit);
	else
		check_say(c, V_OK, "verified %s ago (limit %s)", age, limit);
	check_metric_real(c, "verified_age_seconds", s, "s");
	add_limit(c, limit_s);
}
