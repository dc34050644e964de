#ifndef LIB_STORAGE_URI_H
#define LIB_STORAGE_URI_H
/*
 * uri: percent-encoding (RFC 3986, section 2) and what may be shown of a URI.
 */
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Everything but A-Z a-z 0-9 - _ . ~ becomes %XX, as SigV4 wants it too; '/' stays where
 * keep_slash says so. */
void uri_encode(struct buf *out, const char *s, bool keep_slash);

/* The opposite; with plus, '+' is a blank (the form encoding that S3 listings use). False, with
 * *out undefined, for a broken escape and for %00, which no name can hold. */
bool uri_decode(struct buf *out, const char *s, size_t n, bool plus);

/* Length of the scheme in "scheme://...", 0 where there is none. */
size_t uri_scheme(const char *s);

/* What messages and records may say of a URI: without user, password, query and fragment, any of
 * which may be a secret (a presigned URL carries its signature in the query). */
void uri_shown(struct buf *out, const char *uri);
#endif
