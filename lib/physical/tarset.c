#include "lib/physical/tarset.h"

#include "lib/base/xmem.h"

#include <string.h>

char *tarset_place(const char *name)
{
	const size_t digits = strspn(name, "0123456789");

	if (strncmp(name, "base.tar", 8) == 0)
		return xstrdup("");
	if (strncmp(name, "pg_wal.tar", 10) == 0)
		return xstrdup("pg_wal/");
	if (digits > 0 && strncmp(name + digits, ".tar", 4) == 0)
		return xasprintf("pg_tblspc/%.*s/", (int)digits, name);
	return NULL;
}
