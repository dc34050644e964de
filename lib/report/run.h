#ifndef LIB_REPORT_RUN_H
#define LIB_REPORT_RUN_H
/*
 * run: the whole run as one JSON object, "record":"run" - the JSON report, and the line in the
 * history. Its fields are described in docs/records.md.
 */
#include "lib/report/summary.h"

/* The caller's. When its checks would take more than max bytes, those that are not ok come first,
 * as many as fit, and "checks_left_out" says how many do not. */
json_t *run_object(const struct summary *s, size_t max);
#endif
