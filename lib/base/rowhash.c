#include "lib/base/rowhash.h"

#include "lib/base/xmem.h"

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

struct rowhash_line {
	XXH3_state_t *state;
};

struct rowhash_line *rowhash_line_new(void)
{
	struct rowhash_line *l = xmalloc(sizeof(*l));

	l->state = XXH3_createState();
	if (l->state == NULL || XXH3_128bits_reset(l->state) != XXH_OK) {
		rowhash_line_free(l);
		return NULL;
	}
	return l;
}

void rowhash_line_free(struct rowhash_line *l)
{
	if (l)
		(void)XXH3_freeState(l->state);
	free(l);
}

void rowhash_line_part(struct rowhash_line *l, const void *p, size_t n)
{
	(void)XXH3_128bits_update(l->state, p, n);
}

void rowhash_line_end(struct rowhash_line *l, struct rowhash *h)
{
	XXH128_hash_t x = XXH3_128bits_digest(l->state);

	add(h, x.high64, x.low64);
	h->rows++;
	(void)XXH3_128bits_reset(l->state);
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
