#ifndef LIB_ALERT_SLACK_SEND_H
#define LIB_ALERT_SLACK_SEND_H
/*
 * slack_send: posting to Slack, by an incoming webhook or by the Web API.
 *
 * docs.slack.dev: "Sending messages using incoming webhooks", chat.postMessage; files in three
 * steps, files.getUploadURLExternal (which wants a form, not JSON), the bytes to the address that
 * it names, files.completeUploadExternal.
 */
#include "lib/net/courier.h"

#include <jansson.h>
#include <stddef.h>

struct slack {
	struct courier *courier;
	const char *webhook; /* a secret; NULL: the Web API */
	const char *api;     /* "https://slack.com/api" */
	const char *token;   /* a secret */
	const char *channel; /* name or id */
};

enum { SLACK_ID_SIZE = 64 };

/* Where a message went; empty for a webhook, which does not say, and for a dry run. */
struct slack_place {
	char channel[SLACK_ID_SIZE], ts[SLACK_ID_SIZE];
};

/* message: as slack_message() makes it. When Slack refuses the blocks its text is sent alone. */
enum fate slack_post(const struct slack *s, const json_t *message, struct slack_place *place,
		     struct err *e);

/* A text as a file in the message's thread. */
enum fate slack_upload(const struct slack *s, const struct slack_place *place, const char *name,
		       const char *text, size_t len, struct err *e);
#endif
