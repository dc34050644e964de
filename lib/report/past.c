#include "lib/report/past.h"

#include "lib/base/history.h"
#include "lib/base/range.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_ms = 24 * 3600 * 1000LL;

const struct past_phase past_phases[PAST_PHASES] = {
	{ "backup-download", "fetch_seconds", "fetch" },
	{ "restore-time", "repository_seconds", "out of the repository" },
	{ "restore-time", "decrypt_seconds", "decrypt" },
	{ "restore-time", "unpack_seconds", "unpack" },
	{ "restore-time", "combine_seconds", "putting the chain together" },
	{ "restore-time", "start_seconds", "start server" },
	{ "restore-time", "consistent_seconds", "until consistent" },
	{ "restore-time", "replay_seconds", "replay" },
	{ "restore-time", "pre_data_seconds", "tables" },
	{ "restore-time", "data_seconds", "rows" },
	{ "restore-time", "post_data_seconds", "indexes" },
	{ "restore-time", "analyze_seconds", "statistics" },
	{ "restore-time", "ready_seconds", "first answer" },
};

static const json_t *named(const json_t *list, const char *field, const char *name)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o) {
		const char *s = record_text(o, field);

		if (s && strcmp(s, name) == 0)
			return o;
	}
	return NULL;
}

static const json_t *metric_of(const json_t *run, const char *check, const char *metric)
{
	const json_t *c = named(json_object_get(run, "checks"), "check", check);

	return named(json_object_get(c, "metrics"), "name", metric);
}

/* Nothing that is measured here is larger: neither bytes nor seconds. */
static const double largest = 1e18;

static double plausible(double v)
{
	return fabs(v) <= largest ? v : (double)NAN;
}

static double real_of(const json_t *object, const char *field)
{
	double v;

	return record_real(object, field, &v) ? plausible(v) : (double)NAN;
}

/* The upper end of the critical range. */
static double target_of(const json_t *run, const char *check, const char *metric)
{
	const char *crit = record_text(metric_of(run, check, metric), "crit");
	struct range r = { 0 };
	struct err e = { 0 };

	if (crit == NULL || range_parse(crit, &r, &e) < 0)
		return (double)NAN;
	return plausible(r.end);
}

double past_metric(const json_t *run, const char *check, const char *metric)
{
	return real_of(metric_of(run, check, metric), "value");
}

bool past_run_of(const json_t *run, struct past_run *out)
{
	*out = (struct past_run){
		.bytes = real_of(json_object_get(run, "backup"), "bytes"),
		.rto_s = real_of(run, "rto_seconds"),
		.rto_target_s = target_of(run, "verified-rto", "rto_seconds"),
		.rpo_s = real_of(run, "rpo_seconds"),
		.rpo_target_s = target_of(run, "verified-rpo", "rpo_seconds"),
		.verified = record_true(run, "verified"),
		.restored = named(json_object_get(run, "checks"), "check", "restore") != NULL,
	};
	(void)verdict_parse(record_text(run, "status"), &out->status);
	for (size_t i = 0; i < PAST_PHASES; i++)
		out->phase_s[i] = past_metric(run, past_phases[i].check, past_phases[i].metric);
	return record_time(run, "at", &out->at_ms);
}

void past_watch(struct past *p, const json_t *checks)
{
	struct table tables[TABLES_MOST];

	p->n_tables = tables_largest(checks, tables);
	for (size_t i = 0; i < p->n_tables; i++)
		p->tables[i] = xstrdup(tables[i].name);
}

void past_watched(const struct past *p, const json_t *run, struct past_run *out)
{
	for (size_t i = 0; i < p->n_tables; i++)
		out->rows[i] = tables_rows(json_object_get(run, "checks"), p->tables[i]);
}

/* A walk through the history, from its end. */
struct walk {
	struct past *past;
	bool restored;
	int64_t since_ms, now_ms;
};

static bool take(json_t *run, void *to)
{
	struct walk *w = to;
	struct past *p = w->past;
	struct past_run r;

	if (!past_run_of(run, &r) || r.at_ms > w->now_ms)
		return true;
	if (r.at_ms < w->since_ms)
		return false;
	past_watched(p, run, &r);
	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	p->v[p->n++] = r;
	if (p->last == NULL && r.restored == w->restored)
		p->last = json_incref(run);
	if (r.verified && r.at_ms > p->verified_ms)
		p->verified_ms = r.at_ms;
	return p->n < PAST_RUNS;
}

static int by_time(const void *a, const void *b)
{
	const struct past_run *x = a, *y = b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

int past_load(struct past *p, struct history *history, const char *label, bool restored,
	      int64_t now_ms, struct err *e)
{
	struct walk w = {
		.past = p,
		.restored = restored,
		.since_ms = now_ms - PAST_DAYS * day_ms,
		.now_ms = now_ms,
	};

	if (history_walk(history, label, take, &w, NULL, e) < 0)
		return -1;
	p->known = true;
	/* The file is in the order of the runs' ends, unless clocks were set. */
	if (p->n)
		qsort(p->v, p->n, sizeof(*p->v), by_time);
	return 0;
}

void past_free(struct past *p)
{
	free(p->v);
	json_decref(p->last);
	for (size_t i = 0; i < p->n_tables; i++)
		free(p->tables[i]);
	*p = (struct past)PAST_NONE;
}
