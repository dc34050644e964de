#ifndef LIB_ALERT_ATTACHMENT_H
#define LIB_ALERT_ATTACHMENT_H
/*
 * attachment: the report of this very run, to be sent along.
 *
 * A report file has the same name every day, so one that could not be written today is
 * yesterday's: a file that is older than the run's first check is refused.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <jansson.h>

enum { ATTACHMENT_MAX = 1024 * 1024 };

/* The file's text into b, whose ceiling should be ATTACHMENT_MAX. checks: the run's check
 * records. */
int attachment_read(const char *path, const json_t *checks, struct buf *b, struct err *e);

/* What comes after the last '/'. Borrowed from path. */
const char *attachment_name(const char *path);
#endif
