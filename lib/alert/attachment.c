#include "lib/alert/attachment.h"

#include "lib/base/buf.h"
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

json_t *attachment_load(const char *path, const json_t *checks, struct err *e)
{
	BUF_AUTO text = BUF_INIT(ATTACHMENT_MAX);
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (stat(path, &st) < 0) {
		(void)err_set(e, ERR_SYSTEM, "read the report %s: %s", path, strerror(errno));
		return NULL;
	}
	/* Some file systems know whole seconds only. */
	if ((int64_t)st.st_mtim.tv_sec < begun_ms(checks) / 1000) {
		(void)err_set(e, ERR_SYSTEM,
			      "read the report %s: it is older than this run; write it before the "
			      "alert is sent",
			      path);
		return NULL;
	}
	if (io_slurp(path, &text, e) < 0)
		return NULL;
	return json_pack("{s:o, s:o}", "name",
			 record_string(slash ? slash + 1 : path, strlen(slash ? slash + 1 : path)),
			 "text", record_string(text.s, text.len));
}
