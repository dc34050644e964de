#ifndef LIB_NET_SMTP_H
#define LIB_NET_SMTP_H
/*
 * smtp: hand a mail to a mail server (RFC 5321; RFC 3207 STARTTLS, RFC 8314 implicit TLS, RFC 4954
 * AUTH).
 *
 * One recipient at a time, over one connection: so it is known of each of them what became of it,
 * and an address that is refused keeps no mail from the others.
 *
 * 4yz replies and a network that fails are tried again (retry.h); of 5yz replies those after the
 * mail itself refuse the mail, all others (sender, recipient, password) wait for a person. The
 * server's words come in the message; a password never.
 */
#include "lib/base/err.h"
#include "lib/base/strv.h"
#include "lib/net/retry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtp_options {
	const char *url;      /* smtp:// or smtps://; a path is the name that we say in EHLO */
	const char *user;     /* NULL: no authentication */
	const char *password; /* a secret */
	const char *ca_file;  /* NULL: the system's certificates */
	bool clear_text;      /* without STARTTLS; smtps:// has TLS anyway */
	uint64_t try_ms;
	int64_t deadline_ms; /* monotonic */
};

/* Is it an smtp or smtps address without user and password in it? */
int smtp_check_url(const char *url, struct err *e);

struct smtp;

struct smtp *smtp_open(const struct smtp_options *o, struct err *e);
void smtp_close(struct smtp *s);

/* from and to are bare addresses; mail as mime_print() makes it. FATE_ACCEPTED when somebody has
 * it: when *reached is not all of them, *e is about one of the others. */
enum fate smtp_send(struct smtp *s, const char *from, const struct strv *to, const char *mail,
		    size_t len, unsigned *reached, struct err *e);
#endif
