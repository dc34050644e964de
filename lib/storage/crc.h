#ifndef LIB_STORAGE_CRC_H
#define LIB_STORAGE_CRC_H
/*
 * crc: the cyclic checksums that object stores keep and that zlib has not: CRC-32C (Castagnoli, RFC
 * 3720) and CRC-64/NVME (NVM Express NVM Command Set, section 5.2.1.3.4), both reflected, with all
 * bits set before and inverted after. Eight bytes a step: by tables ("slicing by 8"), or by the
 * processor where it has an instruction for it.
 */
#include <stddef.h>
#include <stdint.h>

enum crc_kind { CRC_32C, CRC_64NVME };

/* Of the bytes before (0 for none) and of these. */
uint64_t crc_add(enum crc_kind kind, uint64_t crc, const void *p, size_t n);

/* Of what has the checksum before, followed by n bytes with the checksum behind. Being linear, it
 * takes an end away, too: crc_join(kind, of the beginning, of the whole, n) is that of the n bytes
 * behind the beginning. */
uint64_t crc_join(enum crc_kind kind, uint64_t before, uint64_t behind, uint64_t n);
#endif
