#ifndef LIB_BASE_BYTES_H
#define LIB_BASE_BYTES_H
/*
 * bytes: the numbers in little-endian files and pages, at any alignment.
 */

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_le16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static inline uint32_t bytes_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t bytes_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

#endif
