#include "lib/alert/ping.h"

#include "lib/alert/alert.h"
#include "lib/base/utc.h"
#include "lib/base/utf8.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
	CRONITOR_MESSAGE_MOST = 2000,
	KUMA_MESSAGE_MOST = 250, /* the service sets no limit; it is one line in a table */
	KUMA_PING_MOST_MS = 24 * 3600 * 1000
};

static const char *const styles[] = { "auto", "healthchecks", "cronitor", "kuma", "betterstack" };

int ping_parse_style(const char *word, void *to, struct err *e)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (strcmp(word, styles[i]) == 0) {
			*(enum ping_style *)to = (enum ping_style)i;
			return 0;
		}
	return err_set(e, ERR_USAGE,
		       "'%s' is none of auto, healthchecks, cronitor, kuma, betterstack", word);
}

enum ping_style ping_guess(const char *url)
{
	if (strstr(url, "cronitor.link/p/") || strstr(url, "cronitor.io/p/"))
		return PING_CRONITOR;
	if (strstr(url, "/api/push/"))
		return PING_KUMA;
	if (strstr(url, "/api/v1/heartbeat/"))
		return PING_BETTERSTACK;
	return PING_HEALTHCHECKS;
}

bool ping_has(enum ping_style style, enum ping_event event)
{
	return event != PING_START || style == PING_HEALTHCHECKS || style == PING_CRONITOR;
}

/* Appends "/word" to the path of the URL. */
static bool add_path(CURLU *u, const char *word)
{
	BUF_AUTO path = BUF_INIT(8192);
	char *now = NULL;
	bool ok = curl_url_get(u, CURLUPART_PATH, &now, 0) == CURLUE_OK;

	if (ok) {
		size_t n = strlen(now);

		while (n > 0 && now[n - 1] == '/')
			n--;
		buf_add(&path, now, n);
		buf_addf(&path, "/%s", word);
	}
	curl_free(now);
	return ok && !path.full && curl_url_set(u, CURLUPART_PATH, path.s, 0) == CURLUE_OK;
}

/* Appends name=value, encoded, to the query. */
static bool add_query(CURLU *u, const char *name, const char *value)
{
	BUF_AUTO pair = BUF_INIT(64 * 1024);

	buf_addf(&pair, "%s=%s", name, value);
	return curl_url_set(u, CURLUPART_QUERY, pair.s, CURLU_APPENDQUERY | CURLU_URLENCODE) ==
	       CURLUE_OK;
}

static bool add_number(CURLU *u, const char *name, const char *prefix, int64_t n)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s%" PRId64, prefix, n);
	return add_query(u, name, text);
}

static bool add_text(CURLU *u, const char *name, const char *text, size_t most)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);

	if (text[0] == '\0')
		return true;
	alert_text(&b, text, most);
	return add_query(u, name, b.s);
}

static bool event_in_path(CURLU *u, const struct ping *p)
{
	char status[16];

	if (p->event == PING_START)
		return add_path(u, "start");
	if (p->status >= 0) {
		(void)snprintf(status, sizeof(status), "%d", p->status);
		return add_path(u, status);
	}
	return p->event == PING_SUCCESS || add_path(u, "fail");
}

static bool cronitor(CURLU *u, const struct ping *p)
{
	static const char *const states[] = { "run", "complete", "fail" };
	char seconds[48];
	bool ok = add_query(u, "state", states[p->event]) && add_query(u, "series", p->rid) &&
		  add_query(u, "host", p->host) &&
		  add_text(u, "message", p->text, CRONITOR_MESSAGE_MOST);

	if (p->event == PING_START)
		return ok;
	(void)snprintf(seconds, sizeof(seconds), "duration:%" PRId64 ".%03" PRId64,
		       p->elapsed_ms / 1000, p->elapsed_ms % 1000);
	return ok && (p->status < 0 || add_number(u, "status_code", "", p->status)) &&
	       (p->elapsed_ms < 0 || add_query(u, "metric", seconds)) &&
	       add_number(u, "metric", "error_count:", p->failing);
}

static bool kuma(CURLU *u, const struct ping *p)
{
	bool timed = p->elapsed_ms >= 0 && p->elapsed_ms <= KUMA_PING_MOST_MS;

	/* The address is shown in the service with an example query, and is copied with it. */
	return curl_url_set(u, CURLUPART_QUERY, NULL, 0) == CURLUE_OK &&
	       add_query(u, "status", p->event == PING_SUCCESS ? "up" : "down") &&
	       add_text(u, "msg", p->text, KUMA_MESSAGE_MOST) &&
	       (!timed || add_number(u, "ping", "", p->elapsed_ms));
}

int ping_url(struct buf *out, enum ping_style style, const char *url, const struct ping *p,
	     struct err *e)
{
	CURLU *u = curl_url();
	char *made = NULL;
	bool ok = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK;

	if (style == PING_KUMA)
		ok = ok && kuma(u, p);
	else if (style == PING_CRONITOR)
		ok = ok && cronitor(u, p);
	else
		ok = ok && event_in_path(u, p) &&
		     (style == PING_BETTERSTACK || add_query(u, "rid", p->rid));
	ok = ok && curl_url_get(u, CURLUPART_URL, &made, 0) == CURLUE_OK;
	if (ok)
		buf_adds(out, made);
	curl_free(made);
	curl_url_cleanup(u);
	if (!ok || out->full)
		return err_set(e, ERR_USAGE,
			       "use the address of the dead-man's switch: it is no "
			       "http or https URL");
	return 0;
}

static bool keeps_body(enum ping_style style)
{
	return style == PING_HEALTHCHECKS || style == PING_BETTERSTACK;
}

const char *ping_method(enum ping_style style)
{
	return keeps_body(style) ? "POST" : "GET";
}

void ping_body(struct buf *out, enum ping_style style, const struct ping *p)
{
	size_t n = 0, len = strlen(p->text);

	if (!keeps_body(style))
		return;
	while (n < len && n < PING_BODY_MOST) {
		size_t step = utf8_take(p->text + n, len - n, NULL);

		if (step == 0)
			break;
		if (n + step > PING_BODY_MOST)
			break;
		n += step;
	}
	buf_add(out, p->text, n);
}

const char *ping_rid(char out[PING_RID_SIZE])
{
	unsigned char b[16] = { 0 };
	int64_t clock = mono_ms();

	/* Without randomness still another one for each run on this machine. */
	if (getentropy(b, sizeof(b)) < 0)
		memcpy(b, &clock, sizeof(clock));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	(void)snprintf(out, PING_RID_SIZE,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		       b[13], b[14], b[15]);
	return out;
}
