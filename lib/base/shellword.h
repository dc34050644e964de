#ifndef LIB_BASE_SHELLWORD_H
#define LIB_BASE_SHELLWORD_H
/*
 * shellword: a name as one word of a shell command, for commands that messages advise.
 */
#include "lib/base/buf.h"

/* In single quotes; a quote of its own as '\''. */
void shellword_add(struct buf *out, const char *s);
#endif
