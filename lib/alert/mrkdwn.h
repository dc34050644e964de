#ifndef LIB_ALERT_MRKDWN_H
#define LIB_ALERT_MRKDWN_H
/*
 * mrkdwn: other people's text inside Slack's markup (docs.slack.dev, "Formatting message text").
 *
 * "&", "<" and ">" are escaped, so that nothing of it can ping anybody ("<!channel>") or hide an
 * address. The marks of mrkdwn have no escape: text in which they could mean something stands in
 * backticks, its own backticks turned into quotation marks. Control characters and those that turn
 * the direction of writing are replaced (text.h). All of it is one line.
 *
 * `most` counts characters once escaped; what is longer is cut and ends in an ellipsis.
 */
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* As text, in backticks where it has to be (two characters more). */
void mrkdwn_data(struct buf *out, const char *s, size_t most);

/* In backticks, always. */
void mrkdwn_code(struct buf *out, const char *s, size_t most);

/* Cut and tamed alone, not escaped: for plain_text, which knows no markup. */
void mrkdwn_tame(struct buf *out, const char *s, size_t most);

/* "<URL|name>". False, and nothing, for what is no http(s) address or longer than `most`. */
bool mrkdwn_link(struct buf *out, const char *url, const char *name, size_t most);
#endif
