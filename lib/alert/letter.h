#ifndef LIB_ALERT_LETTER_H
#define LIB_ALERT_LETTER_H
/*
 * letter: an alert as the subject and the two bodies of a mail.
 *
 * Names and sentences come from a restored database, somebody else's input: control characters and
 * those that turn the direction of writing are replaced (text.h), and in HTML they are text and
 * nothing else. LETTER_CHECKS that did not pass are listed, and as many that did; the rest is
 * counted.
 */
#include "lib/alert/alert.h"

enum { LETTER_CHECKS = 200, LETTER_MAX = 1024 * 1024 };

/* One line, the verdict first: mail programs show the beginning. */
void letter_subject(struct buf *out, const struct alert *a);

void letter_text(struct buf *out, const struct alert *a);
void letter_html(struct buf *out, const struct alert *a);
#endif
