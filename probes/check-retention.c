/* check-retention: are the backups kept that should be, and only those, and what do they cost? */
#include "lib/base/human.h"
#include "lib/base/ladder.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

static struct {
	uint64_t keep[LADDER_RUNGS]; /* 0: not asked for */
	uint64_t expire_s, max_storage_b;
	double price;
	const char *currency;
} config = { .currency = "" };

static int set_price(const char *value, void *to, struct err *e)
{
	double *price = to;
	char *end;

	*price = strtod(value, &end);
	if (end == value || *end != '\0' || strspn(value, "0123456789.") != strlen(value))
		return err_set(e, ERR_USAGE, "'%s' is not a price, such as 0.023", value);
	return 0;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_COUNT, 0, "daily", "N", &config.keep[LADDER_DAILY],
	  "each of the last N days must have a backup", "KEEP_DAILY", false, NULL },
	{ OPT_COUNT, 0, "weekly", "N", &config.keep[LADDER_WEEKLY],
	  "each of the last N weeks", "KEEP_WEEKLY", false, NULL },
	{ OPT_COUNT, 0, "monthly", "N", &config.keep[LADDER_MONTHLY],
	  "each of the last N months", "KEEP_MONTHLY", false, NULL },
	{ OPT_COUNT, 0, "yearly", "N", &config.keep[LADDER_YEARLY],
	  "each of the last N years", "KEEP_YEARLY", false, NULL },
	{ OPT_DURATION, 0, "expire-after", "DURATION", &config.expire_s,
	  "a warning when there are older backups than this", "EXPIRE_AFTER", false, NULL },
	{ OPT_SIZE, 0, "max-storage", "SIZE", &config.max_storage_b,
	  "a warning when all of them take more", "MAX_STORAGE", false, NULL },
	{ OPT_CALL, 0, "price", "PRICE", &config.price,
	  "what a GB costs in a month, to tell what all of them cost", "STORAGE_PRICE", false,
	  set_price },
	{ OPT_TEXT, 0, "currency", "TEXT", &config.currency, "of that price, for the report",
	  "STORAGE_CURRENCY", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "check-retention",
	.what = "check which backups are kept, and what they cost",
	.operands = "",
	.description =
		"Reads the \"backup\" records of a listing. Of the ladder that is asked for - so "
		"many "
		"days, weeks, months, years, in UTC - each period must have a backup that is not "
		"empty, counted back from the newest one. A period without one, between others "
		"that have one, is critical: that moment cannot be restored. A ladder that does "
		"not reach back so far is a warning, for a young source looks like one whose "
		"backups are removed too early.\n"
		"\n"
		"Backups older than --expire-after should be gone: they cost, and they hold data "
		"that may have to be forgotten.",
	.examples = "list-backups s3://backups/shop/ | check-retention --daily 7 --weekly 4 "
		    "--monthly 12\n"
		    "is there one of each day, week and month?\n"
		    "list-backups /srv/backups | check-retention --expire-after 90d --price 0.023 "
		    "--currency USD\n"
		    "are old ones removed, and what do the others cost?",
	.see_also = "check-freshness(1), list-backups(1), size-trend(1)",
	.options = options,
};

/* What was seen of the listing. */
struct listing {
	int64_t *at_ms; /* of backups that are not empty; owned */
	size_t n;
	size_t seen, undated, expired;
	int64_t oldest_ms; /* of the expired ones */
	int64_t bytes;
};

static void see(struct listing *l, const struct record *r)
{
	int64_t at_ms, bytes = -1;

	/* The fetched one was listed before. */
	if (!r->object || strcmp(r->kind, "backup") != 0 || record_true(r->object, "newest"))
		return;
	l->seen++;
	if (record_int(r->object, "bytes", &bytes) && bytes > 0 &&
	    __builtin_add_overflow(l->bytes, bytes, &l->bytes))
		l->bytes = INT64_MAX;
	if (!record_time(r->object, "taken_at", &at_ms) &&
	    !record_time(r->object, "modified_at", &at_ms)) {
		l->undated++;
		return;
	}
	if (config.expire_s && at_ms < utc_now_ms() - (int64_t)config.expire_s * 1000) {
		if (l->expired++ == 0 || at_ms < l->oldest_ms)
			l->oldest_ms = at_ms;
	}
	if (bytes == 0)
		return;
	l->at_ms = xrealloc(l->at_ms, l->n + 1, sizeof(*l->at_ms));
	l->at_ms[l->n++] = at_ms;
}

static int ascending(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void check_rung(struct stage *st, const struct listing *l, enum ladder_rung rung)
{
	const char *period = ladder_period(rung);
	struct ladder_kept kept = { 0 };
	char at[UTC_SIZE];
	struct check c;

	check_init(&c, "retention", ladder_name(rung));
	if (l->n == 0) {
		check_say(&c, l->seen ? V_CRITICAL : V_UNKNOWN, "%s",
			  l->seen ? "no backup that is not empty"
				  : "no backup record on the input");
		stage_check(st, &c);
		return;
	}
	ladder_judge(rung, l->at_ms, l->n, config.keep[rung], &kept);
	if (kept.missing > 0)
		check_say(&c, V_CRITICAL,
			  "no backup in %llu of the last %llu %ss, last in that of %.10s",
			  (unsigned long long)kept.missing, (unsigned long long)config.keep[rung],
			  period, utc_human(kept.first_missing_ms, at));
	else
		check_say(&c, V_OK, "a backup in each of the last %llu %ss",
			  (unsigned long long)kept.kept, period);
	if (kept.unreached > 0)
		check_say(&c, V_WARNING,
			  "the oldest is of %.10s: the last %llu %ss are not reached, by a young "
			  "source or one that removes too early",
			  utc_human(l->at_ms[0], at), (unsigned long long)config.keep[rung],
			  period);
	check_metric_int(&c, "kept", (int64_t)kept.kept, "");
	stage_check(st, &c);
}

static void check_expired(struct stage *st, const struct listing *l)
{
	char at[UTC_SIZE], age[HUMAN_SIZE];
	struct check c;

	check_init(&c, "expired-backups", "");
	(void)human_duration((double)config.expire_s, age);
	if (l->undated > 0)
		check_say(&c, V_UNKNOWN, "%zu backups tell no time", l->undated);
	if (l->expired > 0)
		check_say(&c, V_WARNING, "%zu older than %s, the oldest of %s", l->expired, age,
			  utc_human(l->oldest_ms, at));
	else
		check_say(&c, V_OK, "none is older than %s", age);
	check_metric_int(&c, "expired", (int64_t)l->expired, "");
	stage_check(st, &c);
}

static void check_storage(struct stage *st, const struct listing *l)
{
	char bytes[HUMAN_SIZE], limit[HUMAN_SIZE], range[RANGE_SIZE];
	double cost = (double)l->bytes / 1e9 * config.price;
	struct check c;

	check_init(&c, "storage-used", "");
	(void)human_bytes((uint64_t)l->bytes, bytes);
	if (l->seen == 0)
		check_say(&c, V_UNKNOWN, "no backup record on the input");
	else if (config.max_storage_b && (uint64_t)l->bytes > config.max_storage_b)
		check_say(&c, V_WARNING, "%s in %zu backups, more than %s", bytes, l->seen,
			  human_bytes(config.max_storage_b, limit));
	else
		check_say(&c, V_OK, "%s in %zu backups", bytes, l->seen);
	if (config.price > 0 && l->seen > 0)
		check_say(&c, c.status, "%.2f%s%s a month", cost, *config.currency ? " " : "",
			  config.currency);
	check_metric_int(&c, "storage_bytes", l->bytes, "B");
	(void)snprintf(range, sizeof(range), "%llu", (unsigned long long)config.max_storage_b);
	check_metric_limits(&c, config.max_storage_b ? range : NULL, NULL);
	if (config.price > 0)
		check_metric_real(&c, "cost_per_month", cost, "");
	stage_check(st, &c);
}

int main(int argc, char **argv)
{
	struct listing l = { 0 };
	struct record r;
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	for (enum ladder_rung rung = 0; rung < LADDER_RUNGS; rung++)
		if (config.keep[rung] > 100000)
			tool_usage("--%s: give a number to 100000", ladder_name(rung));
	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		see(&l, &r);
	if (l.n > 0)
		qsort(l.at_ms, l.n, sizeof(*l.at_ms), ascending);
	for (enum ladder_rung rung = 0; rung < LADDER_RUNGS; rung++)
		if (config.keep[rung] > 0)
			check_rung(&st, &l, rung);
	if (config.expire_s > 0)
		check_expired(&st, &l);
	check_storage(&st, &l);
	free(l.at_ms);
	return stage_end(&st);
}
