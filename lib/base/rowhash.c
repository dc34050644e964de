#include "lib/base/rowhash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char prefix[] = "xxh3-128:";

enum { PREFIX = sizeof(prefix) - 1, DIGITS = 16 };

static void add(struct rowhash *h, uint64_t high, uint64_t low)
{
	h->low += low;
	h->high += high + (h->low < low);
}

void rowhash_add(struct rowhash *h, const void *line, size_t len)
{
	XXH128_hash_t x = XXH3_128bits(line, len);

	add(h, x.high64, x.low64);
	h->rows++;
}

void rowhash_merge(struct rowhash *h, const struct rowhash *part)
{
	add(h, part->high, part->low);
	h->rows += part->rows;
}

bool rowhash_equal(const struct rowhash *a, const struct rowhash *b)
{
	return a->high == b->high && a->low == b->low;
}

const char *rowhash_text(const struct rowhash *h, char out[ROWHASH_TEXT_SIZE])
{
	(void)snprintf(out, ROWHASH_TEXT_SIZE, "%s%016" PRIx64 "%016" PRIx64, prefix, h->high,
		       h->low);
	return out;
}

bool rowhash_parse(const char *text, struct rowhash *h)
{
	char high[DIGITS + 1] = "", low[DIGITS + 1] = "";

	if (strncmp(text, prefix, PREFIX) != 0 ||
	    strspn(text + PREFIX, "0123456789abcdef") != 2 * (size_t)DIGITS ||
	    text[PREFIX + 2 * DIGITS])
		return false;
	memcpy(high, text + PREFIX, DIGITS);
	memcpy(low, text + PREFIX + DIGITS, DIGITS);
	h->high = strtoull(high, NULL, 16);
	h->low = strtoull(low, NULL, 16);
	return true;
}
