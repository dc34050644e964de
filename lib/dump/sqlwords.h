#ifndef LIB_DUMP_SQLWORDS_H
#define LIB_DUMP_SQLWORDS_H
/*
 * sqlwords: walks over the tokens of one whole statement; comments are passed over.
 */
#include "lib/dump/sqllex.h"

#include <stdbool.h>
#include <stddef.h>

/* Start from { .text = ..., .n = ... }; the token is there after the first sqlwords_next(). */
struct sqlwords {
	struct sqllex lx;
	const char *text;
	size_t n;
	struct sql_token t;
};

/* False at the end, and at a quote that is never closed. */
bool sqlwords_next(struct sqlwords *w);

/* Is the token this keyword (given in lower case); this byte? */
bool sqlwords_is(const struct sqlwords *w, const char *word);
bool sqlwords_char(const struct sqlwords *w, char c);
#endif
