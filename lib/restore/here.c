#include "lib/restore/here.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *part;
	const char *reason;
} reasons[] = {
	{ "No space left on device", "the disk is full; free some space, or set --work-dir" },
	{ "Disk quota exceeded", "the disk quota is used up; set --work-dir" },
	{ "out of shared memory", "the temporary server's lock table is full" },
	{ "out of memory", "memory is out" },
	{ "extension control file", "an extension is not installed here; install its package" },
	{ "could not access file \"$libdir",
	  "an extension is not installed here; install its package" },
	{ "could not create locale", "a locale is not installed here" },
	{ "invalid locale name", "a locale is not installed here" },
	{ "server closed the connection", "the temporary server broke off" },
	{ "connection to server", "the temporary server does not answer" },
	{ "no connection to the server", "the temporary server is gone" },
	{ "terminating connection", "the temporary server broke off" },
	{ "pg_restore killed by signal 9", "pg_restore was killed" },
	{ "the database system is", "the temporary server broke off" },
};

const char *here_reason(const char *message)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(message, reasons[i].part))
			return reasons[i].reason;
	if (strncmp(message, "extension \"", 11) == 0 && strstr(message, "\" is not available"))
		return "an extension is not installed here; install its package";
	return NULL;
}
