#include "lib/report/fleet.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/net/courier.h"
#include "lib/report/figure.h"
#include "lib/report/html_parts.h"
#include "lib/report/markup.h"
#include "lib/report/outlet.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { CELL = 5, PITCH = 6, HEIGHT = 16, LINK_MAX = 8192 };

static const struct {
	enum calendar_day how;
	const char *class;
} looks[] = {
	{ DAY_NONE, "none" },
	{ DAY_LOOKED, "looked" },
	{ DAY_FAILED, "failed" },
	{ DAY_VERIFIED, "verified" },
};

/* One path for the days of a kind: a thousand rows stay a small page. A failed day is taller, for
 * who cannot tell the colours apart. */
static void add_strip(const struct fleet_member *m, struct buf *out)
{
	const unsigned char *days = m->days + FLEET_DAYS - FLEET_STRIP;
	unsigned verified = 0, failed = 0;

	for (size_t i = 0; i < FLEET_STRIP; i++) {
		verified += days[i] == DAY_VERIFIED;
		failed += days[i] == DAY_FAILED;
	}
	buf_addf(out,
		 "<svg class=\"strip\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%u of %d "
		 "days "
		 "verified, %u failed\">",
		 FLEET_STRIP * PITCH, HEIGHT, verified, FLEET_STRIP, failed);
	buf_addf(out, "<title>%u of the last %d days verified, %u failed</title>", verified,
		 FLEET_STRIP, failed);
	for (size_t k = 0; k < sizeof(looks) / sizeof(looks[0]); k++) {
		const int top = looks[k].how == DAY_FAILED ? 0 : 4;
		bool any = false;

		for (int i = 0; i < FLEET_STRIP; i++) {
			if (days[i] != looks[k].how)
				continue;
			if (!any)
				buf_addf(out, "<path class=\"%s\" d=\"", looks[k].class);
			buf_addf(out, "M%d %dh%dv%dh-%dz", i * PITCH, top, CELL, HEIGHT - top,
				 CELL);
			any = true;
		}
		buf_adds(out, any ? "\"/>" : "");
	}
	buf_adds(out, "</svg>");
}

/* The address with every LABEL replaced; nothing that is no http address or path. */
static void add_link(const char *link, const char *label, struct buf *out)
{
	static const char word[] = "LABEL";
	BUF_AUTO url = BUF_INIT(LINK_MAX);

	for (const char *p = link; *p; p++) {
		if (strncmp(p, word, sizeof(word) - 1) != 0) {
			buf_addc(&url, *p);
			continue;
		}
		courier_percent(&url, label);
		p += sizeof(word) - 2;
	}
	markup_text(out, url.s);
}

static void add_name(const struct fleet_member *m, const char *link, struct buf *out)
{
	const char *label = m->label[0] ? m->label : "(unlabelled)";

	buf_adds(out, "<th scope=\"row\"><bdi>");
	if (link) {
		buf_adds(out, "<a href=\"");
		add_link(link, m->label, out);
		buf_adds(out, "\">");
	}
	markup_text(out, label);
	buf_addf(out, "%s</bdi></th><td>", link ? "</a>" : "");
	html_badge(m->status, out);
	if (m->stale)
		buf_adds(out, "<br>no newer run");
	if (m->unreadable)
		buf_addf(out, "<br>%u unreadable line%s", m->unreadable,
			 m->unreadable == 1 ? "" : "s");
	buf_adds(out, "</td>");
}

/* "3 h ago", with the moment on hover. */
static void add_age(int64_t at_ms, int64_t now_ms, struct buf *out)
{
	char at[UTC_SIZE], age[HUMAN_SIZE];

	if (at_ms == INT64_MIN)
		buf_adds(out, "<td class=\"over\">never</td>");
	else
		buf_addf(out, "<td title=\"%s\">%s ago</td>", utc_human(at_ms, at),
			 human_duration((double)(now_ms - at_ms) / 1000, age));
}

static void add_figure(double value, double target, const char *unit, struct buf *out)
{
	buf_addf(out, "<td%s>", isfinite(target) && value > target ? " class=\"over\"" : "");
	if (isfinite(value))
		figure_value(out, value, unit);
	if (isfinite(value) && isfinite(target)) {
		buf_adds(out, " <span class=\"of\">of ");
		figure_value(out, target, unit);
		buf_adds(out, "</span>");
	}
	buf_adds(out, "</td>");
}

static void add_size(const struct fleet_member *m, struct buf *out)
{
	char change[HUMAN_SIZE];

	buf_adds(out, "<td>");
	if (isfinite(m->last.bytes))
		figure_value(out, m->last.bytes, "B");
	if (isfinite(m->last.bytes) && m->bytes_before > 0)
		buf_addf(out, " <span class=\"of\">%s</span>",
			 human_change((m->last.bytes - m->bytes_before) / m->bytes_before, change));
	buf_adds(out, "</td>");
}

static void add_member(const struct fleet *f, const struct fleet_member *m, const char *link,
		       struct buf *out)
{
	buf_adds(out, "<tr>");
	add_name(m, link, out);
	add_age(m->last.at_ms, f->now_ms, out);
	add_age(m->verified_ms, f->now_ms, out);
	add_figure(m->last.rpo_s, m->last.rpo_target_s, "s", out);
	add_figure(m->last.rto_s, m->last.rto_target_s, "s", out);
	add_size(m, out);
	buf_adds(out, "<td>");
	add_strip(m, out);
	buf_addf(out, "</td><td title=\"days verified, of those with a run\">%u of %u</td></tr>\n",
		 m->verified_days, m->run_days);
}

static void add_tile(const char *name, size_t n, bool bad, struct buf *out)
{
	char count[HUMAN_SIZE];

	buf_addf(out, "<div class=\"tile%s\"><dt>%s</dt><dd><b>%s</b></dd></div>\n",
		 bad && n ? " over" : "", name, human_count((int64_t)n, count));
}

static void add_tiles(const struct fleet *f, struct buf *out)
{
	const int64_t month_ms = (int64_t)FLEET_STRIP * 24 * 3600 * 1000;
	size_t by_status[4] = { 0 }, stale = 0, unproven = 0;
	double bytes = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct fleet_member *m = &f->v[i];

		by_status[m->status]++;
		stale += m->stale;
		unproven += m->verified_ms == INT64_MIN || f->now_ms - m->verified_ms > month_ms;
		bytes += isfinite(m->last.bytes) ? m->last.bytes : 0;
	}
	buf_adds(out, "<dl class=\"tiles\">\n");
	add_tile("Databases", f->n, false, out);
	add_tile("OK", by_status[V_OK], false, out);
	add_tile("Warning", by_status[V_WARNING], false, out);
	add_tile("Critical", by_status[V_CRITICAL], true, out);
	add_tile("Unknown", by_status[V_UNKNOWN], true, out);
	add_tile("No newer run", stale, true, out);
	add_tile("Not verified for 30 days", unproven, true, out);
	buf_adds(out, "<div class=\"tile\"><dt>Newest backups together</dt><dd><b>");
	figure_value(out, bytes, "B");
	buf_adds(out, "</b></dd></div>\n</dl>\n");
}

static void add_page(const struct fleet *f, const char *title, const char *link, struct buf *out)
{
	char at[UTC_SIZE];

	html_open(title, html_colour(f->status), out);
	buf_addf(out, "<body>\n<header class=\"%s\"><div class=\"page\">\n<p>",
		 html_class(f->status));
	html_badge(f->status, out);
	buf_adds(out, "</p>\n<h1>");
	markup_text(out, title);
	buf_addf(out, "</h1>\n<p class=\"when\">%s</p>\n</div></header>\n<main class=\"page\">\n",
		 utc_human(f->now_ms, at));
	add_tiles(f, out);
	buf_adds(
		out,
		"<h2 id=\"all\">Databases, what needs a look first</h2>\n"
		"<div class=\"scroll card\" tabindex=\"0\" role=\"region\" aria-labelledby=\"all\">"
		"<table class=\"fleet\"><thead><tr><th scope=\"col\">Database</th>"
		"<th scope=\"col\">Verdict</th><th scope=\"col\">Last run</th>"
		"<th scope=\"col\">Last verified</th><th scope=\"col\">RPO</th>"
		"<th scope=\"col\">RTO</th><th scope=\"col\">Backup, 30 days</th>"
		"<th scope=\"col\">Last 30 days</th><th scope=\"col\">In a "
		"year</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < f->n; i++)
		add_member(f, &f->v[i], link, out);
	buf_adds(out, "</tbody></table></div>\n</main>\n<footer><div class=\"page\">Made by "
		      "backup-probes. Times are UTC.</div></footer>\n</body>\n</html>\n");
}

int fleet_put(struct history *all, const struct fleet_page *page, int64_t now_ms,
	      enum verdict *status, struct err *e)
{
	BUF_AUTO out = BUF_INIT(OUTLET_MAX);
	struct fleet f = { .n = 0 };

	if (fleet_load(&f, all, page->stale_s, now_ms, e) < 0)
		return -1;
	add_page(&f, page->title, page->link, &out);
	*status = f.status;
	fleet_free(&f);
	return outlet_put(page->path, STDOUT_FILENO, &out, e);
}
