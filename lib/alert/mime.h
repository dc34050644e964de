#ifndef LIB_ALERT_MIME_H
#define LIB_ALERT_MIME_H
/*
 * mime: a mail, ready to be sent.
 *
 * RFC 5322 (headers, lines), RFC 2045 and 2046 (MIME, multipart/alternative), RFC 2047 (headers
 * beyond ASCII), RFC 3834 (Auto-Submitted, so that nobody's out-of-office reply comes back). Bodies
 * are quoted-printable: readable as they are, no line over 76 characters, ASCII alone.
 *
 * Nothing that is handed in can add a header: a control character in one is refused.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/strv.h"

#include <stdint.h>

enum { MIME_ADDRESS_MAX = 254 }; /* RFC 5321, section 4.5.3.1.3, less the angle brackets */

/* All text is UTF-8. */
struct mime_mail {
	const char *from;      /* "backup@example.com" or "Backups <backup@example.com>" */
	const struct strv *to; /* each as from */
	const char *subject;
	const char *id;     /* what makes the Message-ID: the same when the mail is sent again */
	const char *thread; /* what all mails of one conversation share; NULL: none */
	int64_t date_ms;
	const char *text, *html;      /* html NULL: text alone */
	const char *file_name, *file; /* attached; NULL: none. Text, by its name HTML or
				       * Markdown */
};

/* Appends the mail, lines ending in CRLF. */
int mime_print(struct buf *out, const struct mime_mail *m, struct err *e);

/* Appends the address alone, for the envelope: "backup@example.com". ERR_USAGE for what is no
 * address; beyond ASCII is none (a domain is written in its "xn--" form). */
int mime_address(struct buf *out, const char *mailbox, struct err *e);

/* Appends text quoted-printable, as a body. Line feeds alone and with carriage returns both end a
 * line. */
void mime_quoted_printable(struct buf *out, const char *s);

/* Appends a header, "Name: value\r\n", folded, beyond ASCII in encoded words. value is one line. */
void mime_header(struct buf *out, const char *name, const char *value);
#endif
