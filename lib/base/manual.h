#ifndef LIB_BASE_MANUAL_H
#define LIB_BASE_MANUAL_H
/*
 * manual: --help and the man page, both from the tool's own tables, so that neither can
 * promise what the program does not do. The page is mdoc(7), checked with mandoc -T lint.
 */
#include "lib/base/buf.h"
#include "lib/base/tool.h"

void manual_help(struct buf *out, const struct tool *t, const struct opt *shared);
void manual_mdoc(struct buf *out, const struct tool *t, const struct opt *shared);
#endif
