#ifndef LIB_REPORT_FIGURE_H
#define LIB_REPORT_FIGURE_H
/*
 * figure: metrics and their thresholds in words: 1320 s is "22 min", the range "1800" of seconds is
 * "at most 30 min".
 */
#include "lib/base/buf.h"

/* unit: a record's base unit; one that is not known follows the number. Not a number: "?". */
void figure_value(struct buf *out, double value, const char *unit);

/* range: as in a record's "warn" and "crit"; one that is no range stands as it is. */
void figure_range(struct buf *out, const char *range, const char *unit);
#endif
