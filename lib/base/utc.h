#ifndef LIB_BASE_UTC_H
#define LIB_BASE_UTC_H
/*
 * utc: moments as milliseconds since 1970-01-01T00:00:00Z, without time-zone globals
 * (neither TZ nor the locale changes any result here).
 */
#include <stdbool.h>
#include <stdint.h>

enum { UTC_SIZE = 32 };

/* The clock, or what --now (a test option) has set. */
int64_t utc_now_ms(void);
void utc_set_now(int64_t ms);

/* Monotonic milliseconds: for durations, never for dates. */
int64_t mono_ms(void);

/* RFC 3339 with milliseconds: 2026-02-17T06:11:40.113Z. Returns out. Years have four digits: a
 * moment outside 0000 to 9999 is printed as the nearest inside, and utc_parse() refuses it. */
const char *utc_format(int64_t ms, char out[UTC_SIZE]);
/* For people: 2026-02-17 06:11:40 UTC. Returns out. */
const char *utc_human(int64_t ms, char out[UTC_SIZE]);

/* HTTP-date, RFC 9110 section 5.6.7: Tue, 17 Feb 2026 01:58:42 GMT. Returns out. */
const char *utc_format_http(int64_t ms, char out[UTC_SIZE]);

/* RFC 3339: date and time with 'T' or a blank, optional fraction (beyond the millisecond cut
 * off), 'Z' or an offset (+02, +02:00, +0200, +00:53:28: PostgreSQL prints the first and, for
 * times before there were zones, the last). A time
 * without a zone is refused: it would be a guess. */
bool utc_parse(const char *s, int64_t *ms);

/* HTTP-date, RFC 9110 section 5.6.7, the preferred form: Tue, 17 Feb 2026 01:58:42 GMT */
bool utc_parse_http(const char *s, int64_t *ms);

/* The moment that a backup's name carries, taken as UTC: 2026-02-17, 20260217,
 * 20260217_015842, 2026-02-17T01-58-42Z, 2026-02-17_01.58 and the like, between non-digits;
 * the last one when several stand there, a longer form before a shorter; years 1990 to 2199. *exact
 * says whether there was a time of day and not only a date. */
bool utc_from_name(const char *name, int64_t *ms, bool *exact);
#endif
