#include "lib/pg/drift.h"

#include "lib/base/human.h"
#include "lib/base/num.h"
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>

/* So many rows may be in flight without a question. */
enum { FEW = 10 };

static int64_t positive(int64_t n)
{
	return n > 0 ? n : 0;
}

/* Splits the difference by the age of the rows: from before the slack, within it, newer. */
static void split(struct pg_drift *d)
{
	const struct pg_side *h = &d->here, *t = &d->there;
	int64_t old = t->rows - t->slack - (h->rows - h->slack);
	int64_t young = t->slack - t->newer - (h->slack - h->newer);
	int64_t newer = t->newer - h->newer;

	d->difference = t->rows - h->rows;
	if (!t->there)
		return;
	if (!d->column) {
		d->lost = positive(d->difference);
		d->unexplained = d->difference < 0 ? -d->difference : d->difference;
		return;
	}
	d->explained = positive(newer);
	d->in_flight = positive(young);
	d->lost = positive(old);
	d->unexplained = d->lost + positive(-old) + positive(-young) + positive(-newer);
}

/* What is left unexplained, by what production's counters allow. */
static void ask_activity(struct pg_drift *d)
{
	const struct pg_activity *a = &d->activity;
	int64_t gone = d->unexplained - d->lost;
	int64_t floor = a->since && a->rows >= 0 ? a->rows - a->deleted : 0;

	if (!a->known || !d->here.there || !d->there.there || d->margin > 0)
		return;
	if (gone > 0 && gone <= a->deleted + (d->column ? a->updated : 0))
		d->deleted = gone;
	if (!d->column && a->since && d->lost <= a->inserted && d->here.rows >= floor)
		d->inserted = d->lost;
	d->lost -= d->inserted;
	d->unexplained -= d->deleted + d->inserted;
	/* Whatever the times of the rows that are there say. */
	if (d->here.rows < floor && floor - d->here.rows > d->lost) {
		d->unexplained += floor - d->here.rows - d->lost;
		d->lost = floor - d->here.rows;
	}
}

static bool tolerated(const struct pg_drift *d)
{
	const struct pg_tolerance *t = &d->tolerance;

	if (!t->set)
		return false;
	if (t->share)
		return (double)d->unexplained <= t->part * (double)d->there.rows;
	return (uint64_t)d->unexplained <= t->rows;
}

static bool within_margin(const struct pg_drift *d)
{
	return d->margin > 0 && d->here.rows > 0 && d->unexplained + d->in_flight <= d->margin;
}

/* Transactions are short beside the slack: of many rows in it most must have arrived. */
static bool implausible(const struct pg_drift *d)
{
	return d->in_flight > FEW && d->in_flight > (d->there.slack - d->there.newer) / 2;
}

static bool doubtful_young(const struct pg_drift *d)
{
	return d->in_flight > 0 && (d->day || d->idle || implausible(d));
}

/* What is new there may as well be lost here. */
static bool doubtful(const struct pg_drift *d)
{
	return (d->explained > 0 && (!d->sure || d->ahead)) || doubtful_young(d);
}

static enum verdict judge_missing_here(const struct pg_drift *d)
{
	if (d->unexplained > 0)
		return V_CRITICAL;
	return d->partition && !doubtful(d) ? V_OK : V_WARNING;
}

static enum verdict judge_rows(const struct pg_drift *d)
{
	if (within_margin(d))
		return V_OK;
	if (d->unexplained == 0)
		return doubtful(d) ? V_WARNING : V_OK;
	if (d->here.rows == 0)
		return d->unlogged ? V_WARNING : V_CRITICAL;
	if (tolerated(d))
		return V_OK;
	if (d->activity.rewritten && !d->column)
		return V_WARNING;
	return d->lost == 0 && d->difference == 0 ? V_WARNING : V_CRITICAL;
}

void pg_drift_judge(struct pg_drift *d)
{
	split(d);
	ask_activity(d);
	if (!d->here.there)
		d->verdict = judge_missing_here(d);
	else if (!d->there.there)
		d->verdict = d->partition ? V_OK : V_WARNING;
	else
		d->verdict = judge_rows(d);
	/* The restore computed it anew from the tables, production some time ago. */
	if (d->view && d->verdict == V_CRITICAL)
		d->verdict = V_WARNING;
}

static void part(struct buf *out, const char **before, int64_t n, const char *what)
{
	char text[HUMAN_SIZE];

	if (n <= 0)
		return;
	buf_addf(out, "%s%s %s", *before, human_count(n, text), what);
	*before = ", ";
}

static void say_parts(const struct pg_drift *d, struct buf *out)
{
	const char *before = " - ";

	part(out, &before, d->explained, "newer than the recovery point");
	part(out, &before, d->in_flight,
	     d->day               ? "of the day of the recovery point, newer or lost"
	     : !doubtful_young(d) ? "not yet committed at it"
	     : d->number          ? "with the last numbers drawn at it, not yet committed or lost"
				  : "of its last seconds, not yet committed or lost");
	part(out, &before, d->inserted, "inserted since");
	part(out, &before, d->deleted,
	     d->column && d->deleted > d->activity.deleted
		     ? "deleted or changed in production since"
		     : "deleted in production since");
	part(out, &before, d->lost,
	     d->column ? "from before the recovery point missing" : "missing");
	part(out, &before, d->unexplained - d->lost,
	     "not in production: deleted there since, or never there");
	if (before[0] == ' ')
		buf_adds(out, " - match");
}

/* The bounds that decided, for who wants to follow it. */
static void say_activity(const struct pg_drift *d, struct buf *out)
{
	const struct pg_activity *a = &d->activity;
	char in[HUMAN_SIZE], gone[HUMAN_SIZE], at[UTC_SIZE], rows[HUMAN_SIZE];

	if (a->rewritten && d->unexplained > 0 && !d->column)
		buf_adds(out, "; production truncated or rewrote the table since");
	if (!a->known || d->inserted + d->deleted + d->unexplained == 0)
		return;
	(void)human_count(a->inserted, in);
	(void)human_count(a->deleted, gone);
	if (!a->since && d->unexplained > d->lost + d->margin)
		buf_addf(out, "; its counters know of %s deletions at all", gone);
	if (!a->since || a->rows < 0)
		return;
	buf_addf(out, "; at %s production had %s, and inserted %s and deleted %s at most since",
		 utc_human(a->from_ms, at), human_count(a->rows, rows), in, gone);
}

static void say_doubts(const struct pg_drift *d, struct buf *out)
{
	if (within_margin(d))
		buf_adds(out, "; within the error of the estimate");
	else if (d->unexplained > 0 && d->here.rows > 0 && tolerated(d))
		buf_adds(out, "; within the tolerance");
	else if (d->unexplained > 0 && d->view)
		buf_adds(out, "; a materialized view, filled anew by the restore");
	else if (d->unexplained > 0 && d->unlogged && d->here.rows == 0)
		buf_adds(out, "; unlogged: no physical backup holds its rows");
	else if (d->lost > 0 && !d->column && !(d->activity.known && d->activity.since) &&
		 !d->activity.rewritten)
		buf_adds(out, "; no time column tells whether they are new");
	else if (d->lost > 0 && d->zoneless)
		buf_addf(out, "; %s has no time zone and was read as UTC (--time-zone)", d->column);
	if (d->explained > 0 && d->ahead)
		buf_addf(out, "; %s runs ahead of the recovery point: local time? (--time-zone)",
			 d->column);
	else if (d->explained > 0 && !d->sure)
		buf_adds(out, "; new or lost: the recovery point is not sure");
}

void pg_drift_say(const struct pg_drift *d, struct buf *out)
{
	char here[HUMAN_SIZE], there[HUMAN_SIZE];

	(void)human_count(d->here.rows, here);
	(void)human_count(d->there.rows, there);
	if (!d->there.there) {
		buf_addf(out, "%s, but production has no such table%s", here,
			 d->partition ? ": a partition dropped since" : "");
		return;
	}
	if (!d->here.there)
		buf_addf(out, "the restored database has no such table (production: %s)", there);
	else if (d->here.rows == 0 && d->there.rows > 0)
		buf_addf(out, "empty (production: %s)", there);
	else
		buf_addf(out, "%s (production: %s%s)", here, d->margin > 0 ? "about " : "", there);
	if (d->here.there || d->there.rows > 0)
		say_parts(d, out);
	say_doubts(d, out);
	say_activity(d, out);
}

int pg_tolerance_option(const char *value, void *to, struct err *e)
{
	struct pg_tolerance t = { .set = true };

	if (strchr(value, '%')) {
		t.share = true;
		if (num_share(value, &t.part, e) < 0)
			return -1;
	} else if (num_u64(value, 0, INT64_MAX, &t.rows, e) < 0) {
		return err_set(e, ERR_USAGE,
			       "'%s' is neither a number of rows nor a share; write "
			       "12 or 0.5%%",
			       value);
	}
	*(struct pg_tolerance *)to = t;
	return 0;
}
