#include "lib/report/fleet.h"

#include "lib/base/history.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The newest run stands among the last lines, unless clocks were set. */
enum { WHOLE = 4 };

static const int64_t day_ms = 24 * 3600 * 1000LL;

/* One part while it is read, the newest run first. */
struct reading {
	struct fleet *f;
	size_t first; /* of the members that it has */
	uint64_t stale_s;
};

static struct fleet_member *member_of(struct reading *r, const char *label)
{
	struct fleet *f = r->f;
	struct fleet_member *m;

	for (size_t i = r->first; i < f->n; i++)
		if (strcmp(f->v[i].label, label) == 0)
			return &f->v[i];
	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	m = &f->v[f->n++];
	*m = (struct fleet_member){
		.label = xstrdup(label),
		.last = { .at_ms = INT64_MIN },
		.verified_ms = INT64_MIN,
		.bytes_before = (double)NAN,
	};
	return m;
}

/* A day is as good as its best run. */
static void mark_day(struct fleet_member *m, const struct past_run *run, int64_t ago)
{
	unsigned char *day = &m->days[FLEET_DAYS - 1 - ago];
	const enum calendar_day how = calendar_judge(run, 1);

	if (*day < (unsigned char)how)
		*day = (unsigned char)how;
}

/* Takes what stands before the run's lists. */
static bool take(json_t *run, void *to)
{
	struct reading *r = to;
	const char *label = record_text(run, "label");
	struct fleet_member *m;
	struct past_run now;
	int64_t ago;

	if (!past_run_of(run, &now) || now.at_ms > r->f->now_ms)
		return true;
	ago = r->f->now_ms / day_ms - now.at_ms / day_ms;
	m = member_of(r, label ? label : "");
	if (now.at_ms > m->last.at_ms)
		m->last = now;
	if (ago >= FLEET_DAYS)
		return false;
	if (now.verified && now.at_ms > m->verified_ms)
		m->verified_ms = now.at_ms;
	if (ago < FLEET_STRIP && isfinite(now.bytes))
		m->bytes_before = now.bytes;
	mark_day(m, &now, ago);
	return true;
}

/* The newest run whole, for its targets; and what follows from all of them. */
static int complete(struct reading *r, struct history *part, struct fleet_member *m,
		    unsigned unreadable, struct err *e)
{
	JSON_AUTO *newest = history_load(part, m->label, WHOLE, NULL, e);
	struct past_run whole;
	const json_t *run;
	size_t at;

	if (newest == NULL)
		return -1;
	json_array_foreach(newest, at, run)
		if (past_run_of(run, &whole) && whole.at_ms == m->last.at_ms)
			m->last = whole;
	for (size_t i = 0; i < FLEET_DAYS; i++) {
		m->run_days += m->days[i] != DAY_NONE;
		m->verified_days += m->days[i] == DAY_VERIFIED;
	}
	m->unreadable = unreadable;
	m->stale = r->f->now_ms - m->last.at_ms > (int64_t)r->stale_s * 1000;
	m->status = m->last.status;
	if (m->stale || unreadable)
		m->status = verdict_worst(m->status, V_UNKNOWN);
	return 0;
}

static int load_part(struct history *part, void *to, struct err *e)
{
	struct reading *r = to;
	unsigned unreadable = 0;

	r->first = r->f->n;
	if (history_walk_heads(part, NULL, take, r, &unreadable, e) < 0)
		return -1;
	for (size_t i = r->first; i < r->f->n; i++)
		if (complete(r, part, &r->f->v[i], unreadable, e) < 0)
			return -1;
	return 0;
}

/* What needs a look first. */
static int by_need(const void *a, const void *b)
{
	const struct fleet_member *x = a, *y = b;

	if (x->status != y->status)
		return verdict_worst(x->status, y->status) == x->status ? -1 : 1;
	return strcmp(x->label, y->label);
}

int fleet_load(struct fleet *f, struct history *all, uint64_t stale_s, int64_t now_ms,
	       struct err *e)
{
	struct reading r = { .f = f, .stale_s = stale_s };

	*f = (struct fleet){ .now_ms = now_ms };
	if (history_parts(all, load_part, &r, e) < 0)
		return -1;
	if (f->n)
		qsort(f->v, f->n, sizeof(*f->v), by_need);
	f->status = f->n ? f->v[0].status : V_UNKNOWN;
	return 0;
}

void fleet_free(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].label);
	free(f->v);
	*f = (struct fleet){ 0 };
}
