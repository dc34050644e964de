#include "lib/base/series.h"

#include "lib/base/xmem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000, WEEKDAYS = 3, MOVED = 3, PLATEAU = 8, SLOPES_OF = 200 };

/* Shares: two sizes are alike; a plateau; Kendall's tau of a decline; a loss that no absolute limit
 * excuses. */
static const double like = 0.1, flat = 0.01, steady = -0.8, half = 0.5;

/* Of a normal distribution, nine tenths lie within so many standard deviations. */
static const double normal_90 = 1.645;

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_median(double *v, size_t n)
{
	if (n == 0)
		return (double)NAN;
	qsort(v, n, sizeof(*v), by_value);
	return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

struct series_slope series_slopes(const double *x, const double *y, size_t n)
{
	struct series_slope out = { (double)NAN, (double)NAN, (double)NAN };
	double *slopes, reach;
	size_t k = 0, low, high;

	/* As many slopes as pairs: the newest points say enough. */
	if (n > SLOPES_OF) {
		x += n - SLOPES_OF;
		y += n - SLOPES_OF;
		n = SLOPES_OF;
	}
	slopes = xcalloc(n * n / 2 + 1, sizeof(*slopes));
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (fabs(x[j] - x[i]) > 0)
				slopes[k++] = (y[j] - y[i]) / (x[j] - x[i]);
	if (k >= 3) {
		out.mid = series_median(slopes, k);
		/* So many ranks around the middle: the spread of Kendall's score. */
		reach = normal_90 * sqrt((double)(n * (n - 1) * (2 * n + 5)) / 18);
		low = (size_t)fmax(0, ((double)k - reach) / 2);
		high = (size_t)fmin((double)(k - 1), ((double)k + reach) / 2);
		out.low = slopes[low];
		out.high = slopes[high];
	}
	free(slopes);
	return out;
}

double series_slope(const double *x, const double *y, size_t n)
{
	return series_slopes(x, y, n).mid;
}

static double share(double from, double to)
{
	return (to - from) / from;
}

/* Worth a word: below min_delta a change is none, unless most is gone. */
static bool counts(const struct series_limits *l, double from, double to)
{
	return fabs(to - from) >= (double)l->min_delta_b || share(from, to) < -half;
}

static bool alike(double a, double b)
{
	return fabs(a - b) <= like * fmax(a, b);
}

static long weekday(int64_t ms)
{
	return (long)((ms / DAY_MS) % 7);
}

/* The median of the same weekday's backups, when there are enough that agree; else NAN. */
static double of_weekday(const struct series_in *in, size_t *n)
{
	double *v = xcalloc(in->n + 1, sizeof(*v)), median;
	size_t agree = 0;

	*n = 0;
	for (size_t i = 0; i < in->n && in->now_ms != INT64_MIN; i++)
		if (in->at_ms[i] != INT64_MIN && weekday(in->at_ms[i]) == weekday(in->now_ms) &&
		    in->now_ms - in->at_ms[i] > DAY_MS)
			v[(*n)++] = (double)in->bytes[i];
	median = series_median(v, *n);
	for (size_t i = 0; i < *n; i++)
		agree += alike(v[i], median);
	free(v);
	return *n >= WEEKDAYS && agree * 3 >= *n * 2 ? median : (double)NAN;
}

/* How many were as small as now, after larger ones and before larger ones: not those that a growing
 * series has left behind. */
static size_t left_again(const struct series_in *in)
{
	const double now = (double)in->now_b;
	size_t lows = 0, known = 0;
	bool high = false;

	for (size_t i = 0; i < in->n; i++) {
		if (alike((double)in->bytes[i], now)) {
			lows += high;
		} else if ((double)in->bytes[i] > now) {
			known = lows;
			high = true;
		}
	}
	return known;
}

static bool moved(const struct series_in *in)
{
	for (size_t i = 1; i <= MOVED; i++)
		if (i > in->n || !alike((double)in->bytes[in->n - i], (double)in->now_b))
			return false;
	return true;
}

/* A drop: is there an explanation in the series? */
static void explain_drop(const struct series_in *in, const struct series_limits *l,
			 struct series *out)
{
	size_t same;
	const double expected = of_weekday(in, &same);
	const bool known = isfinite(expected);
	const bool fits = known && (share(expected, (double)in->now_b) >= -l->trend.max_drop ||
				    !counts(l, expected, (double)in->now_b));

	out->kind = SERIES_DROP;
	out->status = V_CRITICAL;
	out->alike = left_again(in);
	if (in->n < SERIES_FEW)
		return;
	/* A weekday like any other explains nothing. */
	if (fits && !alike(expected, (double)out->trend.median_b)) {
		out->kind = SERIES_WEEKDAY;
		out->status = V_OK;
		out->expected_b = (uint64_t)expected;
		out->alike = same;
	} else if ((fits || !known) && out->alike >= 2 && out->alike * 4 >= in->n) {
		out->kind = SERIES_OFTEN;
		out->status = V_OK;
	} else if (out->alike >= 2 || (!out->trend.dropped_median &&
				       alike((double)in->now_b, (double)out->trend.median_b))) {
		out->kind = SERIES_NOW_AND_THEN;
		out->status = V_WARNING;
	} else if (!out->trend.dropped_previous && moved(in)) {
		out->kind = SERIES_MOVED;
		out->status = V_WARNING;
	}
}

/* Kendall's tau of the last n values: -1 when each is smaller than all before it. */
static double tau(const double *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			sum += (v[j] > v[i]) - (v[j] < v[i]);
	return sum / ((double)n * (double)(n - 1) / 2);
}

/* The sizes with this one, the last n of them. */
static void look_for_decline(const double *all, size_t n, const struct series_limits *l,
			     struct series *out)
{
	double first[3], fallen;

	if (n < SERIES_FEW + 1 || tau(all, n) > steady)
		return;
	memcpy(first, all, sizeof(first));
	fallen = share(series_median(first, 3), all[n - 1]);
	if (fallen >= -l->trend.max_drop / 2 || fallen >= out->decline ||
	    !counts(l, first[1], all[n - 1]))
		return;
	out->kind = SERIES_DECLINE;
	out->status = fallen < -l->trend.max_drop ? V_CRITICAL : V_WARNING;
	out->decline = fallen;
	out->over = n;
}

static void look_for_plateau(const double *window, size_t n, const struct series_limits *l,
			     double median, struct series *out)
{
	const double now = window[n];

	if (n < PLATEAU || share(median, now) >= -l->trend.max_drop / 10 || !counts(l, median, now))
		return;
	for (size_t i = 0; i < n; i++)
		if (fabs(share(median, window[i])) > flat / 2)
			return;
	out->kind = SERIES_PLATEAU;
	out->status = V_WARNING;
}

static void look_at_times(const struct series_in *in, const double *window, size_t n,
			  struct series *out)
{
	double *days = xcalloc(n + 1, sizeof(*days));
	bool timed = in->now_ms != INT64_MIN && n + 1 >= SERIES_FEW;

	for (size_t i = 0; i < n; i++) {
		const int64_t at_ms = in->at_ms[in->n - n + i];

		timed = timed && at_ms != INT64_MIN;
		days[i] = timed ? ((double)at_ms - (double)in->now_ms) / DAY_MS : 0;
	}
	out->slope_b_day = timed ? series_slope(days, window, n + 1) : (double)NAN;
	free(days);
}

static uint64_t mad(const double *window, size_t n, double median)
{
	double *v = xcalloc(n + 1, sizeof(*v)), out;

	for (size_t i = 0; i < n; i++)
		v[i] = fabs(window[i] - median);
	out = n ? series_median(v, n) : 0;
	free(v);
	return (uint64_t)out;
}

static void look_at_all(const struct series_in *in, const struct series_limits *l, size_t n,
			struct series *out)
{
	double *all = xcalloc(in->n + 1, sizeof(*all));
	const double *window = all + (in->n - n);
	struct trend *t = &out->trend;

	for (size_t i = 0; i < in->n; i++)
		all[i] = (double)in->bytes[i];
	all[in->n] = (double)in->now_b;
	out->mad_b = mad(window, n, (double)t->median_b);
	look_at_times(in, window, n, out);
	t->dropped_previous = t->dropped_previous && counts(l, (double)t->previous_b, all[in->n]);
	t->dropped_median = t->dropped_median && counts(l, (double)t->median_b, all[in->n]);
	t->grown = t->grown && counts(l, (double)t->median_b, all[in->n]);
	if (t->dropped_previous || t->dropped_median)
		explain_drop(in, l, out);
	else if (t->grown)
		out->kind = SERIES_GROWTH, out->status = V_WARNING;
	else
		look_for_plateau(window, n, l, (double)t->median_b, out);
	if (out->kind == SERIES_USUAL || out->kind == SERIES_MOVED || out->kind == SERIES_PLATEAU) {
		look_for_decline(window, n + 1, l, out);
		look_for_decline(all, in->n + 1, l, out);
	}
	free(all);
}

void series_judge(const struct series_in *in, const struct series_limits *limits,
		  struct series *out)
{
	const size_t n = in->n < in->window ? in->n : in->window;

	*out = (struct series){ .kind = SERIES_USUAL, .status = V_OK, .slope_b_day = (double)NAN };
	trend_judge(in->bytes + (in->n - n), n, in->now_b, &limits->trend, &out->trend);
	if (in->now_b == 0 || in->now_b < limits->tiny_b) {
		out->kind = SERIES_TINY;
		out->status = V_CRITICAL;
	} else if (n) {
		look_at_all(in, limits, n, out);
	}
}
