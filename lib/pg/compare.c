#include "lib/pg/compare.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Two candidates for the recovery point, each with the slack before and after it. */
enum {
	CUT_DATA,
	CUT_SAID,
	CUT_CANDIDATES,
	CUT_BEFORE = CUT_CANDIDATES,
	CUT_AFTER = 2 * CUT_CANDIDATES
};
enum { DAY_MS = 24 * 60 * 60 * 1000 };
/* So many numbers may have been drawn by transactions that were not committed yet. */
enum { KEY_SLACK = 64 };

/* Its rows tell the time to the second. */
static bool timed(const struct pg_compared *x)
{
	return x->column && !x->key.column && x->type != PG_TIME_DATE;
}

/* Both sides must have the column, whatever they guessed on their own. A production that cannot be
 * asked any more says so when its rows are counted. */
static void agree_on_column(struct pg_compare *c, struct pg_compared *x)
{
	struct pg_table *here = x->pair->here, *there = x->pair->there;
	const struct pg_timecol *column = here ? &here->created : &there->created;
	bool found = true;
	struct err ignored;

	if (!there || !column->name)
		return;
	if (here && (!there->created.name || strcmp(there->created.name, column->name) != 0) &&
	    pg_table_name_timecol(c->there, there, column->name, &found, &ignored) < 0)
		return;
	if (!found)
		return;
	x->column = column->name;
	x->type = column->type;
}

static struct pg_readers readers(const struct pg_compare *c, struct pg *first)
{
	return (struct pg_readers){ .first = first,
				    .sessions = c->jobs,
				    .time_zone = c->time_zone,
				    .progress = c->progress,
				    .ctx = c->ctx };
}

static bool usable(const struct pg_newest *w, enum pg_time_type type)
{
	return w->found && !w->ahead && (type == PG_TIME_ZONED || type == PG_TIME_PLAIN);
}

/* The newest rows of the backup say when it was taken: those with a time zone, where there are
 * any; never dates, which are midnights. Those without a zone may still agree. */
static void gather_data(struct pg_evidence *v, const struct pg_newest *w, size_t n,
			const enum pg_time_type *types)
{
	static const enum pg_time_type order[] = { PG_TIME_ZONED, PG_TIME_PLAIN };

	for (size_t k = 0; !v->data && k < 2; k++)
		for (size_t i = 0; i < n; i++)
			if (types[i] == order[k] && usable(&w[i], types[i]) &&
			    (!v->data || w[i].at_ms > v->data_ms)) {
				v->data = true;
				v->data_ms = w[i].at_ms;
			}
	for (size_t i = 0; v->data && i < n; i++)
		v->near += usable(&w[i], types[i]) && w[i].at_ms >= v->data_ms - RECOVERY_NEAR_MS &&
			   w[i].at_ms <= v->data_ms + RECOVERY_NEAR_MS;
}

static void take_newest(struct pg_compare *c, const struct pg_newest *w, size_t n,
			struct pg_compared *const *of)
{
	enum pg_time_type *types = xcalloc(n + 1, sizeof(*types));

	for (size_t i = 0; i < n; i++) {
		types[i] = of[i]->type;
		/* A guessed column with dates in the future is about plans, not about rows. */
		if (w[i].far && !of[i]->pair->here->created.named) {
			of[i]->column = NULL;
			types[i] = PG_TIME_NONE;
		}
	}
	gather_data(&c->evidence, w, n, types);
	free(types);
}

static int ask_newest(struct pg_compare *c, struct err *e)
{
	struct pg_readers r = readers(c, c->here);
	struct pg_newest *w = xcalloc(c->pairs->n + 1, sizeof(*w));
	struct pg_compared **of = xcalloc(c->pairs->n + 1, sizeof(struct pg_compared *));
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < c->pairs->n; i++) {
		struct pg_compared *x = &c->v[i];

		if (!x->column || !x->pair->here || !x->pair->here->populated)
			continue;
		of[n] = x;
		w[n++] = (struct pg_newest){ .table = x->pair->here,
					     .column = x->column,
					     .limit_ms = pg_evidence_latest(&c->evidence) };
	}
	rc = pg_newest_run(&r, w, n, e);
	if (rc == 0)
		take_newest(c, w, n, of);
	for (size_t i = 0; i < n; i++)
		free(w[i].failure);
	free(of);
	free(w);
	return rc;
}

/* Tables without times: by their numbers, if both sides have them. */
static int find_keys(struct pg_compare *c, struct err *e)
{
	for (size_t i = 0; i < c->pairs->n; i++) {
		struct pg_compared *x = &c->v[i];
		const struct pg_table *here = x->pair->here, *there = x->pair->there;

		if (x->column || !here || !there || here->view || there->view)
			continue;
		if (pg_key_find(c->here, here, &x->key, e) < 0)
			return -1;
		if (x->key.column && !pg_key_there(c->there, there, x->key.column))
			pg_key_free(&x->key);
		x->column = x->key.column;
		x->type = PG_TIME_NONE;
	}
	return 0;
}

static void set_cuts(const struct pg_compare *c, const struct pg_bounds *b,
		     const struct pg_compared *x, int64_t cut[PG_CUTS])
{
	/* The rows of a day all bear its midnight, and local days begin at other hours. */
	int64_t slack = (int64_t)c->slack_s * 1000 + (x->type == PG_TIME_DATE ? DAY_MS : 0);

	cut[CUT_DATA] = b->data_ms;
	cut[CUT_SAID] = b->said_ms;
	if (x->key.column) {
		cut[CUT_DATA] = cut[CUT_SAID] = x->key.drawn;
		slack = x->key.drawn - x->key.largest + KEY_SLACK;
	}
	for (int i = 0; i < CUT_CANDIDATES; i++) {
		cut[CUT_BEFORE + i] = cut[i] - slack;
		cut[CUT_AFTER + i] = cut[i] + slack;
	}
}

static void fail(struct pg_compared *x, enum verdict verdict, const char *why)
{
	free(x->failed);
	x->failed = xstrdup(why);
	x->verdict = verdict;
}

/* False: there is nothing to count on this side, or no way to. */
static bool countable(struct pg_compared *x, const struct pg_table *t, const struct pg *pg)
{
	if (!t || x->failed)
		return false;
	if (!t->populated)
		return false;
	if (t->unlogged && pg->standby) {
		fail(x, V_WARNING,
		     "unlogged: a standby cannot read it; exclude it, or compare with "
		     "the primary");
		return false;
	}
	return true;
}

/* Of a table that is too large to be counted in production: as much as is not too large. */
static double share_of(const struct pg_compare *c, struct pg_compared *x, const struct pg_table *t)
{
	if (c->sample_above_b == 0 || (uint64_t)t->bytes <= c->sample_above_b)
		return 0;
	x->share = (double)c->sample_above_b / (double)t->bytes;
	return x->share;
}

/* One side's counts, in the order of the pairs; entries without a table were not asked for. */
static int count_side(struct pg_compare *c, const struct pg_bounds *b, bool ours,
		      struct pg_count *counts, struct err *e)
{
	struct pg *pg = ours ? c->here : c->there;
	struct pg_readers r = readers(c, pg);
	struct pg_count *list = xcalloc(c->pairs->n + 1, sizeof(*list));
	size_t *of = xcalloc(c->pairs->n + 1, sizeof(*of));
	size_t n = 0;
	int rc;

	r.heap = ours;
	r.gentle = !ours;
	if (!ours && c->production_s)
		r.until_ms = mono_ms() + (int64_t)c->production_s * 1000;
	for (size_t i = 0; i < c->pairs->n; i++) {
		struct pg_compared *x = &c->v[i];
		const struct pg_table *t = ours ? x->pair->here : x->pair->there;

		if (!countable(x, t, pg))
			continue;
		of[n] = i;
		list[n] = (struct pg_count){ .table = t,
					     .column = x->column,
					     .number = x->key.column,
					     .share = ours ? 0 : share_of(c, x, t) };
		set_cuts(c, b, x, list[n++].cut);
	}
	rc = pg_counts_run(&r, list, n, e);
	for (size_t i = 0; i < n; i++)
		counts[of[i]] = list[i];
	free(list);
	free(of);
	return rc;
}

static void note_failures(struct pg_compared *x, const struct pg_count *here,
			  const struct pg_count *there)
{
	x->here = here->counted;
	x->there = there->counted;
	if (here->failure)
		fail(x, here->why == PG_WHY_DAMAGED ? V_CRITICAL : V_UNKNOWN, here->failure);
	else if (there->failure)
		fail(x, V_UNKNOWN, there->failure);
	else if (x->pair->here && !x->pair->here->populated)
		fail(x, x->pair->there && x->pair->there->populated ? V_WARNING : V_OK,
		     "a materialized view that the restore left without its rows");
	else if (x->pair->there && !x->pair->there->populated)
		fail(x, V_OK, "a materialized view that production never filled");
}

static size_t tables_between(const struct pg_compare *c, const struct pg_count *here,
			     const struct pg_count *there)
{
	size_t n = 0;

	for (size_t i = 0; i < c->pairs->n; i++)
		n += timed(&c->v[i]) && here[i].counted && there[i].counted &&
		     here[i].newer[CUT_DATA] == here[i].newer[CUT_SAID] &&
		     there[i].newer[CUT_DATA] > there[i].newer[CUT_SAID];
	return n;
}

/* Does production go on writing right after the recovery point? If nobody wrote then, nobody had
 * begun to write just before it either, and no row can have been in flight. */
static bool busy(const struct pg_compare *c, const struct pg_count *there, int cut)
{
	for (size_t i = 0; i < c->pairs->n; i++)
		if (timed(&c->v[i]) && there[i].newer[cut] > there[i].newer[CUT_AFTER + cut])
			return true;
	return false;
}

static struct pg_side side(const struct pg_table *t, const struct pg_count *count, int cut,
			   bool slack)
{
	return (struct pg_side){
		.there = t,
		.rows = count->rows,
		.newer = count->newer[cut],
		.slack = count->newer[slack ? CUT_BEFORE + cut : cut],
	};
}

/* Rows of a table without times are in flight as a rule, unless none was written since. */
static bool may_be_in_flight(const struct pg_compared *x, const struct pg_count *here,
			     const struct pg_count *there, bool busy_then)
{
	if (x->key.column)
		return there->newer[CUT_SAID] > here->newer[CUT_SAID];
	return busy_then || x->type == PG_TIME_DATE;
}

static void judge(struct pg_compare *c, struct pg_compared *x, const struct pg_count *here,
		  const struct pg_count *there, bool busy_then)
{
	const struct pg_table *t = pg_pair_table(x->pair);
	bool slack = may_be_in_flight(x, here, there, busy_then);
	int cut = c->recovery.by_said ? CUT_SAID : CUT_DATA;

	note_failures(x, here, there);
	x->drift = (struct pg_drift){
		.here = side(x->pair->here, here, cut, slack),
		.there = side(x->pair->there, there, cut, slack),
		.column = x->column,
		.number = x->key.column,
		.idle = x->key.column && !busy_then,
		.day = x->type == PG_TIME_DATE,
		.zoneless = !x->key.column && x->type != PG_TIME_ZONED && !c->time_zone,
		.sure = c->recovery.sure || x->key.column,
		.view = t->view,
		.partition = t->partition,
		.unlogged = t->unlogged,
		.margin = there->margin,
		.activity = x->drift.activity,
		.tolerance = c->tolerance,
	};
	x->drift.ahead = x->drift.here.newer > 0;
	x->both = !x->failed && c->there;
	if (!x->both)
		return;
	pg_drift_judge(&x->drift);
	x->verdict = x->drift.verdict;
}

static void judge_all(struct pg_compare *c, const struct pg_count *here,
		      const struct pg_count *there, const struct pg_readings *earlier,
		      const struct pg_readings *now)
{
	bool busy_then = busy(c, there, c->recovery.by_said ? CUT_SAID : CUT_DATA);

	for (size_t i = 0; i < c->pairs->n; i++) {
		struct pg_compared *x = &c->v[i];

		if (x->pair->there)
			pg_readings_between(earlier, now, x->pair->there->oid, c->recovery.at_ms,
					    &x->drift.activity);
		judge(c, x, &here[i], &there[i], busy_then);
	}
}

/* Could a verdict be another if production's counters were further on? */
static bool hangs_on_counters(const struct pg_compare *c)
{
	for (size_t i = 0; i < c->pairs->n; i++) {
		const struct pg_drift *d = &c->v[i].drift;

		if (c->v[i].both && c->v[i].verdict == V_CRITICAL && d->activity.known &&
		    (d->unexplained > d->lost || (d->activity.since && d->lost > 0)))
			return true;
	}
	return false;
}

static void judge_by_counters(struct pg_compare *c, const struct pg_count *here,
			      const struct pg_count *there, const struct pg_readings *earlier)
{
	const struct timespec late = { .tv_sec = PG_READINGS_LATE_S };
	PG_READINGS_AUTO now = { 0 };
	struct err ignored;

	if (c->there && c->there->link && pg_readings_take(c->there, &now, &ignored) < 0)
		pg_readings_free(&now);
	judge_all(c, here, there, earlier, &now);
	if (!hangs_on_counters(c) || pg_readings_settled(c->there))
		return;
	(void)nanosleep(&late, NULL);
	pg_readings_free(&now);
	if (pg_readings_take(c->there, &now, &ignored) == 0)
		judge_all(c, here, there, earlier, &now);
}

/* A reading counts when it is older than the backup: that is when the recovery point is known, or
 * a lower bound of it. */
static void recall(struct pg_compare *c, const struct pg_readings *before,
		   struct pg_readings *earlier)
{
	if (!c->memory || !*before->epoch || !(c->recovery.by_said || c->evidence.data))
		return;
	if (pg_readings_load(c->memory, c->label, before->epoch,
			     c->recovery.at_ms - RECOVERY_SKEW_MS, earlier, &c->forgotten) < 0)
		pg_readings_free(earlier);
}

/* For the days to come: the counters from before the counting, with its results. */
static void remember(struct pg_compare *c, struct pg_readings *before, const struct pg_count *there)
{
	bool any = false;

	for (size_t i = 0; i < c->pairs->n; i++) {
		const struct pg_table *t = c->v[i].pair->there;
		struct pg_reading *r = t ? pg_readings_find(before, t->oid) : NULL;

		if (!r || !there[i].counted || there[i].share > 0)
			continue;
		r->rows = there[i].rows;
		any = true;
	}
	before->at_ms += c->production_ms;
	if (any && *before->epoch && c->memory && c->forgotten.kind == ERR_NONE)
		(void)pg_readings_save(c->memory, c->label, before, &c->forgotten);
}

static void count_production(struct pg_compare *c, const struct pg_bounds *b,
			     struct pg_readings *before, struct pg_count *there)
{
	int64_t start_ms = mono_ms();
	struct err lost = { 0 }, ignored;

	if (pg_readings_take(c->there, before, &ignored) < 0)
		pg_readings_free(before);
	if (count_side(c, b, false, there, &lost) < 0)
		for (size_t i = 0; i < c->pairs->n; i++)
			if (c->v[i].pair->there)
				fail(&c->v[i], V_UNKNOWN, lost.msg);
	c->production_ms = mono_ms() - start_ms;
}

static int count_and_judge(struct pg_compare *c, struct pg_count *here, struct pg_count *there,
			   struct err *e)
{
	PG_READINGS_AUTO earlier = { 0 };
	PG_READINGS_AUTO before = { 0 };
	struct pg_bounds bounds;

	pg_recovery_bounds(&c->evidence, &bounds);
	if (count_side(c, &bounds, true, here, e) < 0)
		return -1;
	if (c->there)
		count_production(c, &bounds, &before, there);
	pg_recovery_decide(&c->evidence, &bounds, tables_between(c, here, there), &c->recovery);
	recall(c, &before, &earlier);
	judge_by_counters(c, here, there, &earlier);
	remember(c, &before, there);
	return 0;
}

int pg_compare_run(struct pg_compare *c, struct err *e)
{
	struct pg_count *here = xcalloc(c->pairs->n + 1, sizeof(*here));
	struct pg_count *there = xcalloc(c->pairs->n + 1, sizeof(*there));
	int rc = 0;

	c->v = xcalloc(c->pairs->n + 1, sizeof(*c->v));
	for (size_t i = 0; i < c->pairs->n; i++) {
		c->v[i].pair = &c->pairs->v[i];
		if (c->there)
			agree_on_column(c, &c->v[i]);
	}
	if (c->there)
		rc = ask_newest(c, e);
	if (rc == 0 && c->there)
		rc = find_keys(c, e);
	if (rc == 0)
		rc = count_and_judge(c, here, there, e);
	for (size_t i = 0; i < c->pairs->n; i++) {
		free(here[i].failure);
		free(there[i].failure);
	}
	free(here);
	free(there);
	return rc;
}

void pg_compare_free(struct pg_compare *c)
{
	for (size_t i = 0; c->v && i < c->pairs->n; i++) {
		free(c->v[i].failed);
		pg_key_free(&c->v[i].key);
	}
	free(c->v);
	c->v = NULL;
}
