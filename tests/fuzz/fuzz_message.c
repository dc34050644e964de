/* Any name and any sentence in a message for people: the services' limits hold, nothing pings, no
 * header and no markup is added. */
#include "lib/alert/letter.h"
#include "lib/alert/mime.h"
#include "lib/alert/mrkdwn.h"
#include "lib/alert/slack_blocks.h"
#include "lib/base/record.h"
#include "lib/base/utf8.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
	if (!claim)
		abort();
}

static void mrkdwn(const char *s, size_t most)
{
	BUF_AUTO data = BUF_INIT(1 << 20), code = BUF_INIT(1 << 20), link = BUF_INIT(1 << 20);

	mrkdwn_data(&data, s, most);
	mrkdwn_code(&code, s, most);
	require(utf8_count(data.s) <= most + 2 && utf8_count(code.s) <= most + 2);
	require(strpbrk(data.s, "<>\n\r\033") == NULL && strpbrk(code.s, "<>\n\r\033") == NULL);
	require(memchr(code.s + 1, '`', code.len - 2) == NULL);
	if (mrkdwn_link(&link, s, "name", most))
		require(strpbrk(link.s + 1, "<\n\r ") == NULL && strchr(link.s, '>')[1] == '\0');
}

static void lines_at_most(const char *s, size_t most)
{
	while (*s) {
		const char *end = strstr(s, "\r\n");

		require(end != NULL && (size_t)(end - s) <= most);
		s = end + 2;
	}
}

static void mime(const char *s)
{
	BUF_AUTO header = BUF_INIT(1 << 20), body = BUF_INIT(1 << 20), to = BUF_INIT(1 << 20);
	BUF_AUTO line = BUF_INIT(1 << 20);
	struct err e = { 0 };

	mrkdwn_tame(&line, s, 1000); /* a header is one line */
	mime_header(&header, "Subject", line.s);
	lines_at_most(header.s, 78);
	for (const char *p = header.s; (p = strstr(p, "\r\n")) && p[2]; p += 2)
		require(p[2] == ' ');
	mime_quoted_printable(&body, s);
	lines_at_most(body.s, 76);
	require(strstr(body.s, "=_") == NULL);
	if (mime_address(&to, s, &e) == 0)
		require(strpbrk(to.s, " \r\n<>,;:\"") == NULL && to.len <= MIME_ADDRESS_MAX);
	else
		require(e.kind == ERR_USAGE && e.msg[0]);
}

static size_t sum_of_texts(json_t *node)
{
	const char *text = record_text(node, "text");
	size_t sum = text ? utf8_count(text) : 0, i;
	const char *key;
	json_t *child;

	require(text == NULL || text[0]);
	json_object_foreach(node, key, child)
		sum += sum_of_texts(child);
	json_array_foreach(node, i, child)
		sum += sum_of_texts(child);
	return sum;
}

/* One name everywhere, in 60 failing checks. */
static void messages(const char *s, size_t len)
{
	static const char *const fields[] = { "check", "subject", "summary" };
	BUF_AUTO html = BUF_INIT(LETTER_MAX), subject = BUF_INIT(LETTER_MAX);
	json_t *checks = json_array(), *check = json_object(), *message, *blocks;
	struct alert a = { .kind = ALERT_TRIGGER,
			   .verdict = V_CRITICAL,
			   .topic = "",
			   .headline = s,
			   .label = s,
			   .run = s,
			   .host = s,
			   .report_url = s,
			   .failing = checks,
			   .checks = checks };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		json_object_set_new(check, fields[i], record_string(s, len));
	for (int i = 0; i < 60; i++)
		json_array_append(checks, check);
	message = slack_message(&a);
	blocks = json_object_get(message, "blocks");
	require(utf8_count(record_text(message, "text")) <= SLACK_TEXT_MOST);
	require(json_array_size(blocks) <= 50 && sum_of_texts(blocks) <= SLACK_BLOCKS_SUM);
	letter_html(&html, &a);
	letter_subject(&subject, &a);
	require(!html.full && strstr(html.s, "<script") == NULL);
	require(strpbrk(subject.s, "\r\n") == NULL && utf8_count(subject.s) <= 150);
	json_decref(message);
	json_decref(check);
	json_decref(checks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *s = xstrndup((const char *)data, size);

	mrkdwn(s, size % 50 + 1);
	mime(s);
	messages(s, strlen(s));
	return 0;
}
