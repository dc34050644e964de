/* Whatever a server of S3 or Azure sends as a listing or as an error: no crash, no endless work,
 * and a key that is handed out is text. */
#include "lib/storage/azure_list.h"
#include "lib/storage/s3list.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int look(const struct keyspace_entry *entry, void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	if (strlen(entry->key) == 0 || strlen(entry->key) > KEYSPACE_KEY_MAX || entry->bytes < 0)
		__builtin_trap();
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct s3_error error;
	struct s3_page page;
	BUF_AUTO next = BUF_INIT(KEYSPACE_KEY_MAX);
	struct err e = { 0 };

	if (s3list_parse((const char *)data, size, &page, look, NULL, &e) == 0)
		buf_free(&page.next);
	else if (e.msg[0] == '\0')
		__builtin_trap();
	s3list_error((const char *)data, size, &error);
	e.msg[0] = '\0';
	if (azure_list_parse((const char *)data, size, look, NULL, &next, &e) < 0 && !e.msg[0])
		__builtin_trap();
	return 0;
}
