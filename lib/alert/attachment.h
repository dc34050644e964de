#ifndef LIB_ALERT_ATTACHMENT_H
#define LIB_ALERT_ATTACHMENT_H
/*
 * attachment: the report of this very run, to be sent along.
 *
 * A report file has the same name every day, so one that could not be written today is
 * yesterday's: a file that is older than the run's first check is refused.
 */
#include "lib/base/err.h"

#include <jansson.h>

enum { ATTACHMENT_MAX = 1024 * 1024 };

/* {"name":…,"text":…}, the caller's: all of it, so that a message which is sent tomorrow still
 * comes with today's report. checks: the run's check records. */
json_t *attachment_load(const char *path, const json_t *checks, struct err *e);
#endif
