#include "lib/physical/walverdict.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of each kind the first ones have a check of their own; of windows those of the newest backups. */
enum { HOLES_SAID = 20, WINDOWS_SAID = 20 };

/* ---- holes -------------------------------------------------------------------------- */

static void say_meaning(struct buf *out, const struct walarchive *a, const struct walchain *c,
			const struct walhole *hole, enum verdict *verdict)
{
	const struct walbackup *needs, *next;
	char from[UTC_SIZE], to[UTC_SIZE];

	*verdict = walchain_weigh(a, hole, &needs, &next);
	if (needs != NULL)
		buf_addf(out, "; backup %s cannot be restored without it", needs->name);
	if (hole->before_ms != 0)
		buf_addf(out, "; nothing after %s can be recovered",
			 utc_human(hole->before_ms, from));
	else
		buf_adds(out, "; nothing after it can be recovered");
	if (next != NULL && next->label.stopped_ms > 0)
		buf_addf(out, " up to backup %s of %s", next->name,
			 utc_human(next->label.stopped_ms, to));
	else if (next != NULL)
		buf_addf(out, " up to backup %s", next->name);
	else if (c->newest_ms > hole->before_ms)
		buf_addf(out, ", though the archive goes on to %s", utc_human(c->newest_ms, to));
}

static void say_hole(struct stage *st, const struct walarchive *a, const struct walchain *c,
		     const struct walhole *hole)
{
	char first[WAL_NAME_SIZE], last[WAL_NAME_SIZE], count[HUMAN_SIZE], until[UTC_SIZE];
	const uint64_t n = (hole->to - hole->from) / a->segment_b;
	BUF_AUTO text = BUF_INIT(2048);
	enum verdict verdict;
	struct check check;

	wal_name(hole->timeline, hole->from, a->segment_b, first);
	wal_name(hole->timeline, hole->to - a->segment_b, a->segment_b, last);
	check_init(&check, hole->damaged ? "wal-segment" : "wal-gap", first);
	if (hole->damaged)
		buf_addf(&text, "%s: %s", hole->damaged->object, hole->why);
	else if (n == 1)
		buf_addf(&text, "%s is missing", first);
	else
		buf_addf(&text, "%s to %s are missing (%s segments)", first, last,
			 human_count((int64_t)n, count));
	say_meaning(&text, a, c, hole, &verdict);
	check_say(&check, verdict, "%s", text.s);
	if (hole->before_ms != 0)
		check_field(&check, "recoverable_until",
			    json_string(utc_format(hole->before_ms, until)));
	stage_check(st, &check);
}

/* ---- beside the way ----------------------------------------------------------------- */

static bool on_the_way(const struct walarchive *a, const struct walchain *c, const struct walseg *s)
{
	return s->lsn >= c->from && walpath_at(&c->path, s->lsn, a->segment_b) == s->timeline;
}

static void say_duplicates(struct stage *st, const struct walarchive *a, const struct walchain *c)
{
	char why[WALCHAIN_WHY];

	for (size_t i = 1; i < a->n_segs; i++) {
		const struct walseg *x = &a->segs[i - 1], *y = &a->segs[i];
		struct check check;

		if (strcmp(x->name, y->name) != 0 || x->partial || y->partial ||
		    x->lsn + a->segment_b <= c->from || x->why || y->why ||
		    (x->sum.digest == y->sum.digest && x->sum.fault == y->sum.fault))
			continue;
		check_init(&check, "wal-duplicate", x->name);
		check_say(&check, V_CRITICAL,
			  "%s and %s have one name and differ in content%s: a recovery may take "
			  "either",
			  x->object, y->object,
			  walchain_fault(a, c, x, why) || walchain_fault(a, c, y, why)
				  ? ", and one of them is not sound"
				  : "");
		stage_check(st, &check);
	}
}

/* Segments that no recovery to the newest timeline reads; they were looked at all the same. */
static void say_beside(struct check *check, const struct walarchive *a, const struct walchain *c)
{
	size_t beside = 0, bad = 0;
	char why[WALCHAIN_WHY];

	for (size_t i = 0; i < a->n_segs; i++) {
		const struct walseg *s = &a->segs[i];

		if (s->lsn < c->from || on_the_way(a, c, s))
			continue;
		beside++;
		if (walchain_fault(a, c, s, why) && bad++ == 0)
			check_say(check, V_WARNING, "%s: %s", s->object, why);
	}
	if (beside > 0)
		check_say(check, V_OK,
			  "%zu segments lie on timelines, or ends of them, that the newest one "
			  "does not go over",
			  beside);
}

static bool has_history(const struct walarchive *a, uint32_t timeline)
{
	for (size_t i = 0; i < a->n_histories; i++)
		if (a->histories[i].timeline == timeline)
			return true;
	return false;
}

static void say_timelines(struct stage *st, const struct walarchive *a, const struct walchain *c)
{
	const struct walpath_leg *legs = c->path.legs;
	struct check check;

	check_init(&check, "wal-timeline", "");
	for (size_t i = 0; i < a->n_histories; i++)
		if (a->histories[i].e.kind != ERR_NONE)
			check_say(&check, err_status(&a->histories[i].e), "%s",
				  a->histories[i].e.msg);
	for (size_t i = 0; i < a->n_segs; i++)
		if (a->segs[i].timeline > 1 && !has_history(a, a->segs[i].timeline) &&
		    (i == 0 || a->segs[i - 1].timeline != a->segs[i].timeline))
			check_say(&check, V_CRITICAL,
				  "%08" PRIX32 ".history is missing: no recovery finds the WAL of "
				  "timeline %" PRIu32,
				  a->segs[i].timeline, a->segs[i].timeline);
	say_beside(&check, a, c);
	if (c->path.n == 1)
		check_say(&check, V_OK, "timeline %" PRIu32, legs[0].timeline);
	for (size_t i = 1; i < c->path.n; i++)
		check_say(&check, V_OK,
			  "timeline %" PRIu32 " leaves %" PRIu32 " at %" PRIX32 "/%" PRIX32,
			  legs[i].timeline, legs[i - 1].timeline, (uint32_t)(legs[i].from >> 32),
			  (uint32_t)legs[i].from);
	stage_check(st, &check);
}

/* ---- what can be recovered ---------------------------------------------------------- */

static void say_window(struct stage *st, const struct walchain *c, const struct walbackup *b)
{
	const struct walhole *hole = walchain_stops(c, b);
	const uint64_t stop = b->label.stop ? b->label.stop : b->label.start + 1;
	const int64_t until_ms = hole ? hole->before_ms : c->newest_ms;
	char from[UTC_SIZE] = "its end", to[UTC_SIZE];
	struct check check;

	check_init(&check, "wal-window", b->name);
	if (b->label.stopped_ms > 0)
		(void)utc_human(b->label.stopped_ms, from);
	if (!walpath_leads_over(&c->path, b->label.timeline, b->label.start))
		check_say(&check, V_WARNING,
			  "it is of timeline %" PRIu32
			  ", which the newest one does not go over: it cannot be recovered to "
			  "that",
			  b->label.timeline);
	else if (b->label.start < c->from || b->label.start >= c->to || (hole && hole->from < stop))
		check_say(&check, hole && hole->unread ? V_UNKNOWN : V_CRITICAL,
			  "it cannot be restored from this archive: WAL that it needs is not there "
			  "or damaged");
	/* A commit before the backup ended is no time to recover to. */
	else if (until_ms == 0 || until_ms <= b->label.stopped_ms)
		check_say(&check, V_OK, "recoverable to its end: no commit stands behind it%s",
			  hole ? ", where a hole follows" : "");
	else
		check_say(&check, V_OK, "recoverable from %s to %s%s", from,
			  utc_human(until_ms, to), hole ? ", where a hole follows" : "");
	if (until_ms != 0)
		check_field(&check, "recoverable_until", json_string(utc_format(until_ms, to)));
	stage_check(st, &check);
}

static void say_newest(struct stage *st, const struct walchain *c,
		       const struct walverdict_opts *opts)
{
	const double age_s = (double)(utc_now_ms() - c->newest_ms) / 1000;
	char at[UTC_SIZE], age[HUMAN_SIZE], limit[HUMAN_SIZE];
	struct check check;

	check_init(&check, "wal-newest", "");
	if (c->newest_ms == 0) {
		check_say(&check, opts->max_lag_s ? V_UNKNOWN : V_OK,
			  "no commit stands in this WAL: how far it goes in time is not known");
	} else {
		const bool late = opts->max_lag_s && age_s > (double)opts->max_lag_s;

		check_say(&check, late ? V_CRITICAL : V_OK,
			  "the newest commit is of %s, %s ago%s%s%s", utc_human(c->newest_ms, at),
			  human_duration(age_s > 0 ? age_s : 0, age),
			  opts->max_lag_s ? " (limit " : "",
			  opts->max_lag_s ? human_duration((double)opts->max_lag_s, limit) : "",
			  opts->max_lag_s ? ")" : "");
		check_field(&check, "newest_commit", json_string(utc_format(c->newest_ms, at)));
		check_metric_real(&check, "wal_age_seconds", age_s, "s");
	}
	stage_check(st, &check);
}

/* ---- how lately it was looked at ---------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How lately each segment was verified. */
struct verified {
	int64_t *at_ms;           /* owned; oldest first */
	size_t n, all, now;       /* verified ones, all of them, those that were read now */
	int64_t first_written_ms; /* 0: not known */
};

static void collect(const struct walarchive *a, const struct walchain *c, struct verified *out)
{
	*out = (struct verified){ .at_ms = xcalloc(a->n_segs + 1, sizeof(*out->at_ms)) };
	for (size_t i = 0; i < a->n_segs; i++) {
		const struct walseg *s = &a->segs[i];

		if (s->lsn < c->from)
			continue;
		out->all++;
		if (s->verified_ms == 0)
			continue;
		out->at_ms[out->n++] = s->verified_ms;
		out->now += !s->remembered;
		if (s->modified_ms > 0 &&
		    (out->first_written_ms == 0 || s->modified_ms < out->first_written_ms))
			out->first_written_ms = s->modified_ms;
	}
	qsort(out->at_ms, out->n, sizeof(*out->at_ms), by_time);
}

static void say_detection(struct check *check, const struct verified *v, int64_t now,
			  uint64_t recheck_s)
{
	const double kept_s = (double)(now - v->first_written_ms) / 1000;
	char every[HUMAN_SIZE], kept[HUMAN_SIZE];

	(void)human_duration((double)recheck_s, every);
	if (v->first_written_ms == 0)
		check_say(check, V_OK, "each is read again after %s", every);
	else
		check_say(check, V_OK,
			  "each is read again after %s; the archive goes back %s: damage is %s",
			  every, human_duration(kept_s, kept),
			  (double)recheck_s < kept_s
				  ? "found before the oldest are expired"
				  : "not looked for a second time before the oldest are expired");
}

static void say_ledger(struct stage *st, const struct walarchive *a, const struct walchain *c,
		       const struct walverdict_opts *opts)
{
	const int64_t now = utc_now_ms();
	char most[HUMAN_SIZE], half[HUMAN_SIZE], count[HUMAN_SIZE];
	struct verified v;
	double oldest_s, median_s;
	struct check check;
	size_t half_n;

	collect(a, c, &v);
	half_n = v.n / 2;
	oldest_s = v.n ? (double)(now - v.at_ms[0]) / 1000 : 0;
	median_s = v.n ? (double)(now - v.at_ms[half_n]) / 1000 : 0;
	check_init(&check, "wal-ledger", "");
	check_say(&check, V_OK,
		  "%zu of %s segments verified (%.0f %%), %zu of them now, half within %s, all "
		  "within "
		  "%s",
		  v.n, human_count((int64_t)v.all, count),
		  v.all ? 100 * (double)v.n / (double)v.all : 100, v.now,
		  human_duration(median_s, half), human_duration(oldest_s, most));
	say_detection(&check, &v, now, opts->recheck_s);
	if (opts->ledger_damaged > 0)
		check_say(&check, V_WARNING,
			  "%zu lines of the ledger were damaged: their segments were read again",
			  opts->ledger_damaged);
	check_metric_int(&check, "segments_read", (int64_t)v.now, "");
	check_metric_int(&check, "segments_remembered", (int64_t)(v.n - v.now), "");
	check_metric_real(&check, "oldest_verification_seconds", oldest_s, "s");
	stage_check(st, &check);
	free(v.at_ms);
}

static void say_archive(struct stage *st, const struct walarchive *a, const struct walchain *c)
{
	size_t damaged = 0, unread = 0;
	char count[HUMAN_SIZE];
	struct check check;

	for (size_t i = 0; i < c->n_holes; i++) {
		damaged += c->holes[i].damaged && !c->holes[i].unread;
		unread += c->holes[i].unread;
	}
	check_init(&check, "wal-archive", storage_shown(a->storage));
	if (c->segments == 0)
		check_say(&check, V_CRITICAL,
			  "there is no WAL of the newest timeline from the oldest backup on");
	else if (c->n_holes == 0)
		check_say(&check, V_OK,
			  "%s segments of PostgreSQL %d from %" PRIX32 "/%" PRIX32 " to %" PRIX32
			  "/%" PRIX32 ", each record verified, none is missing",
			  human_count((int64_t)c->segments, count), c->major,
			  (uint32_t)(c->from >> 32), (uint32_t)c->from, (uint32_t)(c->to >> 32),
			  (uint32_t)c->to);
	else
		check_say(&check, c->missing || damaged ? V_WARNING : V_UNKNOWN,
			  "%s segments, %zu missing, %zu damaged, %zu could not be read",
			  human_count((int64_t)c->segments, count), c->missing, damaged, unread);
	if (a->label_error.kind != ERR_NONE)
		check_say(&check, err_status(&a->label_error), "%s", a->label_error.msg);
	if (a->n_backups == 0)
		check_say(&check, V_OK,
			  "no backup's label is among them: looked at from the oldest segment on");
	check_metric_int(&check, "segments", (int64_t)c->segments, "");
	check_metric_int(&check, "missing_segments", (int64_t)c->missing, "");
	check_metric_int(&check, "damaged_segments", (int64_t)damaged, "");
	stage_check(st, &check);
}

void walverdict_say(struct stage *st, const struct walarchive *a, const struct walchain *c,
		    const struct walverdict_opts *opts)
{
	say_archive(st, a, c);
	for (size_t i = 0; i < c->n_holes && i < HOLES_SAID; i++)
		say_hole(st, a, c, &c->holes[i]);
	say_duplicates(st, a, c);
	say_timelines(st, a, c);
	for (size_t i = a->n_backups > WINDOWS_SAID ? a->n_backups - WINDOWS_SAID : 0;
	     i < a->n_backups; i++)
		if (a->backups[i].label.start >= c->from)
			say_window(st, c, &a->backups[i]);
	say_newest(st, c, opts);
	if (opts->ledger)
		say_ledger(st, a, c, opts);
}
