#ifndef LIB_REPORT_CSV_H
#define LIB_REPORT_CSV_H
/*
 * csv: a line for each metric of each check, and one for a check without metrics (RFC 4180, with a
 * header). Text that a spreadsheet would take for a formula gets an apostrophe in front.
 */
#include "lib/base/buf.h"
#include "lib/report/summary.h"

void csv_report(const struct summary *s, struct buf *out);
#endif
