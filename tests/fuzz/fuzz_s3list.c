/* Whatever a server sends as a listing or as an error: no crash, no endless work, and a key that is
 * handed out is text. */
#include "lib/storage/s3list.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int look(const struct s3_entry *entry, void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	if (strlen(entry->key) == 0 || strlen(entry->key) > S3_KEY_MAX || entry->bytes < 0)
		__builtin_trap();
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct s3_error error;
	struct s3_page page;
	struct err e = { 0 };

	if (s3list_parse((const char *)data, size, &page, look, NULL, &e) == 0)
		buf_free(&page.next);
	else if (e.msg[0] == '\0')
		__builtin_trap();
	s3list_error((const char *)data, size, &error);
	return 0;
}
