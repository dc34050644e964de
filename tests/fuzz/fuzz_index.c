/* Whatever a web server sends as an index page: no name leads out of the directory. */
#include "lib/storage/index.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int look(const struct index_entry *entry, void *ctx, struct err *e)
{
	(void)ctx;
	(void)e;
	if (entry->name[0] == '\0' || strchr(entry->name, '/') || strcmp(entry->name, "..") == 0 ||
	    strcmp(entry->name, ".") == 0)
		__builtin_trap();
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct err e = { 0 };

	(void)index_parse((const char *)data, size, "/b/", look, NULL, &e);
	(void)index_is_listing((const char *)data, size);
	return 0;
}
