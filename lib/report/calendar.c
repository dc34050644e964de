#include "lib/report/calendar.h"

#include "lib/base/utc.h"

#include <string.h>

/* Two pictures of half a year each, which stand beside or below each other. */
enum { WEEKS = 26, HALVES = 2, DAYS = 7, CELL = 12, PITCH = 14, LEFT = 30, TOP = 18 };
enum { MONTH_LENGTH = 7, DATE_LENGTH = 10 };

static const int64_t day_ms = 24 * 3600 * 1000LL;

static const struct {
	const char *class, *words;
} looks[] = {
	[DAY_NONE] = { "none", "no run" },
	[DAY_LOOKED] = { "looked", "looked at, not restored" },
	[DAY_FAILED] = { "failed", "not verified" },
	[DAY_VERIFIED] = { "verified", "verified" },
};

enum calendar_day calendar_judge(const struct past_run *runs, size_t n)
{
	enum calendar_day best = DAY_NONE;
	bool failed = false;

	for (size_t i = 0; i < n; i++) {
		const struct past_run *r = &runs[i];

		if (r->verified)
			return DAY_VERIFIED;
		failed |= r->restored || verdict_worst(r->status, V_WARNING) != V_WARNING;
		best = DAY_LOOKED;
	}
	return failed ? DAY_FAILED : best;
}

/* Days since 1970-01-01, a Thursday. No run is older than that. */
static int64_t day_of(int64_t ms)
{
	return ms / day_ms;
}

static int weekday(int64_t day) /* Monday is 0 */
{
	return (int)((day + 3) % DAYS);
}

/* The runs of one day, which begin at *at; *at moves behind them. */
static size_t runs_of(const struct past_run *runs, size_t n, int64_t day, size_t *at)
{
	size_t first;

	while (*at < n && day_of(runs[*at].at_ms) < day)
		++*at;
	first = *at;
	while (*at < n && day_of(runs[*at].at_ms) == day)
		++*at;
	return first;
}

static void add_cell(enum calendar_day how, int64_t day, int x, int y, struct buf *out)
{
	char date[UTC_SIZE];

	buf_addf(out, "<g class=\"day %s\"><title>%.10s: %s</title>", looks[how].class,
		 utc_format(day * day_ms, date), looks[how].words);
	buf_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2.5\"/>", x, y, CELL,
		 CELL);
	/* For who cannot tell the colours apart. */
	if (how == DAY_FAILED)
		buf_addf(out, "<path d=\"M%d %dl6 6m0-6l-6 6\"/>", x + 3, y + 3);
	buf_adds(out, "</g>\n");
}

/* The month's name above the first week that begins in it. */
static void add_month(int64_t monday, int x, struct buf *out)
{
	static const char names[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char date[UTC_SIZE];
	unsigned month, day;

	(void)utc_format(monday * day_ms, date);
	month = (unsigned)(date[5] - '0') * 10 + (unsigned)(date[6] - '0');
	day = (unsigned)(date[8] - '0') * 10 + (unsigned)(date[9] - '0');
	if (day <= DAYS)
		buf_addf(out, "<text class=\"axis\" x=\"%d\" y=\"%d\">%s</text>", x, TOP - 6,
			 names[month - 1]);
}

static void add_half(const struct past_run *runs, size_t n, int64_t monday, int64_t today,
		     struct buf *out)
{
	static const char *const names[DAYS] = { "Mon", NULL, "Wed", NULL, "Fri", NULL, NULL };
	size_t at = 0;

	buf_addf(out,
		 "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Verified days of half a "
		 "year; the months are in the table\">\n",
		 LEFT + WEEKS * PITCH, TOP + DAYS * PITCH);
	for (int d = 0; d < DAYS; d++)
		if (names[d])
			buf_addf(out, "<text class=\"axis\" x=\"0\" y=\"%d\">%s</text>",
				 TOP + d * PITCH + CELL - 2, names[d]);
	for (int w = 0; w < WEEKS; w++)
		add_month(monday + w * DAYS, LEFT + w * PITCH, out);
	buf_adds(out, "\n");
	for (int64_t day = monday; day < monday + WEEKS * DAYS && day <= today; day++) {
		const size_t first = runs_of(runs, n, day, &at);

		add_cell(calendar_judge(runs + first, at - first), day,
			 LEFT + (int)((day - monday) / DAYS) * PITCH, TOP + weekday(day) * PITCH,
			 out);
	}
	buf_adds(out, "</svg>\n");
}

void calendar_svg(const struct past_run *runs, size_t n, int64_t today_ms, struct buf *out)
{
	const int64_t today = day_of(today_ms);
	const int64_t last = today - weekday(today) - (WEEKS - 1) * DAYS;

	buf_adds(out, "<div class=\"calendar\">\n");
	for (int half = HALVES - 1; half >= 0; half--)
		add_half(runs, n, last - half * WEEKS * DAYS, today, out);
	buf_adds(out, "</div>\n<ul class=\"legend\">");
	for (int how = DAY_VERIFIED; how >= DAY_NONE; how--)
		buf_addf(out, "<li><span class=\"swatch day-%s\"></span>%s</li>", looks[how].class,
			 looks[how].words);
	buf_adds(out, "</ul>\n");
}

/* Counts the days of the month that *at begins with; *at moves behind it. */
static void count_month(const struct past_run *runs, size_t n, size_t *at, unsigned days[4])
{
	char month[UTC_SIZE], date[UTC_SIZE];

	(void)utc_format(runs[*at].at_ms, month);
	while (*at < n && strncmp(utc_format(runs[*at].at_ms, date), month, MONTH_LENGTH) == 0) {
		const size_t first = runs_of(runs, n, day_of(runs[*at].at_ms), at);

		days[calendar_judge(runs + first, *at - first)]++;
	}
}

void calendar_table(const struct past_run *runs, size_t n, struct buf *out)
{
	buf_adds(out, "<table><thead><tr><th scope=\"col\">Month</th>"
		      "<th scope=\"col\">Days verified</th><th scope=\"col\">not verified</th>"
		      "<th scope=\"col\">only looked at</th></tr></thead><tbody>\n");
	for (size_t at = 0; at < n;) {
		unsigned days[4] = { 0 };
		char month[UTC_SIZE];

		(void)utc_format(runs[at].at_ms, month);
		count_month(runs, n, &at, days);
		buf_addf(out,
			 "<tr><th scope=\"row\">%.7s</th><td>%u</td><td>%u</td><td>%u</td></tr>\n",
			 month, days[DAY_VERIFIED], days[DAY_FAILED], days[DAY_LOOKED]);
	}
	buf_adds(out, "</tbody></table>\n");
}
