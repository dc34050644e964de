/* The files of a base backup that say what it is: backup_manifest, backup_label, pg_control. */
#include "lib/base/xmem.h"
#include "lib/physical/control.h"
#include "lib/physical/label.h"
#include "lib/physical/manifest.h"
#include "lib/physical/page.h"
#include "lib/physical/wal.h"
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
	if (size >= PAGE_SIZE_DEFAULT)
		(void)page_look(data, PAGE_SIZE_DEFAULT, 0, true);
	if (memchr(data, 0, size) == NULL) {
		char *text = xstrndup((const char *)data, size);

		(void)page_file(text, 131072, &block);
		manifest(text, size);
		free(text);
	}
	return 0;
}
