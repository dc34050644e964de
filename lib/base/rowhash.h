#ifndef LIB_BASE_ROWHASH_H
#define LIB_BASE_ROWHASH_H
/*
 * rowhash: one figure for the content of a table, whatever order its rows come in.
 *
 * A row is the line that COPY ... TO STDOUT writes for it in text format, without its newline
 * (PostgreSQL documentation, COPY, "Text Format"; the escapes have been the same since 7.4): all
 * columns but generated ones, in their order in the table, in UTF-8 (of a SQL_ASCII database: as
 * they are). A dump in that encoding holds just these bytes when it was made with TimeZone UTC, the
 * other settings being those that pg_dump makes itself (DateStyle ISO, IntervalStyle postgres,
 * extra_float_digits 3), so that a server and a dump are compared without restoring one or reading
 * the other.
 *
 * Each line is hashed with XXH3 (128 bits, seed 0; the algorithm is fixed since xxHash 0.8.0 and
 * the same on every machine). The hashes are added modulo 2^128: a sum forgets the order, and,
 * unlike exclusive or, not the rows that are there twice. It shows any accident; it is no
 * protection against a forger, who is kept away by signing the file that holds it.
 *
 * As text: "xxh3-128:" and 32 hexadecimal digits, the most significant first. A table without rows
 * is "xxh3-128:" and 32 zeros.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROWHASH_TEXT_SIZE = 9 + 32 + 1 };

/* Starts from { 0 }. */
struct rowhash {
	uint64_t rows;
	uint64_t high, low; /* the sum */
};

/* line: one row without its newline. */
void rowhash_add(struct rowhash *h, const void *line, size_t len);

/* The same for a row that comes in pieces, however long it is: parts, then the end, then perhaps
 * the next row. NULL: out of memory. */
struct rowhash_line;
struct rowhash_line *rowhash_line_new(void);
void rowhash_line_free(struct rowhash_line *l);
void rowhash_line_part(struct rowhash_line *l, const void *p, size_t n);
void rowhash_line_end(struct rowhash_line *l, struct rowhash *h);

/* The rows of both: parts of one table that were read by several threads. */
void rowhash_merge(struct rowhash *h, const struct rowhash *part);

/* Does not look at .rows. */
bool rowhash_equal(const struct rowhash *a, const struct rowhash *b);

/* The sum as text; returns out. */
const char *rowhash_text(const struct rowhash *h, char out[ROWHASH_TEXT_SIZE]);

/* The sum from such a text; .rows stays. False: it is none. */
bool rowhash_parse(const char *text, struct rowhash *h);
#endif
