#include "lib/report/course.h"

#include "lib/base/record.h"
#include "lib/base/trend.h"
#include "lib/base/xmem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double day_ms = 24 * 3600 * 1000.0;

static double first_of(double a, double b)
{
	return isfinite(a) ? a : b;
}

/* False when the run has no time. */
static bool run_of(const json_t *run, struct course_run *out)
{
	const char *durability = record_text(json_object_get(run, "instance"), "durability");
	struct trend_backup backup = { 0 };
	struct past_run figures;
	bool sized;

	if (!past_run_of(run, &figures))
		return false;
	sized = trend_backup_of(json_object_get(run, "backup"), &backup);
	*out = (struct course_run){
		.at_ms = figures.at_ms,
		.kind = xasprintf("%s, %s", sized ? backup.format : "",
				  durability ? durability : ""),
		.size = sized ? (double)backup.bytes : (double)NAN,
	};
	trend_backup_free(&backup);
	out->of[COURSE_RTO] = figures.rto_s;
	out->of[COURSE_RPO] = figures.rpo_s;
	out->of[COURSE_STORAGE] = first_of(past_metric(run, "storage-used", "storage_bytes"),
					   past_metric(run, "listing", "total_bytes"));
	memcpy(&out->of[COURSE_PHASE], figures.phase_s, sizeof(figures.phase_s));
	return true;
}

static bool take(json_t *run, void *to)
{
	struct course *c = to;

	if (run_of(run, &c->v[c->n]))
		c->n++;
	return c->n < COURSE_RUNS;
}

static int by_time(const void *a, const void *b)
{
	const struct course_run *x = a, *y = b;

	return (x->at_ms > y->at_ms) - (x->at_ms < y->at_ms);
}

int course_load(struct course *c, struct history *history, const char *label, const json_t *present,
		struct err *e)
{
	c->n = 0;
	c->skipped = 0;
	if (history_walk(history, label, take, c, &c->skipped, e) < 0)
		return -1;
	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), by_time);
	if (present && run_of(present, &c->v[c->n]))
		c->n++;
	return 0;
}

void course_free(struct course *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->v[i].kind);
	c->n = 0;
}

size_t course_points(const struct course *c, enum course_of of, struct forecast_point *v)
{
	const struct course_run *now = &c->v[c->n ? c->n - 1 : 0];
	const bool restored = of == COURSE_RTO || of >= COURSE_PHASE;
	size_t n = 0;

	if (c->n == 0 || !isfinite(now->of[of]))
		return 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct course_run *r = &c->v[i];

		if (!isfinite(r->of[of]) || r->of[of] < 0 || r->at_ms > now->at_ms ||
		    (restored && strcmp(r->kind, now->kind) != 0))
			continue;
		v[n++] = (struct forecast_point){
			.day = ((double)r->at_ms - (double)now->at_ms) / day_ms,
			/* Neither grows with the size of one backup. */
			.size = restored ? r->size : (double)NAN,
			.value = r->of[of],
		};
	}
	return n;
}
