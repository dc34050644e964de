#ifndef LIB_ALERT_SLACK_REPLY_H
#define LIB_ALERT_SLACK_REPLY_H
/*
 * slack_reply: what Slack's answers mean, for courier_request.judge (courier.h).
 *
 * An incoming webhook answers 200 and "ok", or a status and one bare word
 * (api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). The Web API answers
 * 200 whatever happened, but for 429 and 5xx: only "ok" in the JSON counts, and "error" says what
 * is wrong. Known errors come with the way out; an unknown one is held, so that no alert is lost to
 * a new word of Slack's.
 */
#include "lib/net/courier.h"

enum fate slack_judge_hook(struct courier_answer *a, struct buf *why);
enum fate slack_judge_api(struct courier_answer *a, struct buf *why);
#endif
