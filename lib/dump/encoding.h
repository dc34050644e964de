#ifndef LIB_DUMP_ENCODING_H
#define LIB_DUMP_ENCODING_H
/*
 * encoding: those encodings of text that PostgreSQL knows for clients only, since the second byte
 * of their characters may be an ASCII character: a backslash, a bracket, a letter; never a quote, a
 * dollar sign, a blank or the end of a line.
 *
 * Names and lengths: PostgreSQL src/common/encnames.c and wchar.c.
 */
#include <stdbool.h>
#include <stddef.h>

enum encoding_kind {
	ENCODING_SERVER,     /* ASCII bytes are ASCII characters; a server may have it, too */
	ENCODING_SJIS,       /* bytes in pairs, but for half-width katakana */
	ENCODING_PAIRS,      /* BIG5, GBK, UHC, GB18030 */
	ENCODING_UNREADABLE, /* JOHAB: a second byte may be a semicolon, characters may have three
			      */
};

/* By any of its names, as PostgreSQL takes them: case and punctuation do not count. */
enum encoding_kind encoding_of(const char *name);

/* How many bytes from such a first byte on belong together, as far as ASCII goes: 1 or 2. */
size_t encoding_step(enum encoding_kind kind, char first);
#endif
