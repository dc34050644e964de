#ifndef LIB_REPORT_MARKUP_H
#define LIB_REPORT_MARKUP_H
/*
 * markup: text of any origin as character data of HTML and XML 1.0, in content and in quoted
 * attributes. Markup in it, control characters, characters that turn the direction of writing or
 * hide (text_safe()), and what XML cannot hold at all stay harmless.
 */
#include "lib/base/buf.h"

void markup_text(struct buf *out, const char *s);
#endif
