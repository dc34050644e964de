#include "lib/alert/slack_blocks.h"

#include "lib/alert/digest.h"
#include "lib/alert/mrkdwn.h"
#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"

#include <string.h>

/* Below Slack's own limits (see the header) by what emoji count twice. */
enum {
	HEADER_MOST = 140,
	SECTION_MOST = 2800,
	FAILED_SUM = 4800, /* of SLACK_BLOCKS_SUM, what failed may take */
	PASSED_SUM = 1600, /* and what passed */
	SUBJECT_MOST = 120,
	SUMMARY_MOST = 300,
	FIGURE_MOST = 150,
	URL_MOST = 500,
	TEXT_LINES = 8,                 /* of what failed, in the fallback */
	TEXT_ROOM = 2 * URL_MOST + 100, /* for what comes after them */
	BYTES = 64 * 1024,
};

static const char *mark(enum verdict v)
{
	switch (v) {
	case V_OK:
		return "\xf0\x9f\x9f\xa2"; /* U+1F7E2 LARGE GREEN CIRCLE */
	case V_WARNING:
		return "\xf0\x9f\x9f\xa1"; /* U+1F7E1 LARGE YELLOW CIRCLE */
	case V_CRITICAL:
		return "\xf0\x9f\x94\xb4"; /* U+1F534 LARGE RED CIRCLE */
	case V_UNKNOWN:
		break;
	}
	return "\xe2\x9a\xaa"; /* U+26AA MEDIUM WHITE CIRCLE */
}

/* "*Row count* `public.orders`" */
static void add_title(struct buf *out, const json_t *check)
{
	const char *subject = digest_text(check, "subject");
	BUF_AUTO title = BUF_INIT(BYTES);

	text_title(&title, digest_text(check, "check"));
	buf_addc(out, '*');
	mrkdwn_data(out, title.len ? title.s : "Check", SUBJECT_MOST);
	buf_addc(out, '*');
	if (*subject) {
		buf_addc(out, ' ');
		mrkdwn_code(out, subject, SUBJECT_MOST);
	}
}

static void add_check(struct buf *out, const json_t *check)
{
	buf_addf(out, "%s ", mark(digest_status(check)));
	add_title(out, check);
	buf_adds(out, ": ");
	mrkdwn_data(out, digest_text(check, "summary"), SUMMARY_MOST);
	buf_addc(out, '\n');
}

static json_t *text_object(const struct buf *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string("mrkdwn"));
	json_object_set_new(o, "text", record_string(s->s, s->len));
	/* No linking of bare names and addresses. */
	json_object_set_new(o, "verbatim", json_true());
	return o;
}

static void add_block(json_t *blocks, const char *type, const char *field, json_t *content)
{
	json_t *block = json_object();

	json_object_set_new(block, "type", json_string(type));
	json_object_set_new(block, field, content);
	json_array_append_new(blocks, block);
}

/* Lines without the end of the last one. */
static void chomp(struct buf *s)
{
	if (s->len > 0 && s->s[s->len - 1] == '\n')
		s->s[--s->len] = '\0';
}

static void add_section(json_t *blocks, struct buf *s)
{
	chomp(s);
	if (s->len > 0)
		add_block(blocks, "section", "text", text_object(s));
	buf_reset(s);
}

/* The checks that passed and are not among the figures, or all that did not pass, in the given
 * order; after `sum` characters only how many there are. */
static void add_list(json_t *blocks, const json_t *checks, bool passed, size_t sum)
{
	BUF_AUTO section = BUF_INIT(BYTES);
	size_t i, used = 0, in_section = 0, left_out = 0;
	json_t *check;

	json_array_foreach(checks, i, check) {
		BUF_AUTO line = BUF_INIT(BYTES);
		size_t n;

		if ((digest_status(check) == V_OK) != passed || (passed && digest_is_figure(check)))
			continue;
		add_check(&line, check);
		n = utf8_count(line.s);
		if (left_out > 0 || used + n > sum) {
			left_out++;
			continue;
		}
		if (in_section + n > SECTION_MOST) {
			add_section(blocks, &section);
			in_section = 0;
		}
		buf_add(&section, line.s, line.len);
		in_section += n;
		used += n;
	}
	add_section(blocks, &section);
	if (left_out > 0) {
		buf_addf(&section, "_and %zu more that %s_", left_out,
			 passed ? "passed" : "did not pass");
		add_section(blocks, &section);
	}
}

static void add_figures(json_t *blocks, const json_t *checks)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < DIGEST_FIGURES; i++) {
		const json_t *check = digest_figure(checks, i);
		BUF_AUTO field = BUF_INIT(BYTES);

		if (!check)
			continue;
		buf_addf(&field, "%s *", mark(digest_status(check)));
		text_title(&field, digest_text(check, "check"));
		buf_adds(&field, "*\n");
		mrkdwn_data(&field, digest_text(check, "summary"), FIGURE_MOST);
		json_array_append_new(fields, text_object(&field));
	}
	if (json_array_size(fields) > 0)
		add_block(blocks, "section", "fields", fields);
	else
		json_decref(fields);
}

static void add_header(json_t *blocks, const struct alert *a)
{
	BUF_AUTO heading = BUF_INIT(BYTES), cut = BUF_INIT(BYTES);
	json_t *o = json_object();

	buf_addf(&heading, "%s ", mark(a->verdict));
	digest_heading(&heading, a);
	mrkdwn_tame(&cut, heading.s, HEADER_MOST);
	json_object_set_new(o, "type", json_string("plain_text"));
	json_object_set_new(o, "text", record_string(cut.s, cut.len));
	/* A name like ":key:" stays what it is. */
	json_object_set_new(o, "emoji", json_false());
	add_block(blocks, "header", "text", o);
}

static void add_links(struct buf *out, const struct alert *a)
{
	if (a->report_url)
		mrkdwn_link(out, a->report_url, "Report", URL_MOST);
	if (a->runbook_url) {
		if (out->len > 0)
			buf_addc(out, ' ');
		mrkdwn_link(out, a->runbook_url, "Runbook", URL_MOST);
	}
}

static void add_origin(json_t *blocks, const struct alert *a)
{
	BUF_AUTO origin = BUF_INIT(BYTES);
	json_t *elements = json_array();
	char when[UTC_SIZE];

	add_links(&origin, a);
	if (origin.len > 0)
		json_array_append_new(elements, text_object(&origin));
	buf_reset(&origin);
	buf_adds(&origin, utc_human(a->at_ms, when));
	if (a->host && *a->host) {
		buf_adds(&origin, " \xc2\xb7 ");
		mrkdwn_data(&origin, a->host, SUBJECT_MOST);
	}
	if (a->run && *a->run) {
		buf_adds(&origin, " \xc2\xb7 run ");
		mrkdwn_data(&origin, a->run, SUBJECT_MOST);
	}
	json_array_append_new(elements, text_object(&origin));
	add_block(blocks, "context", "elements", elements);
}

static json_t *build_blocks(const struct alert *a)
{
	BUF_AUTO s = BUF_INIT(BYTES);
	json_t *blocks = json_array();

	add_header(blocks, a);
	if (a->kind == ALERT_TEST)
		mrkdwn_data(&s, a->headline, SUMMARY_MOST);
	else
		digest_outcome(&s, a);
	add_section(blocks, &s);
	if (a->kind != ALERT_TEST) {
		add_figures(blocks, a->checks);
		add_list(blocks, a->failing, false, FAILED_SUM);
		add_list(blocks, a->checks, true, PASSED_SUM);
	}
	add_origin(blocks, a);
	return blocks;
}

/* What failed comes first here too: it may be all that is shown. The headline names the worst. */
static json_t *build_text(const struct alert *a)
{
	BUF_AUTO text = BUF_INIT(BYTES), links = BUF_INIT(BYTES);
	const size_t failed = json_array_size(a->failing);
	size_t i;
	json_t *check;

	mrkdwn_data(&text, a->headline, SUMMARY_MOST);
	buf_addc(&text, '\n');
	json_array_foreach(failed > 1 ? a->failing : NULL, i, check) {
		BUF_AUTO line = BUF_INIT(BYTES);

		add_check(&line, check);
		if (i == TEXT_LINES ||
		    utf8_count(text.s) + utf8_count(line.s) > SLACK_TEXT_MOST - TEXT_ROOM) {
			buf_addf(&text, "_and %zu more that did not pass_\n", failed - i);
			break;
		}
		buf_add(&text, line.s, line.len);
	}
	add_links(&links, a);
	buf_add(&text, links.s, links.len);
	chomp(&text);
	return record_string(text.s, text.len);
}

json_t *slack_message(const struct alert *a)
{
	json_t *message = json_object();

	json_object_set_new(message, "text", build_text(a));
	json_object_set_new(message, "blocks", build_blocks(a));
	json_object_set_new(message, "unfurl_links", json_false());
	json_object_set_new(message, "unfurl_media", json_false());
	return message;
}
