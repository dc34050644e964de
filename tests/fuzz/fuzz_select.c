/* Names are foreign text: whatever they are, they are sorted out and dated. */
#include "lib/base/xmem.h"
#include "lib/storage/select.h"
#include "lib/storage/uri.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	BUF_AUTO encoded = BUF_INIT(1 << 20);
	BUF_AUTO decoded = BUF_INIT(1 << 20);
	struct backup b = { .modified_ms = 1771293480000 };

	b.name = xstrndup((const char *)data, size);
	(void)select_classify(b.name);
	if (select_marked(b.name) > (int64_t)size)
		__builtin_trap();
	select_date(&b);
	uri_encode(&encoded, b.name, true);
	if (!uri_decode(&decoded, encoded.s, encoded.len, true) || strcmp(decoded.s, b.name) != 0)
		__builtin_trap();
	buf_reset(&decoded);
	uri_shown(&decoded, b.name);
	if (decoded.len > strlen(b.name))
		__builtin_trap();
	select_free(&b);
	return 0;
}
