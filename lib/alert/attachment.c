#include "lib/alert/attachment.h"

#include "lib/base/io.h"
#include "lib/base/record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

/* When the first of them was made; INT64_MAX when none of them says. */
static int64_t begun_ms(const json_t *checks)
{
	int64_t first = INT64_MAX, at;
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (record_time(check, "at", &at) && at < first)
			first = at;
	}
	return first;
}

int attachment_read(const char *path, const json_t *checks, struct buf *b, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, ERR_SYSTEM, "read the report %s: %s", path, strerror(errno));
	/* Files know whole seconds on some file systems. */
	if ((int64_t)st.st_mtim.tv_sec < begun_ms(checks) / 1000)
		return err_set(e, ERR_SYSTEM,
			       "read the report %s: it is older than this run; write it before "
			       "the alert is sent",
			       path);
	return io_slurp(path, b, e);
}

const char *attachment_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
