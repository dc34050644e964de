#include "lib/report/passive.h"

#include "lib/base/nagios.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/report/markup.h"
#include "lib/report/rows.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_B = 256 * 1024, NAME_MAX_B = 1024 };

/* "backup OK - shop: ... | 'rto_seconds'=1320s": what a plugin would have said. */
static void add_line(const struct summary *s, const char *title, struct buf *out)
{
	BUF_AUTO headline = BUF_INIT(LINE_MAX_B);

	rows_headline(s, title, &headline);
	nagios_say(out, "backup", s->status, headline.s + strcspn(headline.s, " ") + 1, s->checks);
}

/* No tab, no line break and, for the command files that such servers have, no semicolon. */
static void add_name(const char *name, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(NAME_MAX_B);

	text_safe(&safe, name);
	for (char *p = safe.s; *p; p++)
		buf_addc(out, (char)(*p == ';' ? ',' : *p));
}

static void add_service(const struct summary *s, const struct passive *to, struct buf *out)
{
	BUF_AUTO own = BUF_INIT(NAME_MAX_B);

	buf_addf(&own, "backup%s%s", s->label[0] ? " " : "", s->label);
	add_name(to->service ? to->service : own.s, out);
}

void passive_nsca(const struct summary *s, const struct passive *to, const char *title,
		  struct buf *out)
{
	BUF_AUTO line = BUF_INIT(LINE_MAX_B);

	add_line(s, title, &line);
	add_name(to->host, out);
	buf_addc(out, '\t');
	add_service(s, to, out);
	buf_addf(out, "\t%d\t%s\n", (int)s->status, line.s);
}

void passive_nrdp(const struct summary *s, const struct passive *to, const char *title,
		  struct buf *out)
{
	BUF_AUTO line = BUF_INIT(LINE_MAX_B), host = BUF_INIT(LINE_MAX_B);
	BUF_AUTO service = BUF_INIT(LINE_MAX_B);

	add_line(s, title, &line);
	add_name(to->host, &host);
	add_service(s, to, &service);
	buf_adds(out, "<?xml version='1.0'?>\n<checkresults><checkresult type='service' "
		      "checktype='1'><hostname>");
	markup_text(out, host.s);
	buf_adds(out, "</hostname><servicename>");
	markup_text(out, service.s);
	buf_addf(out, "</servicename><state>%d</state><output>", (int)s->status);
	markup_text(out, line.s);
	buf_adds(out, "</output></checkresult></checkresults>\n");
}

static json_t *text_of(const struct buf *b)
{
	return record_string(b->s, b->len);
}

static void print(json_t *o, struct buf *out)
{
	char *text = record_print(o, LINE_MAX_B);

	if (text)
		buf_addf(out, "%s\n", text);
	else
		out->full = true;
	free(text);
}

void passive_nrdp_json(const struct summary *s, const struct passive *to, const char *title,
		       struct buf *out)
{
	BUF_AUTO line = BUF_INIT(LINE_MAX_B), host = BUF_INIT(LINE_MAX_B);
	BUF_AUTO service = BUF_INIT(LINE_MAX_B);
	char state[2] = { (char)('0' + s->status), '\0' };
	JSON_AUTO *o = NULL;

	add_line(s, title, &line);
	add_name(to->host, &host);
	add_service(s, to, &service);
	o = json_pack("{s:[{s:{s:s, s:s}, s:o, s:o, s:s, s:o}]}", "checkresults", "checkresult",
		      "type", "service", "checktype", "1", "hostname", text_of(&host),
		      "servicename", text_of(&service), "state", state, "output", text_of(&line));
	print(o, out);
}

void passive_icinga2(const struct summary *s, const struct passive *to, const char *title,
		     struct buf *out)
{
	BUF_AUTO line = BUF_INIT(LINE_MAX_B), host = BUF_INIT(LINE_MAX_B);
	BUF_AUTO service = BUF_INIT(LINE_MAX_B);
	char *bar;
	JSON_AUTO *o = NULL;

	add_line(s, title, &line);
	add_name(to->host, &host);
	add_service(s, to, &service);
	/* The line has one bar at most: text has none. */
	bar = strstr(line.s, " | ");
	o = json_pack("{s:s, s:s, s:{s:o, s:o}, s:i, s:o, s:s, s:o, s:f, s:f}", "type", "Service",
		      "filter", "host.name == wanted_host && service.name == wanted_service",
		      "filter_vars", "wanted_host", text_of(&host), "wanted_service",
		      text_of(&service), "exit_status", (int)s->status, "plugin_output",
		      record_string(line.s, bar ? (size_t)(bar - line.s) : line.len),
		      "performance_data", bar ? bar + 3 : "", "check_source",
		      record_string(s->host, strlen(s->host)), "execution_start",
		      (double)s->started_ms / 1000, "execution_end", (double)s->ended_ms / 1000);
	if (o && to->ttl_s)
		json_object_set_new(o, "ttl", json_integer((json_int_t)to->ttl_s));
	print(o, out);
}
