#ifndef LIB_DUMP_BASE64_H
#define LIB_DUMP_BASE64_H
/*
 * base64: RFC 4648, section 4, with or without the padding.
 */
#include <stddef.h>
#include <sys/types.h>

/* Decodes n characters into out, which has room for size bytes: their number; -1 for anything that
 * is no base64, or does not fit. */
ssize_t base64_decode(const char *p, size_t n, unsigned char *out, size_t size);
#endif
