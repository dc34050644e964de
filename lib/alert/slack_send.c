#include "lib/alert/slack_send.h"

#include "lib/alert/slack_reply.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 4 * 1024 * 1024, URL_MAX = 4096 };

static const char json_content[] = "Content-Type: application/json; charset=utf-8";
static const char form_content[] = "Content-Type: application/x-www-form-urlencoded";
static const char file_content[] = "Content-Type: application/octet-stream";

/* One method of the Web API; *reply is the caller's, NULL when there is no JSON. */
static enum fate call(const struct slack *s, const char *method, const char *type,
		      const struct buf *body, json_t **reply, struct err *e)
{
	struct buf url = BUF_INIT(URL_MAX), bearer = BUF_INIT(URL_MAX);
	const char *headers[] = { type, NULL, NULL };
	struct courier_request q = { .method = "POST",
				     .headers = headers,
				     .body = body->s,
				     .len = body->len,
				     .judge = slack_judge_api };
	struct courier_answer a = COURIER_ANSWER_INIT;
	struct err ignored;
	enum fate fate;

	buf_addf(&url, "%s/%s", s->api, method);
	buf_addf(&bearer, "Authorization: Bearer %s", s->token);
	q.url = url.s;
	headers[1] = bearer.s;
	fate = courier_send(s->courier, &q, &a, e);
	*reply = record_parse(a.body.s, a.body.len, &ignored);
	if (bearer.cap)
		explicit_bzero(bearer.s, bearer.cap);
	buf_free(&bearer);
	buf_free(&url);
	courier_answer_free(&a);
	return fate;
}

static enum fate call_hook(const struct slack *s, const struct buf *body, struct err *e)
{
	const char *const headers[] = { json_content, NULL };
	const struct courier_request q = { .method = "POST",
					   .url = s->webhook,
					   .headers = headers,
					   .body = body->s,
					   .len = body->len,
					   .judge = slack_judge_hook };
	struct courier_answer a = COURIER_ANSWER_INIT;
	const enum fate fate = courier_send(s->courier, &q, &a, e);

	courier_answer_free(&a);
	return fate;
}

static void note_place(const json_t *reply, struct slack_place *place)
{
	const char *channel = record_text(reply, "channel"), *ts = record_text(reply, "ts");

	if (!channel || !ts || strlen(channel) >= SLACK_ID_SIZE || strlen(ts) >= SLACK_ID_SIZE)
		return;
	memcpy(place->channel, channel, strlen(channel) + 1);
	memcpy(place->ts, ts, strlen(ts) + 1);
}

static enum fate post_json(const struct slack *s, const json_t *message, struct slack_place *place,
			   struct err *e)
{
	BUF_AUTO body = BUF_INIT(BODY_MAX);
	JSON_AUTO *reply = NULL;
	AUTO_FREE char *text = record_print(message, BODY_MAX);
	enum fate fate;

	if (!text) {
		(void)err_set(e, ERR_SYSTEM, "send to Slack: the message is too large");
		return FATE_REFUSED;
	}
	buf_adds(&body, text);
	if (s->webhook)
		return call_hook(s, &body, e);
	fate = call(s, "chat.postMessage", json_content, &body, &reply, e);
	note_place(reply, place);
	return fate;
}

enum fate slack_post(const struct slack *s, const json_t *message, struct slack_place *place,
		     struct err *e)
{
	JSON_AUTO *sent = json_deep_copy(message);
	struct err first;
	enum fate fate;

	*place = (struct slack_place){ 0 };
	if (!s->webhook)
		json_object_set_new(sent, "channel", json_string(s->channel));
	fate = post_json(s, sent, place, &first);
	if (fate == FATE_REFUSED && json_object_del(sent, "blocks") == 0)
		return post_json(s, sent, place, e);
	if (fate != FATE_ACCEPTED)
		*e = first;
	return fate;
}

static void add_field(struct buf *form, const char *name, const char *value)
{
	if (form->len > 0)
		buf_addc(form, '&');
	buf_addf(form, "%s=", name);
	courier_percent(form, value);
}

/* Step 1: an address to send the bytes to, and the file's id. */
static enum fate reserve(const struct slack *s, const char *name, size_t len, json_t **reply,
			 struct err *e)
{
	BUF_AUTO form = BUF_INIT(URL_MAX);
	char length[24];
	enum fate fate;

	(void)snprintf(length, sizeof(length), "%zu", len);
	add_field(&form, "filename", name);
	add_field(&form, "length", length);
	fate = call(s, "files.getUploadURLExternal", form_content, &form, reply, e);
	if (fate == FATE_ACCEPTED &&
	    (!record_text(*reply, "upload_url") || !record_text(*reply, "file_id"))) {
		(void)err_set(e, ERR_REMOTE, "upload to Slack: it names no address for the file");
		return FATE_HELD;
	}
	return fate;
}

/* Step 2. The address is as good as a password for this one file; the token does not go there. */
static enum fate send_bytes(const struct slack *s, const char *url, const char *text, size_t len,
			    struct err *e)
{
	const char *const headers[] = { file_content, NULL };
	const struct courier_request q = {
		.method = "POST", .url = url, .headers = headers, .body = text, .len = len
	};
	struct courier_answer a = COURIER_ANSWER_INIT;
	const enum fate fate = courier_send(s->courier, &q, &a, e);

	courier_answer_free(&a);
	return fate;
}

/* Step 3: the file appears in the thread. */
static enum fate complete(const struct slack *s, const struct slack_place *place, const char *id,
			  const char *name, struct err *e)
{
	BUF_AUTO form = BUF_INIT(URL_MAX);
	JSON_AUTO *reply = NULL;
	JSON_AUTO *file = json_pack("{s:s, s:s}", "id", id, "title", name);
	AUTO_FREE char *text = record_print(file, URL_MAX / 4);
	BUF_AUTO list = BUF_INIT(URL_MAX);

	buf_addf(&list, "[%s]", text ? text : "");
	add_field(&form, "files", list.s);
	add_field(&form, "channel_id", place->channel);
	add_field(&form, "thread_ts", place->ts);
	return call(s, "files.completeUploadExternal", form_content, &form, &reply, e);
}

enum fate slack_upload(const struct slack *s, const struct slack_place *place, const char *name,
		       const char *text, size_t len, struct err *e)
{
	JSON_AUTO *reply = NULL;
	enum fate fate = reserve(s, name, len, &reply, e);

	if (fate == FATE_ACCEPTED)
		fate = send_bytes(s, record_text(reply, "upload_url"), text, len, e);
	if (fate == FATE_ACCEPTED)
		fate = complete(s, place, record_text(reply, "file_id"), name, e);
	return fate;
}
