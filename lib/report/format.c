#include "lib/report/format.h"

#include "lib/base/nagios.h"
#include "lib/base/record.h"
#include "lib/report/csv.h"
#include "lib/report/github.h"
#include "lib/report/gitlab.h"
#include "lib/report/html.h"
#include "lib/report/junit.h"
#include "lib/report/markdown.h"
#include "lib/report/plain.h"
#include "lib/report/prometheus.h"
#include "lib/report/rows.h"
#include "lib/report/run.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_B = 1024 * 1024 };

static void render_text(const struct view *view, struct buf *out)
{
	const struct plain_style style = {
		.title = view->title,
		.colour = view->colour,
		.quiet = view->quiet,
	};

	plain_report(view->s, &style, out);
}

static void render_markdown(const struct view *view, struct buf *out)
{
	markdown_report(view->s, view->title, out);
}

static void render_html(const struct view *view, struct buf *out)
{
	html_report(view->s, view->past, view->title, out);
}

static void add_run(const struct summary *s, size_t flags, struct buf *out)
{
	JSON_AUTO *run = run_object(s, SIZE_MAX);
	char *text = json_dumps(run, flags | JSON_REAL_PRECISION(15));

	if (text)
		buf_addf(out, "%s\n", text);
	free(text);
}

static void render_json(const struct view *view, struct buf *out)
{
	add_run(view->s, JSON_INDENT(2), out);
}

static void render_record(const struct view *view, struct buf *out)
{
	add_run(view->s, JSON_COMPACT, out);
}

static void render_nagios(const struct view *view, struct buf *out)
{
	BUF_AUTO headline = BUF_INIT(LINE_MAX_B);

	rows_headline(view->s, view->title, &headline);
	/* The line says the verdict itself. */
	nagios_say(out, "backup", view->s->status, headline.s + strcspn(headline.s, " ") + 1,
		   view->s->checks);
	buf_addc(out, '\n');
}

static void render_junit(const struct view *view, struct buf *out)
{
	junit_report(view->s, out);
}

static void render_prometheus(const struct view *view, struct buf *out)
{
	prometheus_report(view->s, view->past, out);
}

static void render_github(const struct view *view, struct buf *out)
{
	github_report(view->s, view->title, out);
}

static void render_csv(const struct view *view, struct buf *out)
{
	csv_report(view->s, out);
}

static void render_gitlab(const struct view *view, struct buf *out)
{
	gitlab_report(view->s, out);
}

static void render_nsca(const struct view *view, struct buf *out)
{
	passive_nsca(view->s, &view->monitored, view->title, out);
}

static void render_nrdp(const struct view *view, struct buf *out)
{
	passive_nrdp(view->s, &view->monitored, view->title, out);
}

static void render_nrdp_json(const struct view *view, struct buf *out)
{
	passive_nrdp_json(view->s, &view->monitored, view->title, out);
}

static void render_icinga2(const struct view *view, struct buf *out)
{
	passive_icinga2(view->s, &view->monitored, view->title, out);
}

static const struct format formats[] = {
	{ .name = "text", .render = render_text },
	{ .name = "markdown", .render = render_markdown },
	{ .name = "html", .render = render_html, .past = true },
	{ .name = "json", .render = render_json },
	{ .name = "record", .render = render_record },
	{ .name = "nagios", .render = render_nagios },
	{ .name = "junit", .render = render_junit },
	{ .name = "prometheus", .render = render_prometheus, .past = true },
	{ .name = "pushgateway",
	  .render = render_prometheus,
	  .past = true,
	  .submit = SUBMIT_PUSHGATEWAY },
	{ .name = "github", .render = render_github, .to_stderr = true },
	{ .name = "gitlab", .render = render_gitlab },
	{ .name = "csv", .render = render_csv },
	{ .name = "nsca", .render = render_nsca },
	{ .name = "nrdp", .render = render_nrdp, .submit = SUBMIT_NRDP },
	{ .name = "nrdp-json", .render = render_nrdp_json, .submit = SUBMIT_NRDP_JSON },
	{ .name = "icinga2", .render = render_icinga2, .submit = SUBMIT_ICINGA2 },
};

const struct format *format_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strlen(formats[i].name) == len && strncmp(formats[i].name, name, len) == 0)
			return &formats[i];
	return NULL;
}
