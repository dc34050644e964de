/* Whatever stands in a profile file; a complaint never repeats it. */
#include "lib/storage/profile.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void look(const struct profile_item *item, void *ctx)
{
	(void)ctx;
	if (item->section[0] == '\0' || item->key[0] == '\0' || strchr(item->value, '\n'))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct err e = { 0 };

	if (profile_parse((const char *)data, size, look, NULL, &e) < 0 &&
	    strncmp(e.msg, "line ", 5) != 0)
		__builtin_trap();
	return 0;
}
