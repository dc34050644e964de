#ifndef LIB_PG_KEYRANGE_H
#define LIB_PG_KEYRANGE_H
/*
 * keyrange: where a table's content differs from what it was, without having kept the rows.
 *
 * The rows are put into ranges of their key, and for each range two sums modulo 2^128 are kept
 * beside the number of rows: S, of the rows' hashes h (rowhash.h), and W, of h times k, k being the
 * key as a number. When one row of a range was lost, came or changed, the differences of the sums
 * are dS = h' - h and dW = (h' - h) * k (an h that is not there is 0): dW / dS is the key. The
 * division is exact, and a result that fits into 64 of the 128 bits is no chance, so that a range
 * in which more than one row differs is told from it.
 *
 * A key is the text of its columns as COPY writes them, tabs between them. One column of a whole
 * number is its own k and is ordered as a number; else k is XXH3 (64 bits) of the text, which finds
 * the key among those that are there, and the order is that of the bytes, on every server the same.
 */
#include "lib/base/rowhash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEYRANGE_MAX = 64 };

__extension__ typedef unsigned __int128 keyrange_sum;

struct keyrange {
	char *from; /* owned: the first key of it; NULL: whatever is below the next one's */
	struct rowhash rows;
	keyrange_sum weighted; /* W */
};

/* Ranges of one table, in order. n 0: the table has no key. */
struct keyranges {
	struct keyrange v[KEYRANGE_MAX];
	size_t n;
	bool number; /* the key is one whole number */
};

void keyranges_free(struct keyranges *r);

/* Divides by the sample of keys (any order; it is sorted here). */
void keyranges_divide(struct keyranges *r, char **sample, size_t n);

/* The same division without rows. */
void keyranges_like(struct keyranges *r, const struct keyranges *model);

/* The key as a number. */
uint64_t keyrange_number(const struct keyranges *r, const char *key, size_t len);

/* Counts a row: its key and its line. False: a key that should be a number is none. */
bool keyranges_add(struct keyranges *r, const char *key, size_t len, const void *line, size_t size);

enum keyrange_finding { KEYRANGE_SAME, KEYRANGE_ONE, KEYRANGE_MANY };

/* Compares range i of both (divided alike). KEYRANGE_ONE: a single row differs, the one of the key
 * *k. */
enum keyrange_finding keyrange_compare(const struct keyranges *was, const struct keyranges *is,
				       size_t i, uint64_t *k);

/* W as 32 hexadecimal digits, and back. */
enum { KEYRANGE_SUM_SIZE = 33 };
const char *keyrange_sum_text(keyrange_sum w, char out[KEYRANGE_SUM_SIZE]);
bool keyrange_sum_parse(const char *text, keyrange_sum *w);
#endif
