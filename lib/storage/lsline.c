#include "lib/storage/lsline.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

/* Mode, links, owner, group, size, and a date of three words stand before the name. */
enum { SIZE_WORD = 4, WORDS = 8 };

static bool read_line(char *s, struct lsline *out)
{
	char *size = NULL, *arrow;
	struct err ignored;
	uint64_t bytes;

	*out = (struct lsline){ .kind = s[0] };
	for (int word = 0; word < WORDS; word++) {
		if (word == SIZE_WORD)
			size = s;
		s += strcspn(s, " ");
		if (*s == '\0')
			return false;
		/* One blank before the name: others belong to it. */
		if (word + 1 < WORDS)
			s += strspn(s, " ");
	}
	*s++ = '\0';
	size[strcspn(size, " ")] = '\0';
	if (num_u64(size, 0, INT64_MAX, &bytes, &ignored) < 0 || s[0] == '\0')
		return false;
	out->bytes = (int64_t)bytes;
	out->name = s;
	arrow = out->kind == 'l' ? strstr(s, " -> ") : NULL;
	if (arrow) {
		*arrow = '\0';
		out->link = arrow + strlen(" -> ");
	}
	return strcmp(s, ".") != 0 && strcmp(s, "..") != 0 && strchr(s, '/') == NULL;
}

bool lsline_next(const char **page, char **text, struct lsline *out)
{
	while (**page) {
		size_t n = strcspn(*page, "\n");

		free(*text);
		*text = xstrndup(*page, n);
		*page += n + ((*page)[n] == '\n');
		if (read_line(*text, out))
			return true;
	}
	free(*text);
	*text = NULL;
	return false;
}
