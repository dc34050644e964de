#include "lib/report/chart.h"

#include "lib/base/utc.h"
#include "lib/report/figure.h"
#include "lib/report/markup.h"

#include <math.h>
#include <string.h>

/* In units of the drawing, which is about as wide as a phone's screen in CSS pixels. */
enum { WIDTH = 360, HEIGHT = 190, LEFT = 62, RIGHT = 8, TOP = 18, BOTTOM = 22 };
enum { BAR_WIDEST = 26, LINES = 5, PIECE_MAX = 4096 };

static const double plot_height = HEIGHT - TOP - BOTTOM;

static double decimal_step(double least)
{
	const double power = pow(10, floor(log10(least)));

	for (int i = 0; i < 3; i++) {
		static const double factors[] = { 1, 2, 5 };

		if (power * factors[i] >= least * 0.999999)
			return power * factors[i];
	}
	return power * 10;
}

double chart_step(double most, const char *unit)
{
	static const double nice_s[] = { 10,   30,   60,    120,   300,   600,   900,   1200,  1800,
					 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800 };
	const double least = most > 0 ? most / LINES : 1;

	if (strcmp(unit, "s") != 0 || least < 8)
		return decimal_step(least);
	for (size_t i = 0; i < sizeof(nice_s) / sizeof(nice_s[0]); i++)
		if (nice_s[i] >= least)
			return nice_s[i];
	return 86400 * decimal_step(least / 86400);
}

static double part_of(const struct chart *c, size_t bar, size_t part)
{
	const double v = c->values[bar * c->parts + part];

	return v > 0 && isfinite(v) ? v : 0;
}

static double highest(const struct chart *c)
{
	double most = isfinite(c->target) ? c->target : 0;

	for (size_t i = 0; i < c->n; i++)
		most = fmax(most, c->totals[i]);
	return most;
}

static double y_of(double v, double top)
{
	return TOP + plot_height * (1 - (top > 0 ? fmin(v / top, 1) : 0));
}

/* A plain count has no unit to be shortened by: 20 M, and not 20,000,000. */
static void add_axis_value(double value, const char *unit, struct buf *out)
{
	static const struct {
		double from;
		const char *mark;
	} thousands[] = { { 1e9, "G" }, { 1e6, "M" }, { 1e4, "k" } };

	for (size_t i = 0; *unit == '\0' && i < sizeof(thousands) / sizeof(thousands[0]); i++) {
		if (value < thousands[i].from)
			continue;
		buf_addf(out, "%.4g %s", value / (i < 2 ? thousands[i].from : 1e3),
			 thousands[i].mark);
		return;
	}
	figure_value(out, value, unit);
}

static void add_grid(const struct chart *c, double top, double step, struct buf *out)
{
	for (int i = 0; i * step <= top * 1.000001; i++) {
		const double y = y_of(i * step, top);

		buf_addf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
			 LEFT, WIDTH - RIGHT, y, y);
		buf_addf(out, "<text class=\"axis\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
			 LEFT - 6, y + 3.5);
		add_axis_value(i * step, c->unit, out);
		buf_adds(out, "</text>\n");
	}
}

static void add_date(int64_t at_ms, double x, const char *anchor, struct buf *out)
{
	char text[UTC_SIZE];

	buf_addf(out, "<text class=\"axis\" x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.10s</text>\n",
		 x, HEIGHT - 6, anchor, utc_format(at_ms, text));
}

static void add_target(const struct chart *c, double top, struct buf *out)
{
	const double y = y_of(c->target, top);

	buf_addf(out, "<line class=\"target\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
		 WIDTH - RIGHT, y, y);
	buf_addf(out, "<text class=\"target\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">target ",
		 WIDTH - RIGHT, y - 4);
	figure_value(out, c->target, c->unit);
	buf_adds(out, "</text>\n");
}

/* "2026-02-17 06:33:06 UTC: 22 min", and of what it is made. */
static void add_words(const struct chart *c, size_t bar, struct buf *out)
{
	char text[UTC_SIZE];

	buf_addf(out, "<title>%s: ", utc_human(c->at_ms[bar], text));
	figure_value(out, c->totals[bar], c->unit);
	for (size_t p = 0; c->names && p < c->parts; p++) {
		if (!(part_of(c, bar, p) > 0))
			continue;
		buf_adds(out, "&#10;");
		markup_text(out, c->names[p]);
		buf_adds(out, " ");
		figure_value(out, part_of(c, bar, p), c->unit);
	}
	buf_adds(out, "</title>");
}

/* A rectangle of the bar; nothing where it has no height. */
static void add_rect(const char *class, double x, double width, double from, double to,
		     struct buf *out)
{
	if (from - to > 0)
		buf_addf(
			out,
			"<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"/>",
			class, x, to, width, from - to);
}

static void add_bar(const struct chart *c, size_t bar, double x, double pitch, double top,
		    struct buf *out)
{
	const double width = fmin(fmax(pitch * 0.76, 0.8), BAR_WIDEST);
	const double left = x + (pitch - width) / 2;
	const bool over = isfinite(c->target) && c->totals[bar] > c->target;
	double sum = 0;

	buf_addf(out, "<g class=\"bar%s\">", over ? " over" : "");
	add_words(c, bar, out);
	add_rect("hit", x, pitch, TOP + plot_height, TOP, out);
	for (size_t p = 0; p < c->parts; p++) {
		BUF_AUTO class = BUF_INIT(PIECE_MAX);
		const double from = sum;

		sum += part_of(c, bar, p);
		if (c->parts > 1)
			buf_addf(&class, "p%zu", p);
		else
			buf_adds(&class, "only");
		add_rect(class.s, left, width, y_of(from, top), y_of(sum, top), out);
	}
	/* What no part accounts for, and what is too small to be seen. */
	add_rect("rest", left, width, y_of(sum, top),
		 fmin(y_of(c->totals[bar], top), TOP + plot_height - 1), out);
	buf_adds(out, "</g>\n");
}

void chart_svg(const struct chart *c, struct buf *out)
{
	const double most = highest(c);
	const double step = chart_step(most, c->unit);
	const double top = fmax(ceil(most / step * 0.999999), 1) * step;
	const double pitch = (double)(WIDTH - LEFT - RIGHT) / (double)(c->n ? c->n : 1);

	buf_addf(out, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
		 WIDTH, HEIGHT);
	markup_text(out, c->label);
	buf_adds(out, "\">\n");
	add_grid(c, top, step, out);
	for (size_t i = 0; i < c->n; i++)
		add_bar(c, i, LEFT + (double)i * pitch, pitch, top, out);
	if (isfinite(c->target))
		add_target(c, top, out);
	if (c->n > 1)
		add_date(c->at_ms[0], LEFT, "start", out);
	if (c->n)
		add_date(c->at_ms[c->n - 1], WIDTH - RIGHT, "end", out);
	buf_adds(out, "</svg>\n");
}
