#include "lib/pg/keyrange.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { WORD = 64, SUM_BITS = 128, DIGITS = 16, NUMBER_SIZE = 24, NEWTON = 6 };

void keyranges_free(struct keyranges *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].from);
	*r = (struct keyranges){ 0 };
}

static bool parse_number(const char *key, size_t len, int64_t *out)
{
	char text[NUMBER_SIZE];
	struct err ignored;

	if (len >= sizeof(text))
		return false;
	memcpy(text, key, len);
	text[len] = '\0';
	return num_i64(text, INT64_MIN, INT64_MAX, out, &ignored) == 0;
}

static int by_number(const char *a, size_t alen, const char *b, size_t blen)
{
	int64_t x = 0, y = 0;

	(void)parse_number(a, alen, &x);
	(void)parse_number(b, blen, &y);
	return (x > y) - (x < y);
}

static int by_bytes(const char *a, size_t alen, const char *b, size_t blen)
{
	int c = memcmp(a, b, alen < blen ? alen : blen);

	return c ? c : (alen > blen) - (alen < blen);
}

static int number_order(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return by_number(x, strlen(x), y, strlen(y));
}

static int byte_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void append(struct keyranges *r, const char *from)
{
	r->v[r->n++] = (struct keyrange){ .from = from ? xstrdup(from) : NULL };
}

void keyranges_divide(struct keyranges *r, char **sample, size_t n)
{
	size_t parts = n < KEYRANGE_MAX ? n : KEYRANGE_MAX;

	if (n > 1)
		qsort(sample, n, sizeof(*sample), r->number ? number_order : byte_order);
	append(r, NULL);
	for (size_t i = 1; i < parts; i++) {
		const char *from = sample[i * n / parts], *last = r->v[r->n - 1].from;

		if (!last || strcmp(last, from) != 0)
			append(r, from);
	}
}

void keyranges_like(struct keyranges *r, const struct keyranges *model)
{
	*r = (struct keyranges){ .number = model->number };
	for (size_t i = 0; i < model->n; i++)
		append(r, model->v[i].from);
}

uint64_t keyrange_number(const struct keyranges *r, const char *key, size_t len)
{
	int64_t number = 0;

	if (!r->number)
		return XXH3_64bits(key, len);
	(void)parse_number(key, len, &number);
	return (uint64_t)number;
}

/* The last range that begins at or below the key. */
static struct keyrange *find(struct keyranges *r, const char *key, size_t len)
{
	size_t low = 0, high = r->n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;
		const char *from = r->v[mid].from;
		int c = r->number ? by_number(key, len, from, strlen(from))
				  : by_bytes(key, len, from, strlen(from));

		if (c < 0)
			high = mid;
		else
			low = mid;
	}
	return &r->v[low];
}

static keyrange_sum sum_of(const struct rowhash *h)
{
	return ((keyrange_sum)h->high << WORD) | h->low;
}

bool keyranges_add(struct keyranges *r, const char *key, size_t len, const void *line, size_t size)
{
	struct keyrange *range = find(r, key, len);
	struct rowhash row = { 0 };
	int64_t ignored;

	if (r->number && !parse_number(key, len, &ignored))
		return false;
	rowhash_add(&row, line, size);
	range->weighted += sum_of(&row) * keyrange_number(r, key, len);
	rowhash_merge(&range->rows, &row);
	return true;
}

/* The inverse of an odd number modulo 2^128: x is right in its three lowest bits, and each round
 * doubles how many are. */
static keyrange_sum inverse(keyrange_sum odd)
{
	keyrange_sum x = odd;

	for (int i = 0; i < NEWTON; i++)
		x *= 2 - odd * x;
	return x;
}

enum keyrange_finding keyrange_compare(const struct keyranges *was, const struct keyranges *is,
				       size_t i, uint64_t *k)
{
	keyrange_sum ds = sum_of(&is->v[i].rows) - sum_of(&was->v[i].rows);
	keyrange_sum dw = is->v[i].weighted - was->v[i].weighted;
	keyrange_sum quotient;
	unsigned zeros = 0;

	if (ds == 0)
		return dw == 0 && is->v[i].rows.rows == was->v[i].rows.rows ? KEYRANGE_SAME
									    : KEYRANGE_MANY;
	while (!(ds >> zeros & 1))
		zeros++;
	/* Of the quotient the upper bits are lost when dS is even; those that prove must be left.
	 */
	if (zeros >= WORD / 2 || dw != (dw >> zeros << zeros))
		return KEYRANGE_MANY;
	quotient = (dw >> zeros) * inverse(ds >> zeros) << zeros >> zeros;
	/* A negative number times h wraps: its k is counted as unsigned, see keyrange_number(). */
	if (quotient >> WORD)
		return KEYRANGE_MANY;
	*k = (uint64_t)quotient;
	return KEYRANGE_ONE;
}

const char *keyrange_sum_text(keyrange_sum w, char out[KEYRANGE_SUM_SIZE])
{
	(void)snprintf(out, KEYRANGE_SUM_SIZE, "%016" PRIx64 "%016" PRIx64, (uint64_t)(w >> WORD),
		       (uint64_t)w);
	return out;
}

bool keyrange_sum_parse(const char *text, keyrange_sum *w)
{
	char high[DIGITS + 1] = "";

	if (strlen(text) != 2 * (size_t)DIGITS || strspn(text, "0123456789abcdef") != strlen(text))
		return false;
	memcpy(high, text, DIGITS);
	*w = (keyrange_sum)strtoull(high, NULL, 16) << WORD | strtoull(text + DIGITS, NULL, 16);
	return true;
}
