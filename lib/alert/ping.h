#ifndef LIB_ALERT_PING_H
#define LIB_ALERT_PING_H
/*
 * ping: how each dead-man's switch is told that a run began, succeeded or failed. Pure: an address
 * and an event in, the request's URL and body out.
 *
 *	healthchecks  URL/start, URL (success), URL/fail or URL/STATUS; ?rid=UUID ties start and
 *	              end together; the body is kept (healthchecks.io, templates/docs/http_api.md;
 *	              a self-hosted one keeps 10,000 bytes)
 *	cronitor      URL?state=run|complete|fail&series=…&host=…&message=…&status_code=…&metric=…
 *	              (cronitor.io/docs/telemetry-api; message up to 2000 characters)
 *	kuma          URL?status=up|down&msg=…&ping=MS, no start (Uptime Kuma,
 *	              server/routers/api-router.js; ping up to 24 h)
 *	betterstack   URL (success), URL/fail or URL/STATUS, no start; the body is kept
 *	              (betterstack.com/docs/uptime/cron-and-heartbeat-monitor)
 *
 * A query that the URL has already (?create=1) stays.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum ping_style { PING_AUTO, PING_HEALTHCHECKS, PING_CRONITOR, PING_KUMA, PING_BETTERSTACK };
enum ping_event { PING_START, PING_SUCCESS, PING_FAIL };

enum { PING_RID_SIZE = 37, PING_BODY_MOST = 9000 };

struct ping {
	enum ping_event event;
	int status;      /* 0 to 255: sent instead of "fail" where the style can; -1: do not */
	const char *rid; /* a UUID, canonical form */
	const char *host;
	const char *text;   /* for people, most useful first; "" none */
	int64_t elapsed_ms; /* of the run; -1 unknown */
	unsigned failing;
};

/* By the address: cronitor.link/p/, /api/push/, /api/v1/heartbeat/, else healthchecks. */
enum ping_style ping_guess(const char *url);

/* False: this style has no such event, there is nothing to send. */
bool ping_has(enum ping_style style, enum ping_event event);

int ping_url(struct buf *out, enum ping_style style, const char *url, const struct ping *p,
	     struct err *e);

/* POST where the body is kept (a healthchecks.io check may be set to ignore GET), else GET. */
const char *ping_method(enum ping_style style);

/* The text for the styles that keep a body, cut to PING_BODY_MOST bytes; nothing for the others. */
void ping_body(struct buf *out, enum ping_style style, const struct ping *p);

/* A random UUID (RFC 9562, version 4). Returns out. */
const char *ping_rid(char out[PING_RID_SIZE]);

/* For the option table: `to` is an enum ping_style *. */
int ping_parse_style(const char *word, void *to, struct err *e);
#endif
