#include "lib/base/utc.h"

#include <string.h>
#include <time.h>

enum { MS = 1000, DAY_S = 86400, OFFSET_MAX_S = 16 * 3600 };

/* Four-digit years, which is all that RFC 3339 knows. */
static const int64_t first_ms = -62167219200LL * MS;    /* 0000-01-01 */
static const int64_t last_ms = 253402300800LL * MS - 1; /* the end of 9999-12-31 */

static bool now_is_set;
static int64_t now_ms;

struct civil {
	int year, month, day, hour, minute, second;
};

static int64_t clock_ms(clockid_t id)
{
	struct timespec t = { 0 };

	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * MS + t.tv_nsec / 1000000;
}

int64_t utc_now_ms(void)
{
	return now_is_set ? now_ms : clock_ms(CLOCK_REALTIME);
}

void utc_set_now(int64_t ms)
{
	now_is_set = true;
	now_ms = ms;
}

int64_t mono_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* Days since 1970-01-01 and back in the proleptic Gregorian calendar. Both count in eras of 400
 * years (146097 days) whose years begin in March, so that the leap day comes last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	const int64_t y = month <= 2 ? year - 1 : year;
	const int64_t era = (y >= 0 ? y : y - 399) / 400;
	const int64_t year_of_era = y - era * 400;
	const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static struct civil civil_from_days(int64_t days)
{
	const int64_t z = days + 719468;
	const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	const int64_t doe = z - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const int64_t from_march = (5 * doy + 2) / 153;
	struct civil c = { 0 };

	c.month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
	c.day = (int)(doy - (153 * from_march + 2) / 5 + 1);
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	return c;
}

static bool valid_date(const struct civil *c)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	const bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

	if (c->month < 1 || c->month > 12 || c->day < 1)
		return false;
	return c->day <= days[c->month - 1] + (c->month == 2 && leap);
}

/* A leap second is the first of the next minute, as in POSIX time. */
static bool valid_time(const struct civil *c)
{
	return c->hour <= 23 && c->minute <= 59 && c->second <= 60;
}

static int64_t civil_ms(const struct civil *c)
{
	const int64_t days = days_from_civil(c->year, c->month, c->day);
	const int64_t minutes = c->hour * 60 + c->minute;

	return (days * DAY_S + minutes * 60 + c->second) * MS;
}

/* Splits ms; a moment outside the four-digit years counts as the nearest inside. */
static struct civil split(int64_t ms, int *millis)
{
	const int64_t in = ms < first_ms ? first_ms : ms > last_ms ? last_ms : ms;
	const int64_t since = in - first_ms;
	const int64_t s = since / MS % DAY_S;
	struct civil c = civil_from_days(since / MS / DAY_S + first_ms / MS / DAY_S);

	c.hour = (int)(s / 3600);
	c.minute = (int)(s / 60 % 60);
	c.second = (int)(s % 60);
	*millis = (int)(since % MS);
	return c;
}

/* The last n decimal digits of v; returns what follows them. */
static char *put(char *out, int v, int n)
{
	for (int i = n - 1; i >= 0; i--, v /= 10)
		out[i] = (char)('0' + v % 10);
	return out + n;
}

static char *put_clock(char *out, const struct civil *c)
{
	out = put(out, c->hour, 2);
	*out++ = ':';
	out = put(out, c->minute, 2);
	*out++ = ':';
	return put(out, c->second, 2);
}

static char *put_moment(char *out, const struct civil *c, char between)
{
	out = put(out, c->year, 4);
	*out++ = '-';
	out = put(out, c->month, 2);
	*out++ = '-';
	out = put(out, c->day, 2);
	*out++ = between;
	return put_clock(out, c);
}

const char *utc_format(int64_t ms, char out[UTC_SIZE])
{
	int millis;
	const struct civil c = split(ms, &millis);
	char *end = put_moment(out, &c, 'T');

	*end++ = '.';
	end = put(end, millis, 3);
	memcpy(end, "Z", sizeof("Z"));
	return out;
}

const char *utc_human(int64_t ms, char out[UTC_SIZE])
{
	int millis;
	const struct civil c = split(ms, &millis);

	memcpy(put_moment(out, &c, ' '), " UTC", sizeof(" UTC"));
	return out;
}

#define DAY_NAMES "MonTueWedThuFriSatSun"
#define MONTH_NAMES "JanFebMarAprMayJunJulAugSepOctNovDec"

static char *put_name(char *out, const char *names, int i)
{
	memcpy(out, names + (size_t)i * 3, 3);
	return out + 3;
}

const char *utc_format_http(int64_t ms, char out[UTC_SIZE])
{
	int millis;
	const struct civil c = split(ms, &millis);
	/* The day 0 was a Thursday. */
	const int64_t days = days_from_civil(c.year, c.month, c.day);
	const int weekday = (int)(((days + 3) % 7 + 7) % 7);

	char *end = put_name(out, DAY_NAMES, weekday);

	memcpy(end, ", ", 2);
	end = put(end + 2, c.day, 2);
	*end++ = ' ';
	end = put_name(end, MONTH_NAMES, c.month - 1);
	*end++ = ' ';
	end = put(end, c.year, 4);
	*end++ = ' ';
	end = put_clock(end, &c);
	memcpy(end, " GMT", sizeof(" GMT"));
	return out;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits at *s, which moves behind them. */
static bool digits(const char **s, int n, int *out)
{
	const char *p = *s;
	int v = 0;

	for (int i = 0; i < n; i++, p++) {
		if (!is_digit(*p))
			return false;
		v = v * 10 + (*p - '0');
	}
	*s = p;
	*out = v;
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	++*s;
	return true;
}

static bool clock_time(const char **s, struct civil *c)
{
	return digits(s, 2, &c->hour) && literal(s, ':') && digits(s, 2, &c->minute) &&
	       literal(s, ':') && digits(s, 2, &c->second) && valid_time(c);
}

/* ".5" is 500; nothing there is 0. */
static bool fraction(const char **s, int *millis)
{
	int place = 100;

	*millis = 0;
	if (!literal(s, '.'))
		return true;
	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); ++*s, place /= 10)
		*millis += (**s - '0') * place;
	return true;
}

/* +02, +0200, +02:00, and +00:53:28: local mean time, as PostgreSQL prints it for old dates. */
static bool offset(const char **s, int *seconds)
{
	int h, m = 0, sec = 0;
	const int sign = **s == '-' ? -1 : 1;

	if (!literal(s, '+') && !literal(s, '-'))
		return false;
	if (!digits(s, 2, &h))
		return false;
	if (literal(s, ':')) {
		if (!digits(s, 2, &m) || (literal(s, ':') && !digits(s, 2, &sec)))
			return false;
	} else if (is_digit(**s) && !digits(s, 2, &m)) {
		return false;
	}
	*seconds = sign * (h * 3600 + m * 60 + sec);
	return m <= 59 && sec <= 59 && h * 3600 + m * 60 + sec < OFFSET_MAX_S;
}

bool utc_parse(const char *s, int64_t *ms)
{
	struct civil c = { 0 };
	int millis, east_s = 0;
	int64_t t;

	if (!digits(&s, 4, &c.year) || !literal(&s, '-') || !digits(&s, 2, &c.month) ||
	    !literal(&s, '-') || !digits(&s, 2, &c.day) || !valid_date(&c))
		return false;
	if (!literal(&s, 'T') && !literal(&s, 't') && !literal(&s, ' '))
		return false;
	if (!clock_time(&s, &c) || !fraction(&s, &millis))
		return false;
	if (!literal(&s, 'Z') && !literal(&s, 'z') && !offset(&s, &east_s))
		return false;
	t = civil_ms(&c) + millis - (int64_t)east_s * MS;
	if (*s != '\0' || t < first_ms || t > last_ms)
		return false;
	*ms = t;
	return true;
}

/* One of the n three-letter names in `all`: which, or -1. */
static int name3(const char **s, const char *all, int n)
{
	for (int i = 0; i < n; i++) {
		if (strncmp(*s, all + (size_t)i * 3, 3) == 0) {
			*s += 3;
			return i;
		}
	}
	return -1;
}

bool utc_parse_http(const char *s, int64_t *ms)
{
	struct civil c = { 0 };

	if (name3(&s, DAY_NAMES, 7) < 0 || !literal(&s, ',') || !literal(&s, ' ') ||
	    !digits(&s, 2, &c.day) || !literal(&s, ' '))
		return false;
	c.month = name3(&s, MONTH_NAMES, 12) + 1;
	if (!literal(&s, ' ') || !digits(&s, 4, &c.year) || !valid_date(&c))
		return false;
	if (!literal(&s, ' ') || !clock_time(&s, &c) || strcmp(s, " GMT") != 0)
		return false;
	*ms = civil_ms(&c);
	return true;
}

/* Years that a backup's name may mean; other digits of that length are something else. */
enum { NAME_YEAR_MIN = 1990, NAME_YEAR_MAX = 2199 };

/* A date at s: the character behind it, or NULL. */
static const char *name_date(const char *s, struct civil *c)
{
	char between = '\0';

	if (!digits(&s, 4, &c->year))
		return NULL;
	if (*s != '\0' && strchr("-_./", *s))
		between = *s++;
	if (!digits(&s, 2, &c->month) || (between && !literal(&s, between)) ||
	    !digits(&s, 2, &c->day))
		return NULL;
	if (c->year < NAME_YEAR_MIN || c->year > NAME_YEAR_MAX || !valid_date(c))
		return NULL;
	return s;
}

/* HHMMSS or HHMM, with or without one kind of separator, no digit after it. */
static const char *name_time(const char *s, struct civil *c, bool seconds)
{
	char between = '\0';

	c->second = 0;
	if (!digits(&s, 2, &c->hour))
		return NULL;
	if (*s != '\0' && strchr("-:._", *s))
		between = *s++;
	if (!digits(&s, 2, &c->minute))
		return NULL;
	if (seconds && ((between && !literal(&s, between)) || !digits(&s, 2, &c->second)))
		return NULL;
	return !is_digit(*s) && valid_time(c) ? s : NULL;
}

/* The time of day that may follow a date: the character behind it, or NULL. */
static const char *name_time_after(const char *s, struct civil *c)
{
	struct civil another;
	const char *end;

	for (int i = 0; i < 2 && *s != '\0' && strchr("-_./Tt ", *s); i++)
		s++;
	/* 2026-02-16-2026-02-17 is two dates, and not 20:26. */
	if (name_date(s, &another))
		return NULL;
	end = name_time(s, c, true);
	return end ? end : name_time(s, c, false);
}

bool utc_from_name(const char *name, int64_t *ms, bool *exact)
{
	bool found = false;

	for (const char *s = name; *s;) {
		struct civil date = { 0 }, moment;
		const char *end = NULL, *day_end;

		if (s == name || !is_digit(s[-1]))
			end = name_date(s, &date);
		day_end = end;
		moment = date;
		if (day_end)
			end = name_time_after(day_end, &moment);
		if (end) {
			*ms = civil_ms(&moment);
			*exact = true;
		} else if (day_end && !is_digit(*day_end)) {
			end = day_end;
			*ms = civil_ms(&date);
			*exact = false;
		}
		found = found || end;
		s = end ? end : s + 1;
	}
	return found;
}
