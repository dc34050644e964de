#include "lib/base/human.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* From here on a double counts no single units any more. */
static const double exact_max = 9e15;

/* "18.2 GB" from 182: figures are rounded once, to the place that is shown. */
static void one_place(char *out, const char *sign, int64_t tenths, const char *unit)
{
	(void)snprintf(out, HUMAN_SIZE - 1, "%s%" PRId64 ".%d %s", sign, tenths / 10,
		       (int)(tenths % 10), unit);
}

static void no_place(char *out, int64_t n, const char *unit)
{
	(void)snprintf(out, HUMAN_SIZE - 1, "%" PRId64 " %s", n, unit);
}

const char *human_bytes(uint64_t bytes, char out[HUMAN_SIZE])
{
	static const char *const names[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	unsigned i = 0;

	if (bytes < 1000) {
		(void)snprintf(out, HUMAN_SIZE, "%" PRIu64 " B", bytes);
		return out;
	}
	/* 999.6 kB would round to "1000 kB". */
	for (; v >= 999.5; i++)
		v /= 1000;
	if (v < 99.95)
		one_place(out, "", llround(v * 10), names[i]);
	else
		no_place(out, llround(v), names[i]);
	return out;
}

/* "4 h 12 min", "4 h": n small units, `per` of which make a big one. */
static void two_units(char out[HUMAN_SIZE], int64_t n, int per, const char *big, const char *small)
{
	if (n % per)
		(void)snprintf(out, HUMAN_SIZE, "%" PRId64 " %s %" PRId64 " %s", n / per, big,
			       n % per, small);
	else
		(void)snprintf(out, HUMAN_SIZE, "%" PRId64 " %s", n / per, big);
}

static void short_duration(char *out, double s)
{
	const int64_t tenths = llround(s * 10);

	if (s > 0 && s < 0.0995)
		no_place(out, llround(fmax(s * 1000, 1)), "ms");
	else if (tenths < 100 && tenths % 10)
		one_place(out, "", tenths, "s");
	else
		no_place(out, llround(s), "s");
}

const char *human_duration(double seconds, char out[HUMAN_SIZE])
{
	const double s = fabs(seconds);
	char *at = out;

	if (!(s < exact_max)) {
		(void)snprintf(out, HUMAN_SIZE, "?");
		return out;
	}
	if (seconds < 0)
		*at++ = '-';
	/* Each step asks what the value rounds to: 59.7 s is "1 min" and never "60 s". */
	if (s < MINUTE - 0.5)
		short_duration(at, s);
	else if (s < 10 * MINUTE - 0.5)
		two_units(at, llround(s), MINUTE, "min", "s");
	else if (s < HOUR - MINUTE / 2.0)
		no_place(at, llround(s / MINUTE), "min");
	else if (s < 2 * DAY - MINUTE / 2.0)
		two_units(at, llround(s / MINUTE), HOUR / MINUTE, "h", "min");
	else
		two_units(at, llround(s / HOUR), DAY / HOUR, "d", "h");
	return out;
}

const char *human_count(int64_t n, char out[HUMAN_SIZE])
{
	char digits[HUMAN_SIZE];
	const uint64_t magnitude = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	const int len = snprintf(digits, sizeof(digits), "%" PRIu64, magnitude);
	char *at = out;

	if (n < 0)
		*at++ = '-';
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = '\0';
	return out;
}

const char *human_change(double share, char out[HUMAN_SIZE])
{
	const double percent = share * 100;
	const double size = fabs(percent);
	const char *sign = percent < 0 ? "-" : "+";
	char whole[HUMAN_SIZE];

	if (!(size < exact_max))
		(void)snprintf(out, HUMAN_SIZE, "?");
	else if (llround(size * 10) == 0)
		no_place(out, 0, "%");
	else if (llround(size * 10) < 100)
		one_place(out, sign, llround(size * 10), "%");
	else
		(void)snprintf(out, HUMAN_SIZE, "%s%.40s %%", sign,
			       human_count(llround(size), whole));
	return out;
}
