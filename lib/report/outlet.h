#ifndef LIB_REPORT_OUTLET_H
#define LIB_REPORT_OUTLET_H
/*
 * outlet: where a finished report goes.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { OUTLET_MAX = 256 * 1024 * 1024 };

/* To the file path, replaced in one step with mode 0644 (a pipe, a terminal or a device is written
 * to), or, when path is NULL, to that descriptor. A report that is full is refused. */
int outlet_put(const char *path, int fd, const struct buf *report, struct err *e);
#endif
