#include "lib/dump/part.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* In pg_restore's order. */
static const struct {
	const char *end, *codec;
} forms[] = { { "", "none" }, { ".gz", "gzip" }, { ".lz4", "lz4" }, { ".zst", "zstd" } };

/* The path of the part in one of its forms. False: it is not there so. */
static bool find(const char *dir, const char *name, size_t form, char path[PATH_MAX],
		 struct stat *st)
{
	int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, forms[form].end);

	return n >= 0 && n < PATH_MAX && stat(path, st) == 0;
}

struct stream *part_open(const char *dir, const char *name, const struct stream_opts *opts,
			 const char **codec, struct err *e)
{
	struct stream_opts part = opts ? *opts : (struct stream_opts){ 0 };
	char path[PATH_MAX];
	struct stat st;

	if (name[0] == '\0' || strchr(name, '/')) {
		(void)err_set(e, ERR_BACKUP,
			      "read %.200s: damaged: a part's file is called \"%.80s\"", dir, name);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (!find(dir, name, i, path, &st))
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

uint64_t part_size(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (find(dir, name, i, path, &st))
			return (uint64_t)st.st_size;
	return 0;
}
