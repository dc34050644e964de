#ifndef LIB_NET_COURIER_H
#define LIB_NET_COURIER_H
/*
 * courier: send small bodies to web services, and try again where that can help.
 *
 * http and https only; TLS is always verified; a redirect is never followed (it would hand the
 * body, and the secret in the address, to somebody else). A try ends after try_ms, all tries and
 * the waits between them (retry.h) at deadline_ms. An answer is kept up to COURIER_ANSWER_MAX
 * bytes.
 *
 * No message holds a URL, a header or a body: only scheme and host of where it went.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/net/retry.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

enum { COURIER_ANSWER_MAX = 64 * 1024 };

struct courier; /* a client; keeps its connections */

struct courier_options {
	const char *ca_file; /* NULL: the system's certificates */
	uint64_t try_ms;
	int64_t deadline_ms;               /* monotonic, for everything this client does */
	bool direct;                       /* never through a proxy */
	const volatile sig_atomic_t *stop; /* not 0: give up at once; may be NULL */
	struct buf *dry; /* not NULL: requests are printed here, masked, instead of sent */
};

struct courier_answer {
	long status; /* 0: there was none */
	struct buf body;
	int64_t retry_after_ms; /* -1: not asked for */
	unsigned tries;
};
#define COURIER_ANSWER_INIT \
	{ \
		.body = BUF_INIT(COURIER_ANSWER_MAX), .retry_after_ms = -1 \
	}

struct courier_request {
	const char *method; /* "POST", "PUT", "GET" */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
	const void *body;           /* not for GET */
	size_t len;
	/* What an answer means; NULL: courier_judge(). why gets the service's own words, which must
	 * not repeat what was sent. May set a->retry_after_ms. */
	enum fate (*judge)(struct courier_answer *a, struct buf *why);
};

struct courier *courier_open(const struct courier_options *o, struct err *e);
void courier_close(struct courier *h);

/* FATE_ACCEPTED, or *e says why not. *a is the last answer; empty when dry. */
enum fate courier_send(struct courier *h, const struct courier_request *q, struct courier_answer *a,
		       struct err *e);
void courier_answer_free(struct courier_answer *a);

/* The usual meaning of a status: 2xx accepted; 408, 425, 429 and 5xx later; 400, 413, 415 and 422
 * refused; the rest (3xx, 401, 403, 404, 410...) held. */
enum fate courier_judge(struct courier_answer *a, struct buf *why);

/* Retry-After (RFC 9110, section 10.2.3): seconds or an HTTP-date, in milliseconds from now; -1
 * when it is neither. */
int64_t courier_retry_after_ms(const char *value, int64_t now_ms);

/* RFC 3986: all but unreserved characters as %XX. */
void courier_percent(struct buf *out, const char *s);
#endif
