/*
 * Any stream of records through every report: nothing crashes, no control character gets through,
 * the plugin's answer stays one short line, and the verdict is the worst that was said.
 */
#include "lib/base/nagios.h"
#include "lib/base/record.h"
#include "lib/base/trend.h"
#include "lib/base/utf8.h"
#include "lib/report/format.h"
#include "lib/report/markdown.h"
#include "lib/report/plain.h"
#include "lib/report/run.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 64 * 1024 * 1024, NOW_MS = 1000000000, PLUGIN_MAX = 4096, COLUMNS = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool promise)
{
	if (!promise)
		abort();
}

static void take(struct summary *s, const char *line, size_t len)
{
	struct err e;
	JSON_AUTO *record = record_parse(line, len, &e);
	struct trend_backup b;

	if (record == NULL)
		return;
	summary_take(s, record);
	if (trend_backup_of(record, &b))
		trend_backup_free(&b);
}

static void require_clean(const struct buf *b)
{
	require(!b->full && strlen(b->s) == b->len);
	for (size_t i = 0; i < b->len; i++)
		require(b->s[i] == '\n' || ((unsigned char)b->s[i] >= 0x20 && b->s[i] != 0x7f));
}

static void require_narrow(const struct buf *b)
{
	BUF_AUTO line = BUF_INIT(REPORT_MAX);

	for (const char *p = b->s; *p; p += strcspn(p, "\n") + 1) {
		buf_reset(&line);
		buf_add(&line, p, strcspn(p, "\n"));
		require(utf8_count(line.s) <= COLUMNS);
	}
}

/* The run is its own past, for what a history holds is no safer than a stream. */
static void render_for_programs(const struct summary *s, json_t *run)
{
	static const char *const names[] = { "html",   "junit", "prometheus", "github",
					     "gitlab", "nrdp",  "icinga2",    "nrdp-json" };
	struct past_run runs[2];
	const struct past past = { .v = runs, .n = 2, .last = run, .known = true };
	const struct view view = { .s = s, .past = &past, .monitored = { .host = "h" } };

	(void)past_run_of(run, &runs[0]);
	runs[1] = runs[0];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		BUF_AUTO out = BUF_INIT(REPORT_MAX);

		format_find(names[i], strlen(names[i]))->render(&view, &out);
		require_clean(&out);
		/* In the two that are markup. */
		require(i > 1 || strstr(out.s, "<script") == NULL);
	}
}

static void render(const struct summary *s)
{
	BUF_AUTO out = BUF_INIT(REPORT_MAX);
	json_t *run = run_object(s, 1000);

	plain_report(s, &(struct plain_style){ .title = NULL }, &out);
	require_clean(&out);
	require_narrow(&out);
	buf_reset(&out);
	markdown_report(s, NULL, &out);
	require_clean(&out);
	buf_reset(&out);
	nagios_line(&out, "backup", s->status, s->checks);
	require_clean(&out);
	require(out.len < PLUGIN_MAX && strchr(out.s, '\n') == NULL);
	require(json_is_object(run));
	render_for_programs(s, run);
	json_decref(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strv expected = { 0 };
	struct summary s;

	summary_init(&s);
	strv_add(&expected, "restore-to-temp");
	for (size_t at = 0; at < size;) {
		const uint8_t *nl = memchr(data + at, '\n', size - at);
		const size_t len = nl ? (size_t)(nl - (data + at)) : size - at;

		take(&s, (const char *)data + at, len);
		at += len + 1;
	}
	summary_finish(&s, &expected, &expected, NOW_MS);
	require(summary_checks(&s) > 0);
	require((s.status == V_CRITICAL) == (s.counts[V_CRITICAL] > 0));
	render(&s);
	strv_free(&expected);
	summary_free(&s);
	return 0;
}
