#ifndef LIB_REPORT_CALENDAR_H
#define LIB_REPORT_CALENDAR_H
/*
 * calendar: on which days a backup was verified, as an inline SVG of weeks and as a table of
 * months. Days are those of UTC.
 */
#include "lib/base/buf.h"
#include "lib/report/past.h"

enum calendar_day {
	DAY_NONE,     /* no run */
	DAY_LOOKED,   /* nothing was restored, and nothing worse than a warning found */
	DAY_FAILED,   /* a run, and none that verified a backup */
	DAY_VERIFIED, /* at least one run verified a backup */
};

/* How the day of the runs [first, last) was. */
enum calendar_day calendar_judge(const struct past_run *runs, size_t n);

/* runs: oldest first; today: a moment of the last day shown. */
void calendar_svg(const struct past_run *runs, size_t n, int64_t today_ms, struct buf *out);
void calendar_table(const struct past_run *runs, size_t n, struct buf *out);
#endif
