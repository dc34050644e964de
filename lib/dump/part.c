#include "lib/dump/part.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In pg_restore's order. */
static const struct {
	const char *end, *codec;
} forms[] = { { "", "none" }, { ".gz", "gzip" }, { ".lz4", "lz4" }, { ".zst", "zstd" } };

struct stream *part_open(const char *dir, const char *name, const struct stream_opts *opts,
			 const char **codec, struct err *e)
{
	struct stream_opts part = opts ? *opts : (struct stream_opts){ 0 };
	char path[PATH_MAX];
	int n;

	if (name[0] == '\0' || strchr(name, '/')) {
		(void)err_set(e, ERR_BACKUP,
			      "read %.200s: damaged: a part's file is called \"%.80s\"", dir, name);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		n = snprintf(path, sizeof(path), "%s/%s%s", dir, name, forms[i].end);
		if (n < 0 || n >= (int)sizeof(path) || access(path, F_OK) < 0)
			continue;
		part.codec = forms[i].codec;
		if (codec)
			*codec = part.codec;
		return stream_open_path(path, &part, e);
	}
	(void)err_set(e, ERR_BACKUP, "read %.200s: incomplete: the file %.80s is missing", dir,
		      name);
	return NULL;
}
