#include "lib/base/num.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* Digits after the point beyond this carry nothing: 10^18 is the largest scale that a uint64_t
 * holds with room to spare. */
enum { MAX_PLACES = 18 };

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit size_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "kB", 1000ULL },
	{ "KB", 1000ULL },
	{ "MB", 1000ULL * 1000 },
	{ "GB", 1000ULL * 1000 * 1000 },
	{ "TB", 1000ULL * 1000 * 1000 * 1000 },
	{ "PB", 1000ULL * 1000 * 1000 * 1000 * 1000 },
	{ "KiB", 1ULL << 10 },
	{ "MiB", 1ULL << 20 },
	{ "GiB", 1ULL << 30 },
	{ "TiB", 1ULL << 40 },
	{ "PiB", 1ULL << 50 },
	{ NULL, 0 },
};

static const struct unit time_units[] = {
	{ "", 1 },      { "s", 1 },      { "m", 60 }, { "h", 3600 },
	{ "d", 86400 }, { "w", 604800 }, { NULL, 0 },
};

/* A decimal as digits and how many of them stand after the point: 18.2 is 182 and 1. */
struct decimal {
	uint64_t digits;
	unsigned places;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_digit(struct decimal *d, char c)
{
	return !__builtin_mul_overflow(d->digits, 10U, &d->digits) &&
	       !__builtin_add_overflow(d->digits, (unsigned)(c - '0'), &d->digits);
}

static uint64_t power_of_ten(unsigned n)
{
	uint64_t p = 1;

	while (n--)
		p *= 10;
	return p;
}

/* "12" or "12.5"; false when there is no number or it does not fit. *end is what follows. */
static bool take_decimal(const char *s, const char **end, struct decimal *out)
{
	const char *last;

	*out = (struct decimal){ 0 };
	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++)
		if (!take_digit(out, *s))
			return false;
	*end = s;
	if (*s != '.')
		return true;
	if (!is_digit(*++s))
		return false;
	for (last = s; is_digit(*last); last++)
		;
	*end = last;
	while (last > s && last[-1] == '0')
		last--;
	for (; s < last; s++) {
		if (out->places == MAX_PLACES || !take_digit(out, *s))
			return false;
		out->places++;
	}
	return true;
}

/* The value in base units; *whole says whether nothing was cut off. */
static bool scaled(const char *s, const struct unit *units, uint64_t *out, bool *whole)
{
	struct decimal d;
	const char *end;
	wide product;
	uint64_t scale;

	if (!take_decimal(s, &end, &d))
		return false;
	while (units->suffix && strcmp(end, units->suffix) != 0)
		units++;
	if (units->suffix == NULL)
		return false;
	scale = power_of_ten(d.places);
	product = (wide)d.digits * units->factor;
	if (product / scale > UINT64_MAX)
		return false;
	*whole = product % scale == 0;
	*out = (uint64_t)(product / scale);
	return true;
}

int num_size(const char *s, uint64_t *out, struct err *e)
{
	uint64_t v;
	bool whole;

	/* 1.3GiB is no whole number of bytes: part of a byte is cut off, 0.5B is refused. */
	if (!scaled(s, size_units, &v, &whole) || (!whole && v == 0))
		return err_set(e, ERR_USAGE,
			       "'%.64s' is not a size; write bytes or a number with B, kB, MB, GB, "
			       "TB, PB or KiB, MiB, GiB, TiB, PiB, such as 18.2GB",
			       s);
	*out = v;
	return 0;
}

int num_duration(const char *s, uint64_t *out, struct err *e)
{
	uint64_t v;
	bool whole;

	if (!scaled(s, time_units, &v, &whole) || !whole)
		return err_set(e, ERR_USAGE,
			       "'%.64s' is not a duration in whole seconds; write 90s, 15m, 26h, "
			       "7d or 2w",
			       s);
	*out = v;
	return 0;
}

int num_share(const char *s, double *out, struct err *e)
{
	struct decimal d;
	const char *end;

	if (!take_decimal(s, &end, &d) || strcmp(end, "%") != 0)
		return err_set(e, ERR_USAGE,
			       "'%.64s' is not a share; write it with a percent sign, such as 20%%",
			       s);
	*out = (double)d.digits / (double)power_of_ten(d.places) / 100;
	return 0;
}

static bool whole_number(const char *s, uint64_t *out)
{
	struct decimal d = { 0 };

	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++)
		if (!take_digit(&d, *s))
			return false;
	*out = d.digits;
	return *s == '\0';
}

int num_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *out, struct err *e)
{
	uint64_t v;

	if (!whole_number(s, &v) || v < lo || v > hi)
		return err_set(e, ERR_USAGE,
			       "'%.64s' is not a whole number from %" PRIu64 " to %" PRIu64, s, lo,
			       hi);
	*out = v;
	return 0;
}

int num_i64(const char *s, int64_t lo, int64_t hi, int64_t *out, struct err *e)
{
	const bool negative = *s == '-';
	const uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t magnitude;
	int64_t v;

	if (!whole_number(s + negative, &magnitude) || magnitude > limit)
		goto refuse;
	v = (int64_t)(negative ? 0 - magnitude : magnitude);
	if (v < lo || v > hi)
		goto refuse;
	*out = v;
	return 0;
refuse:
	return err_set(e, ERR_USAGE, "'%.64s' is not a whole number from %" PRId64 " to %" PRId64,
		       s, lo, hi);
}
