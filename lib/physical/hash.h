#ifndef LIB_PHYSICAL_HASH_H
#define LIB_PHYSICAL_HASH_H
/*
 * hash: the checksums that a backup manifest may name for a file (PostgreSQL
 * src/common/checksum_helper.c). CRC32C is four bytes in the order of the host that made the
 * backup; we read those of little-endian hosts.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hash_kind { HASH_NONE, HASH_CRC32C, HASH_SHA224, HASH_SHA256, HASH_SHA384, HASH_SHA512 };
enum { HASH_KINDS = HASH_SHA512 + 1, HASH_MAX = 64 };

/* "CRC32C", as the manifest spells it. */
const char *hash_name(enum hash_kind kind);
bool hash_of_name(const char *name, enum hash_kind *kind);
size_t hash_size(enum hash_kind kind);

struct hash; /* the caller's: hash_free() */

struct hash *hash_new(void);
void hash_free(struct hash **h);
#define HASH_AUTO __attribute__((cleanup(hash_free))) struct hash

/* Any number of times: begin, add..., end. */
int hash_begin(struct hash *h, enum hash_kind kind, struct err *e);
int hash_add(struct hash *h, const void *p, size_t n, struct err *e);
/* hash_size() bytes. */
int hash_end(struct hash *h, unsigned char out[HASH_MAX], struct err *e);

/* Hex digits, twice as many as n, to bytes; false for anything else. */
bool hash_parse(const char *hex, unsigned char *out, size_t n);
#endif
