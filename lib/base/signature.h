#ifndef LIB_BASE_SIGNATURE_H
#define LIB_BASE_SIGNATURE_H
/*
 * signature: a JSON object that nobody has changed since the holder of a key signed it.
 *
 * The object gets a field "signature": { "algorithm": ..., "value": hexadecimal }. Signed are the
 * bytes of the object without that field, as compact JSON with the names sorted, in UTF-8 without
 * needless escapes - what `jq -cjS 'del(.signature)'` prints.
 *
 * The key's file decides: PEM is a key for Ed25519 (RFC 8032; private to sign, public to verify, as
 * `openssl genpkey -algorithm ed25519` and `openssl pkey -pubout` make them), anything else a
 * shared secret on its first line, for HMAC-SHA256 (RFC 2104).
 */
#include "lib/base/err.h"

#include <jansson.h>

/* 0, or -1 with *e (ERR_SYSTEM for the key). */
int signature_add(json_t *object, const char *key_file, struct err *e);

/* 0: the field is there and right. ERR_BACKUP: missing or wrong; ERR_SYSTEM: the key is no use. */
int signature_verify(json_t *object, const char *key_file, struct err *e);
#endif
