/*
 * alert-slack: Slack, by an incoming webhook, or as an app with a bot token, which can add the
 * report as a file in the message's thread.
 */
#include "lib/alert/attachment.h"
#include "lib/alert/sender.h"
#include "lib/alert/slack_blocks.h"
#include "lib/alert/slack_send.h"
#include "lib/base/record.h"
#include "lib/base/secret.h"
#include "lib/net/loopback.h"

#include <string.h>

static struct {
	const char *webhook_file, *token_file, *channel, *api, *report_file;
} config = { .api = "https://slack.com/api" };
static struct secret webhook, token;

static int check_address(const char *name, const char *url, struct err *e)
{
	if (strncmp(url, "https://", 8) == 0 || loopback_url(url))
		return 0;
	return err_set(e, ERR_USAGE, "use %s: it does not begin with https://", name);
}

static int prepare(struct err *e)
{
	if (secret_load(&webhook, "SLACK_WEBHOOK_URL", config.webhook_file, e) < 0 ||
	    secret_load(&token, "SLACK_BOT_TOKEN", config.token_file, e) < 0)
		return -1;
	if (!webhook.value == !token.value)
		return err_set(e, ERR_USAGE,
			       "configure Slack: set SLACK_WEBHOOK_URL, or SLACK_BOT_TOKEN and "
			       "SLACK_CHANNEL, and not both");
	if (token.value && !config.channel)
		return err_set(e, ERR_USAGE,
			       "configure Slack: SLACK_BOT_TOKEN needs SLACK_CHANNEL, a channel's "
			       "name or id");
	if (webhook.value && config.report_file)
		return err_set(e, ERR_USAGE,
			       "configure Slack: a webhook takes no file; --report-file needs "
			       "SLACK_BOT_TOKEN");
	return webhook.value ? check_address("SLACK_WEBHOOK_URL", webhook.value, e)
			     : check_address("SLACK_API_URL", config.api, e);
}

static void finish(void)
{
	secret_wipe(&webhook);
	secret_wipe(&token);
}

static json_t *report(const struct alert *a)
{
	json_t *file;
	struct err e;

	if (!config.report_file || a->kind == ALERT_TEST)
		return NULL;
	file = attachment_load(config.report_file, a->checks, &e);
	if (!file)
		tool_warn("the report is not sent along: %s", e.msg);
	return file;
}

static json_t *compose(const struct alert *a)
{
	return json_pack("{s:o, s:o*}", "message", slack_message(a), "report", report(a));
}

/* The message has arrived already: a report that does not is no reason to send it again. */
static void send_report(const struct slack *s, const struct slack_place *place, const json_t *file,
			struct err *flaw)
{
	const char *name = record_text(file, "name"), *text = record_text(file, "text");
	struct err e;

	if (!name || !text || slack_upload(s, place, name, text, strlen(text), &e) == FATE_ACCEPTED)
		return;
	*flaw = e;
	(void)err_wrap(flaw, "the report");
}

static enum fate deliver(struct sending *w, const json_t *message, struct err *e)
{
	const json_t *body = json_object_get(message, "body");
	const struct slack s = { .courier = w->courier,
				 .webhook = webhook.value,
				 .api = config.api,
				 .token = token.value,
				 .channel = config.channel };
	struct slack_place place;
	const enum fate fate = slack_post(&s, json_object_get(body, "message"), &place, e);

	if (fate != FATE_ACCEPTED)
		return fate;
	if (w->said)
		buf_adds(w->said, "Slack answered ok; look into the channel");
	if (place.ts[0])
		send_report(&s, &place, json_object_get(body, "report"), &w->flaw);
	return fate;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "webhook-url-file", "FILE", &config.webhook_file,
	  "file with the address of an incoming webhook; else SLACK_WEBHOOK_URL in the environment "
	  "or in $CREDENTIALS_DIRECTORY", "SLACK_WEBHOOK_URL_FILE", false, NULL },
	{ OPT_TEXT, 0, "bot-token-file", "FILE", &config.token_file,
	  "instead of a webhook, file with the token of an app (scopes chat:write, and files:write "
	  "for the report); else SLACK_BOT_TOKEN likewise", "SLACK_BOT_TOKEN_FILE", false, NULL },
	{ OPT_TEXT, 0, "channel", "CHANNEL", &config.channel,
	  "name or id of the channel that the app posts in", "SLACK_CHANNEL", false, NULL },
	{ OPT_TEXT, 0, "report-file", "FILE", &config.report_file,
	  "a report of this run, written before, to be put into the message's thread; needs the "
	  "token", "SLACK_REPORT_FILE", false, NULL },
	{ OPT_TEXT, 0, "api-url", "URL", &config.api,
	  "the Web API; default: https://slack.com/api", "SLACK_API_URL", false, NULL },
	SENDER_OPTIONS("always"),
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "alert-slack",
	.what = "post a run's outcome to Slack",
	.operands = "",
	.description =
		"Passes all records on. When they end it posts the verdict, the measured RPO and "
		"RTO and the size, then what failed, then what passed. A stage that did not end, "
		"an empty stream and a run that was cut off are failures too.\n\n"
		"When Slack does not take the layout the same is sent again as plain text.",
	.examples = "verify-something | alert-slack --label shop | emit-report\n"
		    "Post each run; the webhook's address is in SLACK_WEBHOOK_URL.\n\n"
		    "alert-slack --when change --label shop <records\n"
		    "Post when it starts to fail, fails differently, and is well again.\n\n"
		    "alert-slack --test --label shop\n"
		    "Prove that a message arrives.",
	.see_also = "alert-email(1), alert-pagerduty(1), emit-report(1)",
	.options = options,
	.gathers = true,
};

static const struct sender slack = {
	.tool = &tool,
	.when = WHEN_ALWAYS,
	.prepare = prepare,
	.compose = compose,
	.deliver = deliver,
	.finish = finish,
};

int main(int argc, char **argv)
{
	return sender_main(&slack, argc, argv);
}
