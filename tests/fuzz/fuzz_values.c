/*
 * Numbers, moments and ranges from any text: nothing crashes, what is printed can be read back, and
 * what is refused leaves its target alone.
 */
#include "lib/base/num.h"
#include "lib/base/range.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
	if (!promise)
		abort();
}

static void moments(const char *s)
{
	char text[UTC_SIZE];
	int64_t ms, again;
	bool exact;

	if (utc_parse(s, &ms)) {
		require(utc_parse(utc_format(ms, text), &again) && again == ms);
		require(strlen(text) == strlen("2026-02-17T06:11:40.113Z"));
	}
	if (utc_parse_http(s, &ms))
		require(utc_parse(utc_format(ms, text), &again) && again == ms);
	if (utc_from_name(s, &ms, &exact))
		require(ms > 0 && (exact || ms % 86400000 == 0));
}

static void numbers(const char *s)
{
	struct err e = { 0 };
	uint64_t u = 7;
	int64_t i = 7;
	double share = 7;

	require(num_u64(s, 1, 5, &u, &e) == 0 ? u >= 1 && u <= 5 : u == 7);
	require(num_i64(s, -5, 5, &i, &e) == 0 ? i >= -5 && i <= 5 : i == 7);
	require(num_share(s, &share, &e) == 0 ? share >= 0 : share > 6.5);
	u = 7;
	require(num_size(s, &u, &e) == 0 || u == 7);
	u = 7;
	require(num_duration(s, &u, &e) == 0 || u == 7);
}

static void ranges(const char *s)
{
	struct range r = { .set = false };
	struct err e = { 0 };

	if (range_parse(s, &r, &e) < 0) {
		require(!r.set && e.msg[0] != '\0');
		return;
	}
	require(r.start <= r.end && strcmp(r.text, s) == 0);
	require(range_alerts(&r, r.start) == r.inside && range_alerts(&r, r.end) == r.inside);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *s = xmalloc(size + 1);

	memcpy(s, data, size);
	s[size] = '\0';
	moments(s);
	numbers(s);
	ranges(s);
	return 0;
}
