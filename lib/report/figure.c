#include "lib/report/figure.h"

#include "lib/base/human.h"
#include "lib/base/range.h"
#include "lib/base/text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* From here on a double counts no single units any more. */
static const double exact_max = 9e15;

static void add_plain(struct buf *out, double value)
{
	char count[HUMAN_SIZE];
	const double whole = round(value);

	if (fabs(value) < exact_max && fabs(value - whole) < 1e-9)
		buf_adds(out, human_count((int64_t)whole, count));
	else
		buf_addf(out, "%.6g", value);
}

static void add_bytes(struct buf *out, double value)
{
	char bytes[HUMAN_SIZE];
	const double size = fabs(value);

	if (size < exact_max)
		buf_addf(out, "%s%s", value < 0 ? "-" : "",
			 human_bytes((uint64_t)llround(size), bytes));
	else
		buf_addf(out, "%.6g B", value);
}

void figure_value(struct buf *out, double value, const char *unit)
{
	char duration[HUMAN_SIZE];

	if (!isfinite(value)) {
		buf_addc(out, '?');
	} else if (strcmp(unit, "s") == 0) {
		buf_adds(out, human_duration(value, duration));
	} else if (strcmp(unit, "B") == 0) {
		add_bytes(out, value);
	} else if (strcmp(unit, "ratio") == 0) {
		buf_addf(out, "%.4g %%", value * 100);
	} else {
		add_plain(out, value);
		buf_adds(out, *unit ? " " : "");
		text_safe(out, unit);
	}
}

static void add_limits(struct buf *out, const struct range *r, const char *unit)
{
	const bool from = isfinite(r->start), to = isfinite(r->end);

	/* A plain "10" is 0 to 10, and nobody says "at least 0 rows". */
	if (to && (!from || !(r->start < 0 || r->start > 0))) {
		buf_adds(out, "at most ");
		figure_value(out, r->end, unit);
	} else if (from && !to) {
		buf_adds(out, "at least ");
		figure_value(out, r->start, unit);
	} else if (from) {
		figure_value(out, r->start, unit);
		buf_adds(out, " to ");
		figure_value(out, r->end, unit);
	} else {
		buf_adds(out, "anything");
	}
}

void figure_range(struct buf *out, const char *range, const char *unit)
{
	struct range r = { 0 };
	struct err e = { 0 };

	if (range_parse(range, &r, &e) < 0) {
		text_safe(out, range);
		return;
	}
	buf_adds(out, r.inside ? "not " : "");
	add_limits(out, &r, unit);
}
