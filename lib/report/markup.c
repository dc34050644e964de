#include "lib/report/markup.h"

#include "lib/base/text.h"

#include <string.h>

enum { PIECE_MAX = 256 * 1024 };

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* U+FFFE and U+FFFF are valid UTF-8 and no characters (XML 1.0, section 2.2). */
static bool is_no_character(const char *s)
{
	return strncmp(s, "\xef\xbf\xbe", 3) == 0 || strncmp(s, "\xef\xbf\xbf", 3) == 0;
}

void markup_text(struct buf *out, const char *s)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);

	text_safe(&safe, s);
	for (const char *p = safe.s; *p; p++) {
		const char *e = entity(*p);

		if (e) {
			buf_adds(out, e);
		} else if (is_no_character(p)) {
			buf_addc(out, '?');
			p += 2;
		} else {
			buf_addc(out, *p);
		}
	}
}
