#ifndef LIB_BASE_UTF8_H
#define LIB_BASE_UTF8_H
/*
 * utf8: where characters begin and end (RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF). A byte that belongs to no character counts as one, so that every text has a length
 * and can be cut.
 */
#include "lib/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s, of which len may be read; 0 when there is none. *cp (may be NULL)
 * is its code point. */
size_t utf8_take(const char *s, size_t len, uint32_t *cp);

/* Characters in s. */
size_t utf8_count(const char *s);

/* Bytes of the first `most` characters of s. */
size_t utf8_prefix(const char *s, size_t most);

/* Appends s; when it has more than `most` characters (at least 1), its beginning and an ellipsis,
 * together `most`. */
void utf8_cut(struct buf *out, const char *s, size_t most);
#endif
