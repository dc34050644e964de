#ifndef LIB_STORAGE_SUM_H
#define LIB_STORAGE_SUM_H
/*
 * sum: the digests other than the SHA-256 of the whole that a storage or a sidecar may have, over
 * bytes as they pass; also those that are made of the digests of an upload's parts (Amazon S3 User
 * Guide, "Checking object integrity": the digest of the parts' digests, then "-" and their number).
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sum_kind { SUM_MD5, SUM_SHA1, SUM_SHA256, SUM_CRC32, SUM_CRC32C, SUM_CRC64NVME };

enum { SUM_TEXT_SIZE = 160 };

/* "MD5", "CRC-64/NVME": for people. */
const char *sum_name(enum sum_kind kind);

struct sum; /* the caller's: sum_free() */

/* part_bytes 0: of the whole; else of the digests of parts of so many bytes. */
struct sum *sum_new(enum sum_kind kind, int64_t part_bytes, struct err *e);
void sum_free(struct sum **s);
#define SUM_AUTO __attribute__((cleanup(sum_free))) struct sum *

int sum_reset(struct sum *s, struct err *e);
int sum_add(struct sum *s, const void *p, size_t n, struct err *e);

/* All so far, the number of parts behind it: in base64, or in lower-case hex as ETags have it. */
int sum_end(struct sum *s, bool hex, char out[SUM_TEXT_SIZE], struct err *e);
#endif
