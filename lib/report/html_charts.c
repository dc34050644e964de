#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/report/calendar.h"
#include "lib/report/chart.h"
#include "lib/report/figure.h"
#include "lib/report/html_parts.h"
#include "lib/report/markup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 512 };

/* One of the figures over the runs that have it. */
struct series {
	const char *title, *unit;
	size_t n, parts;
	int64_t *at_ms;
	double *values, *totals;
	const char *names[PAST_PHASES];
	double target; /* of the newest run that has one */
};

static void series_init(struct series *x, const char *title, const char *unit, size_t most,
			size_t parts)
{
	*x = (struct series){
		.title = title,
		.unit = unit,
		.parts = parts,
		.at_ms = xcalloc(most, sizeof(*x->at_ms)),
		.values = xcalloc(most * parts, sizeof(*x->values)),
		.totals = xcalloc(most, sizeof(*x->totals)),
		.target = (double)NAN,
	};
}

static void series_free(struct series *x)
{
	free(x->at_ms);
	free(x->values);
	free(x->totals);
}

static void series_add(struct series *x, int64_t at_ms, double total, const double *values,
		       double target)
{
	if (!isfinite(total))
		return;
	for (size_t p = 0; p < x->parts; p++)
		x->values[x->n * x->parts + p] = values[p];
	x->totals[x->n] = total;
	x->at_ms[x->n++] = at_ms;
	x->target = isfinite(target) ? target : x->target;
}

/* Shows as many as can be drawn, the newest. */
static void series_trim(struct series *x)
{
	const size_t first = x->n > CHART_BARS ? x->n - CHART_BARS : 0;

	x->n -= first;
	memmove(x->at_ms, x->at_ms + first, x->n * sizeof(*x->at_ms));
	memmove(x->totals, x->totals + first, x->n * sizeof(*x->totals));
	memmove(x->values, x->values + first * x->parts, x->n * x->parts * sizeof(*x->values));
}

/* "22 min last, 18 min to 24 min in 30 runs": the picture in words. */
static void add_range(const struct series *x, struct buf *out)
{
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < x->n; i++) {
		least = fmin(least, x->totals[i]);
		most = fmax(most, x->totals[i]);
	}
	figure_value(out, x->totals[x->n - 1], x->unit);
	buf_adds(out, " last, ");
	figure_value(out, least, x->unit);
	buf_adds(out, " to ");
	figure_value(out, most, x->unit);
	buf_addf(out, " in %zu run%s", x->n, x->n == 1 ? "" : "s");
	if (isfinite(x->target)) {
		buf_adds(out, "; target ");
		figure_value(out, x->target, x->unit);
	}
}

static bool part_is_used(const struct series *x, size_t part)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->values[i * x->parts + part] > 0)
			return true;
	return false;
}

static void add_legend(const struct series *x, struct buf *out)
{
	if (x->parts == 1)
		return;
	buf_adds(out, "<ul class=\"legend\">");
	for (size_t p = 0; p < x->parts; p++)
		if (part_is_used(x, p)) {
			buf_addf(out, "<li><span class=\"swatch p%zu\"></span><bdi>", p);
			markup_text(out, x->names[p]);
			buf_adds(out, "</bdi></li>");
		}
	buf_adds(out, "</ul>\n");
}

static void add_cell(double value, const char *unit, struct buf *out)
{
	buf_adds(out, "<td>");
	if (isfinite(value))
		figure_value(out, value, unit);
	buf_adds(out, "</td>");
}

static void add_row(const struct series *x, size_t i, struct buf *out)
{
	char text[UTC_SIZE];

	buf_addf(out, "<tr><th scope=\"row\">%.16s</th>", utc_human(x->at_ms[i], text));
	add_cell(x->totals[i], x->unit, out);
	for (size_t p = 0; x->parts > 1 && p < x->parts; p++)
		if (part_is_used(x, p))
			add_cell(x->values[i * x->parts + p], x->unit, out);
	buf_adds(out, "</tr>\n");
}

static void open_table(const char *title, struct buf *out)
{
	buf_addf(out,
		 "<details><summary>%s as a table</summary><div class=\"scroll\" tabindex=\"0\" "
		 "role=\"region\" aria-label=\"%s as a table\">",
		 title, title);
}

/* The newest first: nobody scrolls for today. */
static void add_table(const struct series *x, struct buf *out)
{
	open_table(x->title, out);
	buf_addf(out, "<table><thead><tr><th scope=\"col\">Run (UTC)</th><th scope=\"col\">%s</th>",
		 x->title);
	for (size_t p = 0; x->parts > 1 && p < x->parts; p++)
		if (part_is_used(x, p)) {
			buf_adds(out, "<th scope=\"col\"><bdi>");
			markup_text(out, x->names[p]);
			buf_adds(out, "</bdi></th>");
		}
	buf_adds(out, "</tr></thead><tbody>\n");
	for (size_t i = x->n; i > 0; i--)
		add_row(x, i - 1, out);
	buf_adds(out, "</tbody></table></div></details>\n");
}

static void draw(const struct series *x, const char *words, struct buf *out)
{
	BUF_AUTO label = BUF_INIT(LABEL_MAX);
	struct chart chart = {
		.unit = x->unit,
		.n = x->n,
		.at_ms = x->at_ms,
		.parts = x->parts,
		.values = x->values,
		.totals = x->totals,
		.names = x->parts > 1 ? x->names : NULL,
		.target = x->target,
	};

	buf_addf(&label, "%s: %s", x->title, words);
	chart.label = label.s;
	chart_svg(&chart, out);
}

static void add_figure(struct series *x, struct buf *out)
{
	BUF_AUTO words = BUF_INIT(LABEL_MAX);

	if (x->n == 0)
		return;
	series_trim(x);
	add_range(x, &words);
	buf_addf(out, "<figure><figcaption><h3>%s</h3><p>%s</p></figcaption>\n", x->title, words.s);
	draw(x, words.s, out);
	add_legend(x, out);
	add_table(x, out);
	buf_adds(out, "</figure>\n");
}

static void add_sizes(const struct past_run *runs, size_t n, struct buf *out)
{
	struct series x;

	series_init(&x, "Backup size", "B", n, 1);
	for (size_t i = 0; i < n; i++)
		series_add(&x, runs[i].at_ms, runs[i].bytes, &runs[i].bytes, (double)NAN);
	add_figure(&x, out);
	series_free(&x);
}

static void add_rpo(const struct past_run *runs, size_t n, struct buf *out)
{
	struct series x;

	series_init(&x, "Verified RPO", "s", n, 1);
	for (size_t i = 0; i < n; i++)
		series_add(&x, runs[i].at_ms, runs[i].rpo_s, &runs[i].rpo_s, runs[i].rpo_target_s);
	add_figure(&x, out);
	series_free(&x);
}

static void add_rto(const struct past_run *runs, size_t n, struct buf *out)
{
	struct series x;

	series_init(&x, "Verified RTO", "s", n, PAST_PHASES);
	for (size_t p = 0; p < PAST_PHASES; p++)
		x.names[p] = past_phases[p].name;
	for (size_t i = 0; i < n; i++)
		series_add(&x, runs[i].at_ms, runs[i].rto_s, runs[i].phase_s, runs[i].rto_target_s);
	add_figure(&x, out);
	series_free(&x);
}

static void add_calendar(const struct past_run *runs, size_t n, struct buf *out)
{
	static const char title[] = "Verified days";
	size_t verified = 0;
	char count[HUMAN_SIZE], of[HUMAN_SIZE];

	for (size_t i = 0; i < n; i++)
		verified += runs[i].verified;
	buf_addf(out,
		 "<figure class=\"wide\"><figcaption><h3>%s</h3><p>%s of %s runs of the last year "
		 "verified a backup</p></figcaption>\n",
		 title, human_count((int64_t)verified, count), human_count((int64_t)n, of));
	calendar_svg(runs, n, runs[n - 1].at_ms, out);
	open_table(title, out);
	calendar_table(runs, n, out);
	buf_adds(out, "</div></details>\n</figure>\n");
}

/* What its largest tables hold, one upon the other; a table that a run has not counted is not
 * there. */
static void add_rows(const struct past *past, const struct past_run *runs, size_t n,
		     struct buf *out)
{
	struct series x;

	if (past->n_tables == 0)
		return;
	series_init(&x, "Rows by table", "", n, past->n_tables);
	for (size_t p = 0; p < past->n_tables; p++)
		x.names[p] = past->tables[p];
	for (size_t i = 0; i < n; i++) {
		double sum = (double)NAN;

		for (size_t p = 0; p < past->n_tables; p++)
			if (isfinite(runs[i].rows[p]))
				sum = (isfinite(sum) ? sum : 0) + runs[i].rows[p];
		series_add(&x, runs[i].at_ms, sum, runs[i].rows, (double)NAN);
	}
	add_figure(&x, out);
	series_free(&x);
}

void html_charts(const struct past *past, const struct past_run *runs, size_t n, struct buf *out)
{
	buf_adds(out, "<div class=\"charts\">\n");
	add_rto(runs, n, out);
	add_rpo(runs, n, out);
	add_sizes(runs, n, out);
	add_rows(past, runs, n, out);
	add_calendar(runs, n, out);
	buf_adds(out, "</div>\n");
}
