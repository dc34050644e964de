#include "lib/physical/walfile.h"

#include <stddef.h>
#include <string.h>

enum { SEGMENT = 24, EIGHT = 8, DIGEST = 40 };

static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";

/* Passes over the text where it stands there. */
static bool skip(const char **s, const char *text)
{
	const size_t n = strlen(text);

	if (strncmp(*s, text, n) != 0)
		return false;
	*s += n;
	return true;
}

/* ".gz", ".zst.age" */
static bool is_packing(const char *s)
{
	static const char *const ends[] = { ".gz",  ".zstd", ".zst", ".lz4", ".xz", ".bz2",
					    ".gpg", ".pgp",  ".asc", ".age", ".enc" };
	size_t i = 0;

	while (*s != '\0' && i < sizeof(ends) / sizeof(*ends))
		i = skip(&s, ends[i]) ? 0 : i + 1;
	return *s == '\0';
}

/* ".00000028.backup" */
static bool skip_label(const char **s)
{
	const char *p = *s;

	if (p[0] != '.' || strspn(p + 1, upper) != EIGHT)
		return false;
	p += 1 + EIGHT;
	if (!skip(&p, ".backup"))
		return false;
	*s = p;
	return true;
}

bool walfile_of(const char *object, enum walfile_kind *kind, char stem[WALFILE_STEM])
{
	const char *slash = strrchr(object, '/'), *s = slash ? slash + 1 : object;
	const size_t digits = strspn(s, upper);
	const size_t n = digits == SEGMENT ? SEGMENT : EIGHT;

	if (digits != SEGMENT && digits != EIGHT)
		return false;
	memcpy(stem, s, n);
	stem[n] = '\0';
	s += n;
	if (n == EIGHT) {
		*kind = WALFILE_HISTORY;
		return skip(&s, ".history") && is_packing(s);
	}
	*kind = WALFILE_SEGMENT;
	if (s[0] == '-' && strspn(s + 1, lower) == DIGEST)
		s += 1 + DIGEST;
	if (skip_label(&s))
		*kind = WALFILE_LABEL;
	else if (skip(&s, ".partial"))
		*kind = WALFILE_PARTIAL;
	return is_packing(s);
}
