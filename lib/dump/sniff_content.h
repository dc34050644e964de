#ifndef LIB_DUMP_SNIFF_CONTENT_H
#define LIB_DUMP_SNIFF_CONTENT_H
/*
 * sniff_content: the part of sniff that looks at bytes in memory only. p holds the first n bytes
 * after unpacking; the functions fill kind and what the bytes say about origin and detail.
 */
#include "lib/dump/sniff.h"

#include <stddef.h>

/* Anything but archives of pg_dump. Always finds a kind. */
void sniff_content(const unsigned char *p, size_t n, struct sniffed *out);

/* A tar's first members: DUMP_TAR, DUMP_PACKED_DIRECTORY, DUMP_BASE_TAR or DUMP_BINARY. */
void sniff_tar(const unsigned char *p, size_t n, struct sniffed *out);

/* Copies text from outside, printable and bounded. */
void sniff_quote(char *out, size_t size, const void *p, size_t n);
#endif
