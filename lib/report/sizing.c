#include "lib/report/sizing.h"

#include "lib/base/buf.h"
#include "lib/base/human.h"

#include <math.h>

static void say_drop(struct check *c, const struct series *s, const char *size, double max_drop)
{
	const struct trend *t = &s->trend;
	BUF_AUTO b = BUF_INIT(512);
	char change[HUMAN_SIZE], then[HUMAN_SIZE], limit[HUMAN_SIZE];

	if (t->dropped_previous)
		buf_addf(&b, "%s against the previous (%s)",
			 human_change(t->against_previous, change),
			 human_bytes(t->previous_b, then));
	if (t->dropped_median && t->n > 1)
		buf_addf(&b, "%s%s against the median of %zu (%s)", b.len ? " and " : "",
			 human_change(t->against_median, change), t->n,
			 human_bytes(t->median_b, then));
	if (s->kind == SERIES_WEEKDAY)
		check_say(c, s->status, "%s, as on %zu such weekdays before (%s)", size, s->alike,
			  human_bytes(s->expected_b, then));
	else if (s->kind == SERIES_OFTEN || s->kind == SERIES_NOW_AND_THEN)
		check_say(c, s->status, "%s, %s; %zu earlier ones were as small, too", size, b.s,
			  s->alike);
	else if (s->kind == SERIES_MOVED)
		check_say(c, s->status, "%s, %s; the last ones were as small already", size, b.s);
	else
		check_say(c, s->status, "%s, %s; a drop of %s is allowed", size, b.s,
			  human_change(max_drop, limit) + 1);
}

static void say_usual(struct check *c, const struct series *s, const char *size)
{
	const struct trend *t = &s->trend;
	const char *few = t->n < SERIES_FEW ? ", too few for a trend" : "";
	char change[HUMAN_SIZE];

	(void)human_change(t->against_median, change);
	if (t->n == 0)
		check_say(c, V_OK, "%s; no earlier backup to compare with yet", size);
	else if (t->n == 1)
		check_say(c, V_OK, "%s, %s against the previous one%s", size, change, few);
	else
		check_say(c, V_OK, "%s, %s against the median of %zu%s", size, change, t->n, few);
}

void sizing_say(struct check *c, const struct series *s, uint64_t bytes,
		const struct trend_limits *limits, const struct range *warn,
		const struct range *crit)
{
	const struct trend *t = &s->trend;
	char size[HUMAN_SIZE], change[HUMAN_SIZE], limit[HUMAN_SIZE];
	const enum verdict v = t->n ? range_judge(warn, crit, t->against_median) : V_OK;

	(void)human_bytes(bytes, size);
	(void)human_change(t->against_median, change);
	if (bytes == 0)
		check_say(c, V_CRITICAL, "0 bytes: the backup is empty");
	else if (s->kind == SERIES_TINY)
		check_say(c, V_CRITICAL, "%s: too small for any backup", size);
	else if (t->dropped_previous || t->dropped_median)
		say_drop(c, s, size, limits->max_drop);
	else if (v != V_OK)
		check_say(c, v, "%s, %s against the median of %zu, outside the range %s", size,
			  change, t->n, v == V_CRITICAL ? crit->text : warn->text);
	else if (s->kind == SERIES_GROWTH)
		check_say(c, V_WARNING,
			  "%s, %s against the median of %zu; a growth of %s is allowed", size,
			  change, t->n, human_change(limits->max_growth, limit) + 1);
	else if (s->kind == SERIES_PLATEAU)
		check_say(c, V_WARNING, "%s, %s, and the %zu before were all alike", size, change,
			  t->n);
	else if (s->kind == SERIES_USUAL)
		say_usual(c, s, size);
	if (s->kind == SERIES_DECLINE)
		check_say(c, s->status, "%s, a slow decline: %s over %zu backups", size,
			  human_change(s->decline, change), s->over);
}

/* "-0.2:" or "~:2": one limit as a range, without exponent and without trailing zeros. */
static void add_limit(struct buf *b, const char *before, double share, const char *after)
{
	if (!isfinite(share))
		return;
	buf_addf(b, "%s%.6f", before, share);
	while (b->s[b->len - 1] == '0')
		b->len--;
	b->len -= b->s[b->len - 1] == '.';
	b->s[b->len] = '\0';
	buf_adds(b, after);
}

void sizing_metrics(struct check *c, const struct series *s, uint64_t bytes,
		    const struct trend_limits *limits, const struct range *warn,
		    const struct range *crit)
{
	const struct trend *t = &s->trend;
	BUF_AUTO least = BUF_INIT(400);
	BUF_AUTO most = BUF_INIT(400);

	check_metric_int(c, "bytes", (int64_t)bytes, "B");
	if (t->n == 0)
		return;
	check_metric_int(c, "previous_bytes", (int64_t)t->previous_b, "B");
	check_metric_int(c, "median_bytes", (int64_t)t->median_b, "B");
	if (t->n >= SERIES_FEW)
		check_metric_int(c, "mad_bytes", (int64_t)s->mad_b, "B");
	if (isfinite(s->slope_b_day))
		check_metric_int(c, "bytes_per_day", (int64_t)s->slope_b_day, "B");
	check_metric_real(c, "change_ratio", t->against_median, "ratio");
	add_limit(&most, "~:", limits->max_growth, "");
	add_limit(&least, "-", limits->max_drop, ":");
	check_metric_limits(c, warn->set ? warn->text : most.s, crit->set ? crit->text : least.s);
}
