/* The files of a base backup that say what it is: backup_manifest, backup_label, pg_control. */
#include "lib/base/xmem.h"
#include "lib/physical/control.h"
#include "lib/physical/incremental.h"
#include "lib/physical/label.h"
#include "lib/physical/manifest.h"
#include "lib/physical/page.h"
#include "lib/physical/wal.h"
#include "lib/physical/walfile.h"
#include "lib/physical/walledger.h"
#include "lib/physical/walpath.h"
#include "lib/physical/walrecord.h"
#include "lib/storage/crc.h"
#include "lib/storage/digest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The manifest's own checksum is made right, or nothing would get past it. */
static void manifest(const char *text, size_t size)
{
	static const char field[] = "\n\"Manifest-Checksum\": \"";
	char sum[DIGEST_HEX_SIZE];
	struct manifest m;
	struct err e = { 0 };
	char *whole;

	if (size == 0 || digest_of(text, size, sum, &e) < 0)
		return;
	whole = xasprintf("%.*s%s%s\"}\n", (int)size, text, field, sum);
	if (strlen(whole) > size && digest_of(whole, size + 1, sum, &e) == 0)
		memcpy(whole + size + sizeof(field) - 1, sum, DIGEST_HEX_SIZE - 1);
	(void)manifest_parse(whole, strlen(whole), "fuzz", &m, &e);
	manifest_free(&m);
	free(whole);
}

/* The first page is made that of a segment, or nothing would get past it. */
static void segment(const uint8_t *data, size_t size)
{
	static const uint8_t header[WAL_HEADER_SIZE] = { 0x10, 0xd1,     2,           0,
							 1,    [35] = 0, [34] = 0x10, [37] = 0x20 };
	static struct wal_walk *walk;
	struct wal_summary s;

	if (walk == NULL)
		walk = wal_walk_new();
	wal_walk_begin(walk);
	wal_walk_add(walk, header, sizeof(header));
	wal_walk_add(walk, data, size);
	wal_walk_end(walk, &s);
	(void)wal_join(&s, &(struct wal_summary){ .head = s.tail, .head_left = s.head_left });
}

/* The magic number is made right; the first byte cuts the rest in two. */
static void part(const uint8_t *data, size_t size)
{
	static const uint8_t magic[] = { 0x0d, 0x1f, 0xae, 0xd3 };
	struct incremental r = { .wrong = NULL };
	const size_t cut = size ? data[0] % size : 0;

	incremental_begin(&r, PAGE_SIZE_DEFAULT, 131072);
	(void)incremental_take(&r, magic, sizeof(magic));
	(void)incremental_take(&r, data, cut);
	(void)incremental_take(&r, data + cut, size - cut);
	incremental_end(&r, size + sizeof(magic));
	incremental_free(&r);
}

/* The checksum of the line is made right. */
static void ledger(const char *text)
{
	char *line = xasprintf("%08x %s", (unsigned)crc_add(CRC_32C, 0, text, strlen(text)), text);
	struct walledger_entry entry;

	if (walledger_parse(line, strlen(line), &entry)) {
		free(entry.file);
		free(entry.etag);
	}
	free(line);
}

static void names(const char *text)
{
	char stem[WALFILE_STEM];
	enum walfile_kind kind;
	struct walpath path;
	struct err e = { 0 };

	(void)walfile_of(text, &kind, stem);
	(void)walpath_parse(text, 5, "fuzz", &path, &e);
	walpath_free(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct label label;
	struct control control;
	struct wal_header header;
	struct err e = { 0 };
	uint32_t block;

	(void)label_parse((const char *)data, size, "fuzz", &label, &e);
	(void)control_parse(data, size, "fuzz", &control, &e);
	if (size >= WAL_HEADER_SIZE)
		(void)wal_header(data, &header);
	segment(data, size);
	part(data, size);
	if (size >= PAGE_SIZE_DEFAULT)
		(void)page_look(data, PAGE_SIZE_DEFAULT, 0, true);
	if (memchr(data, 0, size) == NULL) {
		char *text = xstrndup((const char *)data, size);

		(void)page_file(text, 131072, &block);
		manifest(text, size);
		ledger(text);
		names(text);
		free(text);
	}
	return 0;
}
