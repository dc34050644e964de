#ifndef LIB_ALERT_SLACK_BLOCKS_H
#define LIB_ALERT_SLACK_BLOCKS_H
/*
 * slack_blocks: an alert as a Slack message: {"text":…,"blocks":[…]}.
 *
 * A header with the verdict, the figures that matter (verified RPO and RTO, size), what failed,
 * what passed, links, and where it comes from. "text" is the whole in short, for notifications,
 * screen readers and for being sent alone when Slack refuses the blocks.
 *
 * Limits (docs.slack.dev, "Blocks" and "Text object"): 50 blocks; 150 characters in a header, 3000
 * in a section, 2000 in a field or a context element; none may be empty. The sum over all blocks is
 * limited too, undocumented: 9,597 characters passed and 11,341 failed with msg_blocks_too_long
 * (slackapi/bolt-js issues 2509 and 2867). Text over 4000 characters may be split.
 *
 * Names and sentences come from a restored database, somebody else's input: see mrkdwn.h.
 */
#include "lib/alert/alert.h"

enum {
	SLACK_BLOCKS_SUM = 9000, /* characters, of all texts in the blocks */
	SLACK_TEXT_MOST = 3000,  /* of the fallback */
};

/* The caller's. */
json_t *slack_message(const struct alert *a);
#endif
