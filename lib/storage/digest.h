#ifndef LIB_STORAGE_DIGEST_H
#define LIB_STORAGE_DIGEST_H
/*
 * digest: SHA-256 (FIPS 180-4) of bytes as they pass, by OpenSSL.
 */
#include "lib/base/err.h"

#include <stddef.h>

enum { DIGEST_HEX_SIZE = 65 };

struct digest; /* the caller's: digest_free() */

struct digest *digest_new(struct err *e);
void digest_free(struct digest **d);
#define DIGEST_AUTO __attribute__((cleanup(digest_free))) struct digest *

/* Empties it: the next byte is the first. */
int digest_reset(struct digest *d, struct err *e);
int digest_add(struct digest *d, const void *p, size_t n, struct err *e);

/* The digest of all so far, lower-case hex; d must be reset before it is used again. */
int digest_hex(struct digest *d, char out[DIGEST_HEX_SIZE], struct err *e);

/* Of bytes in memory. */
int digest_of(const void *p, size_t n, char out[DIGEST_HEX_SIZE], struct err *e);

/* n bytes as 2n lower-case hex digits and a NUL. */
void digest_print(const unsigned char *p, size_t n, char *out);
#endif
