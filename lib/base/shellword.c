#include "lib/base/shellword.h"

void shellword_add(struct buf *out, const char *s)
{
	buf_addc(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_adds(out, "'\\'");
		buf_addc(out, *s);
	}
	buf_addc(out, '\'');
}
