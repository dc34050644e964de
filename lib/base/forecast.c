#include "lib/base/forecast.h"

#include "lib/base/series.h"
#include "lib/base/xmem.h"

#include <math.h>
#include <stdlib.h>

/* OFTEN: what a tenth of the points are is usual. */
enum { FEW = FORECAST_FEW, SHARP = 3, OFTEN = 10, SPAN_DAYS = 7 };

/* A change of level; sizes worth a slope; how far a time can outgrow its size; alike; of a normal
 * distribution: MAD to standard deviation, the median's standard error, nine tenths, and what is no
 * noise any more. */
static const double changed = 1.5, varied = 0.01, outgrown = 1.5, as_much = 0.8;
static const double of_mad = 1.4826, of_median = 1.2533, normal_90 = 1.645, no_noise = 4;

/* The columns of some points; each array is owned. */
struct columns {
	double *day, *size, *value;
	double *work;
	size_t n;
	bool sized; /* every size is known */
};

static struct columns columns_of(const struct forecast_point *v, size_t n)
{
	struct columns c = { .n = n, .sized = true };

	c.day = xcalloc(4 * n + 1, sizeof(*c.day));
	c.size = c.day + n;
	c.value = c.size + n;
	c.work = c.value + n;
	for (size_t i = 0; i < n; i++) {
		c.day[i] = v[i].day - v[n - 1].day;
		c.size[i] = v[i].size;
		c.value[i] = v[i].value;
		c.sized = c.sized && isfinite(v[i].size);
	}
	return c;
}

static void columns_free(struct columns *c)
{
	free(c->day);
}

/* series_median() sorts, what the columns must not be. */
static double median_of(struct columns *c, const double *column)
{
	for (size_t i = 0; i < c->n; i++)
		c->work[i] = column[i];
	return series_median(c->work, c->n);
}

/* The values without what a slope explains, in place. */
static void flatten(struct columns *c, const double *by, double slope)
{
	for (size_t i = 0; i < c->n; i++)
		c->value[i] -= slope * by[i];
}

static double spread(struct columns *c, double median)
{
	for (size_t i = 0; i < c->n; i++)
		c->work[i] = fabs(c->value[i] - median);
	return of_mad * series_median(c->work, c->n);
}

static const struct series_slope none = { 0, 0, 0 };

static bool real(const struct series_slope *s)
{
	return s->low > 0 || s->high < 0;
}

/* How the value goes with the size. Where the sizes hardly vary, their slope is noise; and no time
 * falls as the backup grows, nor outgrows it by much (an index is built in n log n). */
static struct series_slope of_size(struct columns *c)
{
	double least = INFINITY, most = -INFINITY, steepest;
	struct series_slope s;

	if (!c->sized)
		return none;
	for (size_t i = 0; i < c->n; i++) {
		least = fmin(least, c->size[i]);
		most = fmax(most, c->size[i]);
	}
	if (most - least <= varied * most)
		return none;
	s = series_slopes(c->size, c->value, c->n);
	steepest = outgrown * median_of(c, c->value) / median_of(c, c->size);
	if (!isfinite(s.mid) || !(s.mid > 0) || !(s.low > 0))
		return none;
	s.mid = fmin(s.mid, steepest);
	s.low = fmin(s.low, steepest);
	s.high = fmin(s.high, steepest);
	return s;
}

static struct series_slope of_days(struct columns *c, const double *column)
{
	const struct series_slope s = series_slopes(c->day, column, c->n);

	return isfinite(s.mid) && real(&s) ? s : none;
}

/* The growth of a day: of the size, as far as it makes the value, and a drift of its own. */
static struct series_slope growth(const struct series_slope *per_size,
				  const struct series_slope *size_day,
				  const struct series_slope *drift)
{
	const double ends[] = { per_size->low * size_day->low, per_size->low * size_day->high,
				per_size->high * size_day->low, per_size->high * size_day->high };
	struct series_slope s = { per_size->mid * size_day->mid, ends[0], ends[0] };

	for (size_t i = 1; i < sizeof(ends) / sizeof(*ends); i++) {
		s.low = fmin(s.low, ends[i]);
		s.high = fmax(s.high, ends[i]);
	}
	s.mid += drift->mid;
	s.low += drift->low;
	s.high += drift->high;
	return s;
}

static double until(double now, double target, double per_day)
{
	if (now > target)
		return 0;
	return per_day > 0 ? (target - now) / per_day : INFINITY;
}

static void look_ahead(struct forecast *out, double target, double error)
{
	out->days = out->days_early = out->days_late = INFINITY;
	if (!isfinite(target) || (out->kind != FORECAST_GROWS && out->now <= target))
		return;
	out->days = until(out->now, target, out->per_day);
	out->days_early = until(out->now + error, target, out->per_day_high);
	out->days_late = until(out->now - error, target, out->per_day_low);
}

/* The median of `many` points from the first on; of their sizes (NAN when one is not known) or
 * their values. */
static double level(const struct forecast_point *first, size_t many, bool size)
{
	double v[FEW];

	for (size_t i = 0; i < many; i++) {
		v[i] = size ? first[i].size : first[i].value;
		if (!isfinite(v[i]))
			return (double)NAN;
	}
	return series_median(v, many);
}

/* The larger of the ratios of two amounts; 1 and more. */
static double times(double a, double b)
{
	return fmax(a, b) / fmax(fmin(a, b), fmax(a, b) * 1e-9);
}

/* Is v[0] the first point of another level? */
static bool is_change(const struct forecast_point *v)
{
	const double before = level(v - FEW, FEW, false), after = level(v, FEW, false);
	const double sharp_before = level(v - SHARP, SHARP, false);
	const double sharp_after = level(v, SHARP, false);
	const double small = level(v - FEW, FEW, true), large = level(v, FEW, true);
	const bool up = after > before;

	if (up != (sharp_after > sharp_before) || !(times(sharp_after, sharp_before) > changed))
		return false;
	/* What the sizes explain is none. */
	if (isfinite(small) && isfinite(large) && up == (large > small))
		return times(after, before) > changed * times(large, small);
	return times(after, before) > changed;
}

/* Where the present level begins: around a change many points look like its first; that with the
 * largest difference to the one before is. */
static size_t since(const struct forecast_point *v, size_t n)
{
	double best = -1;
	size_t out = 0;

	for (size_t i = n < FEW ? 0 : n - FEW; i >= FEW; i--) {
		const double jump = fabs(v[i].value - v[i - 1].value);

		if (!is_change(&v[i])) {
			if (out)
				break;
			continue;
		}
		if (jump > best) {
			best = jump;
			out = i;
		}
	}
	return out;
}

/* Where the present level of the sizes begins. */
static size_t sizes_since(const struct forecast_point *v, size_t n)
{
	struct forecast_point *sizes = xcalloc(n + 1, sizeof(*sizes));
	size_t out;

	for (size_t i = 0; i < n; i++)
		sizes[i] = (struct forecast_point){ v[i].day, (double)NAN, v[i].size };
	out = since(sizes, n);
	free(sizes);
	return out;
}

static void follow(struct columns *c, double target, struct forecast *out)
{
	const struct series_slope per_size = of_size(c);
	struct series_slope size_day = none, drift, all;
	double size_now = 0, base;

	if (per_size.mid > 0) {
		size_day = of_days(c, c->size);
		flatten(c, c->size, per_size.mid);
		/* The sizes as if all were of the last day. */
		for (size_t i = 0; i < c->n; i++)
			c->size[i] -= size_day.mid * c->day[i];
		size_now = median_of(c, c->size);
	}
	drift = of_days(c, c->value);
	flatten(c, c->day, drift.mid);
	base = median_of(c, c->value);
	all = growth(&per_size, &size_day, &drift);
	out->now = base + per_size.mid * size_now;
	out->per_day = all.mid;
	out->per_day_low = all.low;
	out->per_day_high = all.high;
	out->kind = all.low > 0 ? FORECAST_GROWS : all.high < 0 ? FORECAST_FALLS : FORECAST_STEADY;
	look_ahead(out, target, normal_90 * of_median * spread(c, base) / sqrt((double)c->n));
}

void forecast_judge(const struct forecast_point *v, size_t n, double target, struct forecast *out)
{
	const size_t values = since(v, n), sizes = sizes_since(v, n);
	struct columns c;

	*out = (struct forecast){ .kind = FORECAST_TOO_FEW };
	out->since = values > sizes ? values : sizes;
	out->n = n - out->since;
	out->days = out->days_early = out->days_late = INFINITY;
	if (out->n == 0)
		return;
	out->span = v[n - 1].day - v[out->since].day;
	if (out->n < FEW || out->span < SPAN_DAYS - 1)
		return;
	c = columns_of(v + out->since, out->n);
	follow(&c, target, out);
	columns_free(&c);
}

/* What the points before a block say of one in it. */
struct promise {
	struct columns before; /* the values without what the sizes explain */
	struct series_slope per_size;
	double base, noise, typical, usual; /* usual: the size */
};

static struct promise promise_of(const struct forecast_point *v, size_t n)
{
	struct promise p = { .before = columns_of(v, n) };

	p.typical = median_of(&p.before, p.before.value);
	p.usual = p.before.sized ? median_of(&p.before, p.before.size) : (double)NAN;
	p.per_size = of_size(&p.before);
	if (p.per_size.mid > 0)
		flatten(&p.before, p.before.size, p.per_size.mid);
	p.base = median_of(&p.before, p.before.value);
	p.noise = no_noise * spread(&p.before, p.base);
	return p;
}

static double expected(const struct promise *p, double size)
{
	if (!isfinite(size))
		size = p->usual;
	if (p->per_size.mid > 0)
		return p->base + p->per_size.mid * size;
	/* Sizes that never varied say nothing of one that is far from them: then the time may grow
	 * as the size does. */
	return size > p->usual ? p->typical * size / p->usual : p->base;
}

/* A Sunday takes longer each week. */
static bool happens(const struct promise *p, double more)
{
	size_t alike = 0;

	for (size_t i = 0; i < p->before.n; i++)
		alike += p->before.value[i] - p->base >= as_much * more;
	return alike >= SHARP && alike * OFTEN >= p->before.n;
}

static bool is_beyond(const struct promise *p, const struct forecast_point *v,
		      const struct forecast_limits *limits)
{
	const double promised = expected(p, v->size), more = v->value - promised;

	return v->value > limits->factor * promised && more > fmax(limits->min_delta, p->noise) &&
	       !happens(p, more);
}

void forecast_step(const struct forecast_point *v, size_t n, const struct forecast_limits *limits,
		   struct forecast_step *out)
{
	const size_t from = since(v, n);

	*out = (struct forecast_step){ .known = n - from > FEW };
	if (!out->known)
		return;
	v += from;
	n -= from;
	/* Steps that last are looked for first, for what is beyond moves what is expected. */
	for (size_t block = n - FEW < FEW ? n - FEW : FEW; block > 0 && !out->runs; block--) {
		struct promise p = promise_of(v, n - block);
		size_t beyond = 0;

		while (beyond < block && is_beyond(&p, &v[n - 1 - beyond], limits))
			beyond++;
		if (beyond == block)
			out->runs = block;
		out->expected = expected(&p, v[n - 1].size);
		columns_free(&p.before);
	}
	out->factor = out->expected > 0 ? v[n - 1].value / out->expected : (double)INFINITY;
}
