#ifndef LIB_BASE_CHAIN_H
#define LIB_BASE_CHAIN_H
/*
 * chain: lines that cannot be removed, changed or reordered unseen.
 *
 * Each line is a JSON object that ends with the field "chain":
 *
 *	seq        1, 2, 3, ...
 *	previous   SHA-256 of the line before, over its exact bytes without the newline; "" for the
 *	           first line of a file
 *	aside      {"bytes","sha256"} of unreadable bytes between the two, newlines included: what a
 *	           writer left that died in the middle of a line; absent where there are none
 *	unchained  {"bytes","sha256"} of everything that stands before seq 1: lines of a time before
 *	           there was a chain; absent where there is nothing
 *
 * The last line's number and SHA-256 are the chain's head. A line may be signed (signature.h): the
 * field "signature" then follows. What a chain alone cannot tell is that lines at its end were
 * removed: only who knows a later head can.
 */
#include "lib/base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHAIN_SHA_SIZE = 65 };

struct chain_head {
	int64_t seq; /* 0: there is no chain yet */
	char sha256[CHAIN_SHA_SIZE];
};

/* SHA-256 of the line, in hexadecimal. */
void chain_sha(const char *line, size_t len, char out[CHAIN_SHA_SIZE]);

/* The field "chain" for the line that comes after the first size bytes of fd; cut: they end inside
 * a line, and a newline goes first. The caller's; NULL with errno. Reads no more than the last line
 * unless something before it is to be covered. Lines longer than most are unreadable. */
json_t *chain_next(int fd, off_t size, bool cut, size_t most, int64_t *seq);

/* The same where lines are not in a file: after this line, whose number is seq; NULL and 0: it is
 * the first. */
json_t *chain_after(const char *line, size_t len, int64_t seq);

/* Who looks at each chained line of a file, in order; false ends the walk. */
struct chain_line {
	size_t number; /* of the line in the file, from 1 */
	json_t *object;
	struct chain_head head; /* as it is with this line */
};
struct chain_visitor {
	bool (*take)(const struct chain_line *line, void *to);
	void *to;
};

/* What a walk over a file found. */
struct chain_proof {
	struct chain_head head;
	size_t lines;     /* all */
	size_t unchained; /* before the chain began; covered by it */
	size_t aside;     /* unreadable ones that the chain vouches for */
	size_t loose;     /* unreadable ones at the end, for which nothing does */
	size_t bad;       /* number of the first bad line; 0: there is none */
	char why[320];
};

/* Proves lines that are given from the first on, each with its newline if it has one. False: one is
 * bad (out->bad), or the visitor (may be NULL) wants no more. *out is complete when it is closed.
 */
struct chain_walk *chain_walk_open(size_t most, const struct chain_visitor *visitor,
				   struct chain_proof *out);
bool chain_walk_line(struct chain_walk *w, const char *raw, size_t len);
void chain_walk_close(struct chain_walk *w);
#endif
