#include "lib/physical/wal.h"

#include "lib/base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets and flags of a page header; what follows LONG stands on a segment's first page only. */
enum { MAGIC, INFO = 2, TIMELINE = 4, ADDRESS = 8, LONG = 24, SEGMENT_SIZE = 32, BLOCK_SIZE = 36 };
enum { INFO_LONG = 0x0002, INFO_KNOWN = 0x000f };

void wal_name(uint32_t timeline, uint64_t lsn, uint32_t size_b, char out[WAL_NAME_SIZE])
{
	const uint64_t segment = lsn / size_b, per_log = (UINT64_C(1) << 32) / size_b;

	(void)snprintf(out, WAL_NAME_SIZE, "%08" PRIX32 "%08" PRIX32 "%08" PRIX32, timeline,
		       (uint32_t)(segment / per_log), (uint32_t)(segment % per_log));
}

bool wal_of_name(const char *name, uint32_t size_b, uint32_t *timeline, uint64_t *lsn)
{
	uint32_t part[3];
	char hex[9] = "";

	if (strlen(name) != WAL_NAME_SIZE - 1 ||
	    strspn(name, "0123456789ABCDEF") != WAL_NAME_SIZE - 1)
		return false;
	for (int i = 0; i < 3; i++) {
		memcpy(hex, name + 8 * (ptrdiff_t)i, 8);
		part[i] = (uint32_t)strtoul(hex, NULL, 16);
	}
	*timeline = part[0];
	*lsn = ((uint64_t)part[1] << 32) + (uint64_t)part[2] * size_b;
	return part[0] > 0 && part[2] < (UINT64_C(1) << 32) / size_b;
}

bool wal_header(const unsigned char *p, struct wal_header *h)
{
	const uint16_t info = bytes_le16(p + INFO);

	h->magic = bytes_le16(p + MAGIC);
	h->timeline = bytes_le32(p + TIMELINE);
	h->lsn = bytes_le64(p + ADDRESS);
	h->system_identifier = bytes_le64(p + LONG);
	h->segment_size = bytes_le32(p + SEGMENT_SIZE);
	h->block_size = bytes_le32(p + BLOCK_SIZE);
	return (info & INFO_LONG) && (info & ~INFO_KNOWN) == 0 && h->timeline > 0 &&
	       h->segment_size >= 1U << 20 && (h->segment_size & (h->segment_size - 1)) == 0 &&
	       h->lsn % h->segment_size == 0 && h->block_size >= 1024;
}

/* XLOG_PAGE_MAGIC of each release. */
int wal_major(uint16_t magic)
{
	static const struct {
		uint16_t magic;
		int major;
	} releases[] = { { 0xD097, 10 }, { 0xD098, 11 }, { 0xD101, 12 },
			 { 0xD106, 13 }, { 0xD10D, 14 }, { 0xD110, 15 },
			 { 0xD113, 16 }, { 0xD116, 17 }, { 0xD118, 18 } };

	for (size_t i = 0; i < sizeof(releases) / sizeof(*releases); i++)
		if (releases[i].magic == magic)
			return releases[i].major;
	return 0;
}

bool wal_page(const unsigned char *p, const struct wal_header *h, uint64_t lsn)
{
	return bytes_le16(p + MAGIC) == h->magic && (bytes_le16(p + INFO) & ~INFO_KNOWN) == 0 &&
	       bytes_le32(p + TIMELINE) >= h->timeline && bytes_le64(p + ADDRESS) == lsn;
}
