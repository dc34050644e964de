#include "lib/base/utf8.h"

#include <string.h>

size_t utf8_take(const char *s, size_t len, uint32_t *cp)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t more = 0; more < sizeof(forms) / sizeof(forms[0]) && more < len; more++) {
		uint32_t c = (unsigned char)s[0];

		if ((c & forms[more].mask) != forms[more].lead)
			continue;
		c &= (unsigned char)~forms[more].mask;
		for (size_t i = 1; i <= more; i++) {
			if (((unsigned char)s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | ((unsigned char)s[i] & 0x3fU);
		}
		if (c < forms[more].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		if (cp)
			*cp = c;
		return more + 1;
	}
	return 0;
}

static size_t step(const char *s, size_t len)
{
	const size_t n = utf8_take(s, len, NULL);

	return n ? n : 1;
}

size_t utf8_count(const char *s)
{
	const size_t len = strlen(s);
	size_t count = 0;

	for (size_t at = 0; at < len; at += step(s + at, len - at))
		count++;
	return count;
}

size_t utf8_prefix(const char *s, size_t most)
{
	const size_t len = strlen(s);
	size_t at = 0;

	while (at < len && most-- > 0)
		at += step(s + at, len - at);
	return at;
}

void utf8_cut(struct buf *out, const char *s, size_t most)
{
	if (utf8_prefix(s, most) == strlen(s)) {
		buf_adds(out, s);
		return;
	}
	buf_add(out, s, utf8_prefix(s, most - 1));
	buf_adds(out, "\xe2\x80\xa6"); /* U+2026 HORIZONTAL ELLIPSIS */
}
