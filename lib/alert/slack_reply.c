#include "lib/alert/slack_reply.h"

#include "lib/base/record.h"

#include <string.h>

enum { ERROR_MOST = 60 };

#define NEW_HOOK "make a new incoming webhook in Slack and set SLACK_WEBHOOK_URL"
#define NEW_TOKEN "install the app in Slack again and set SLACK_BOT_TOKEN"
#define ASK_ADMIN "ask an administrator of the workspace to let the app post there"
#define OTHER_CHANNEL "choose another channel"
#define TAKES_NO_SUCH "Slack does not take such a message"

/* docs.slack.dev, chat.postMessage and files.completeUploadExternal, "Errors"; and for webhooks
 * the page in the header. */
static const struct meaning {
	const char *error;
	enum fate fate;
	const char *way_out;
} meanings[] = {
	{ "no_service", FATE_HELD, NEW_HOOK },
	{ "no_service_id", FATE_HELD, NEW_HOOK },
	{ "no_active_hooks", FATE_HELD, NEW_HOOK },
	{ "no_team", FATE_HELD, NEW_HOOK },
	{ "invalid_token", FATE_HELD, NEW_HOOK },
	{ "team_disabled", FATE_HELD, NEW_HOOK },
	{ "user_not_found", FATE_HELD, NEW_HOOK },
	{ "not_authed", FATE_HELD, NEW_TOKEN },
	{ "invalid_auth", FATE_HELD, NEW_TOKEN },
	{ "account_inactive", FATE_HELD, NEW_TOKEN },
	{ "token_revoked", FATE_HELD, NEW_TOKEN },
	{ "token_expired", FATE_HELD, NEW_TOKEN },
	{ "missing_scope", FATE_HELD,
	  "give the app the scopes chat:write and files:write and install it again" },
	{ "channel_not_found", FATE_HELD, "check SLACK_CHANNEL; invite the app if it is private" },
	{ "invalid_channel", FATE_HELD, "check SLACK_CHANNEL; invite the app if it is private" },
	{ "not_in_channel", FATE_HELD, "invite the app to the channel" },
	{ "is_archived", FATE_HELD, OTHER_CHANNEL },
	{ "channel_is_archived", FATE_HELD, OTHER_CHANNEL },
	{ "action_prohibited", FATE_HELD, ASK_ADMIN },
	{ "posting_to_general_channel_denied", FATE_HELD, ASK_ADMIN },
	{ "restricted_action", FATE_HELD, ASK_ADMIN },
	{ "no_permission", FATE_HELD, ASK_ADMIN },
	{ "ekm_access_denied", FATE_HELD, ASK_ADMIN },
	{ "invalid_payload", FATE_REFUSED, TAKES_NO_SUCH },
	{ "invalid_blocks", FATE_REFUSED, TAKES_NO_SUCH },
	{ "invalid_blocks_format", FATE_REFUSED, TAKES_NO_SUCH },
	{ "msg_blocks_too_long", FATE_REFUSED, TAKES_NO_SUCH },
	{ "msg_too_long", FATE_REFUSED, TAKES_NO_SUCH },
	{ "no_text", FATE_REFUSED, TAKES_NO_SUCH },
	{ "missing_text_or_fallback_or_attachments", FATE_REFUSED, TAKES_NO_SUCH },
	{ "too_many_attachments", FATE_REFUSED, TAKES_NO_SUCH },
	{ "invalid_attachments", FATE_REFUSED, TAKES_NO_SUCH },
	{ "invalid_arguments", FATE_REFUSED, TAKES_NO_SUCH },
	{ "invalid_charset", FATE_REFUSED, TAKES_NO_SUCH },
	{ "ratelimited", FATE_LATER, "it takes no more for now" },
	{ "rate_limited", FATE_LATER, "it takes no more for now" },
	{ "request_timeout", FATE_LATER, "Slack has a problem" },
	{ "service_unavailable", FATE_LATER, "Slack has a problem" },
	{ "internal_error", FATE_LATER, "Slack has a problem" },
	{ "fatal_error", FATE_LATER, "Slack has a problem" },
	{ "rollup_error", FATE_LATER, "Slack has a problem" },
};

static const struct meaning *find(const char *error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].error, error) == 0)
			return &meanings[i];
	return NULL;
}

/* Nothing but such a word of an answer is ever shown. */
static bool is_error_word(const char *s)
{
	const size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= ERROR_MOST && s[n] == '\0';
}

static enum fate explain(const char *error, enum fate unknown, struct buf *why)
{
	const struct meaning *m = find(error);

	buf_addf(why, "Slack says %s", error);
	if (m)
		buf_addf(why, "; %s", m->way_out);
	return m ? m->fate : unknown;
}

enum fate slack_judge_hook(struct courier_answer *a, struct buf *why)
{
	BUF_AUTO word = BUF_INIT(COURIER_ANSWER_MAX);
	const enum fate by_status = courier_judge(a, why);

	buf_add(&word, a->body.s, strcspn(a->body.s, "\r\n"));
	if (by_status == FATE_ACCEPTED && strcmp(word.s, "ok") == 0)
		return FATE_ACCEPTED;
	if (is_error_word(word.s)) {
		buf_reset(why);
		return explain(word.s, by_status == FATE_ACCEPTED ? FATE_HELD : by_status, why);
	}
	if (by_status != FATE_ACCEPTED)
		return by_status;
	buf_adds(why, "the answer is not Slack's; check SLACK_WEBHOOK_URL");
	return FATE_HELD;
}

enum fate slack_judge_api(struct courier_answer *a, struct buf *why)
{
	const enum fate by_status = courier_judge(a, why);
	struct err e;
	JSON_AUTO *answer = record_parse(a->body.s, a->body.len, &e);
	const char *error = record_text(answer, "error");

	if (by_status == FATE_ACCEPTED && record_true(answer, "ok"))
		return FATE_ACCEPTED;
	if (error && is_error_word(error)) {
		buf_reset(why);
		return explain(error, by_status == FATE_ACCEPTED ? FATE_HELD : by_status, why);
	}
	if (by_status != FATE_ACCEPTED)
		return by_status;
	buf_adds(why, "the answer is not Slack's; check SLACK_API_URL");
	return FATE_HELD;
}
