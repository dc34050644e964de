#ifndef LIB_ALERT_SIGN_H
#define LIB_ALERT_SIGN_H
/*
 * sign: how a receiver knows that a webhook's body is ours, whole, and not an old one sent again.
 *
 *	X-Backup-Probes-Signature: t=UNIX,v1=HEX
 *
 * HEX is HMAC-SHA256 (RFC 2104, FIPS 180-4) with the shared secret over "UNIX.BODY", UNIX the
 * seconds since 1970 when it was sent. A receiver computes it over the bytes that arrived, compares
 * in constant time, and refuses what is older than a few minutes.
 */
#include "lib/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Appends "t=UNIX,v1=HEX". */
void sign_body(struct buf *out, const char *secret, int64_t at_ms, const void *body, size_t len);
#endif
