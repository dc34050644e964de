#include "lib/net/courier.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/easy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct courier {
	CURL *curl;
	struct courier_options options;
};

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct courier *h = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return h->options.stop && *h->options.stop;
}

static bool set_up(struct courier *h)
{
	return (!h->options.direct ||
		curl_easy_setopt(h->curl, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
	       curl_easy_setopt(h->curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
	       curl_easy_setopt(h->curl, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	       curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, h) == CURLE_OK;
}

struct courier *courier_open(const struct courier_options *o, struct err *e)
{
	struct courier *h;
	CURL *curl = easy_open("http,https", o->ca_file, e);

	if (curl == NULL)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->curl = curl;
	h->options = *o;
	if (set_up(h))
		return h;
	(void)err_set(e, ERR_SYSTEM, "start libcurl: it refuses an option");
	courier_close(h);
	return NULL;
}

void courier_close(struct courier *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

void courier_answer_free(struct courier_answer *a)
{
	buf_free(&a->body);
}

/* What is beyond the ceiling is dropped, not refused: the status is what counts. */
static size_t keep_body(char *data, size_t size, size_t n, void *to)
{
	struct buf *b = to;
	size_t len = size * n;

	buf_add(b, data, len < b->max - b->len ? len : b->max - b->len);
	return len;
}

int64_t courier_retry_after_ms(const char *value, int64_t now_ms)
{
	struct err e = { 0 };
	uint64_t seconds;
	int64_t at_ms;

	if (num_u64(value, 0, INT32_MAX, &seconds, &e) == 0)
		return (int64_t)seconds * 1000;
	if (utc_parse_http(value, &at_ms))
		return at_ms > now_ms ? at_ms - now_ms : 0;
	return -1;
}

enum fate courier_judge(struct courier_answer *a, struct buf *why)
{
	long s = a->status;

	if (s >= 200 && s < 300)
		return FATE_ACCEPTED;
	if (s >= 300 && s < 400)
		buf_adds(why, "a redirect is not followed; configure the final address");
	if (s == 401 || s == 403)
		buf_adds(why, "the key or the address is not accepted");
	if (s == 404 || s == 410)
		buf_adds(why, "there is nothing at this address");
	if (s == 408 || s == 425 || s == 429 || s >= 500)
		return FATE_LATER;
	return s == 400 || s == 413 || s == 415 || s == 422 ? FATE_REFUSED : FATE_HELD;
}

static struct curl_slist *header_list(const struct courier_request *q)
{
	/* Without a body limit on the other side "Expect: 100-continue" only costs a second. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; q->headers && q->headers[i]; i++)
		list = curl_slist_append(list, q->headers[i]);
	return list;
}

static bool set_request(struct courier *h, const struct courier_request *q,
			struct courier_answer *a, struct curl_slist *headers, long limit_ms)
{
	CURL *c = h->curl;
	bool ok = curl_easy_setopt(c, CURLOPT_URL, q->url) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, limit_ms) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, limit_ms) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep_body) == CURLE_OK &&
		  curl_easy_setopt(c, CURLOPT_WRITEDATA, &a->body) == CURLE_OK;

	if (strcmp(q->method, "GET") == 0)
		return ok && curl_easy_setopt(c, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
		       curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK;
	return ok && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->len ? q->body : "") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->len) == CURLE_OK;
}

static void read_retry_after(struct courier *h, struct courier_answer *a)
{
	struct curl_header *header;

	if (curl_easy_header(h->curl, "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK)
		a->retry_after_ms = courier_retry_after_ms(header->value, utc_now_ms());
}

/* One try. why gets the reason when it was not accepted. */
static enum fate try_once(struct courier *h, const struct courier_request *q,
			  struct courier_answer *a, struct curl_slist *headers, struct buf *why)
{
	int64_t left = h->options.deadline_ms - mono_ms();
	int64_t limit = (int64_t)h->options.try_ms < left ? (int64_t)h->options.try_ms : left;
	char said[CURL_ERROR_SIZE] = "";
	CURLcode code;

	buf_reset(why);
	buf_reset(&a->body);
	a->status = 0;
	a->retry_after_ms = -1;
	if (limit <= 0) {
		buf_adds(why, "no time is left");
		return FATE_LATER;
	}
	a->tries++;
	if (!set_request(h, q, a, headers, (long)limit)) {
		buf_adds(why, "libcurl does not take the request");
		return FATE_HELD;
	}
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, said);
	code = curl_easy_perform(h->curl);
	(void)curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK) {
		/* libcurl's longer text for TLS names the certificate's fault; that of a bad URL
		 * would quote the URL. */
		bool tls = code == CURLE_PEER_FAILED_VERIFICATION && said[0];

		buf_adds(why, tls ? said : curl_easy_strerror(code));
		return easy_fate(code);
	}
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &a->status);
	read_retry_after(h, a);
	return q->judge ? q->judge(a, why) : courier_judge(a, why);
}

static void explain(const struct courier_request *q, const struct courier_answer *a,
		    const struct buf *why, struct err *e)
{
	char where[EASY_WHERE_SIZE];
	char status[32] = "", tries[32] = "";

	if (a->status)
		(void)snprintf(status, sizeof(status), "answered %ld", a->status);
	if (a->tries > 1)
		(void)snprintf(tries, sizeof(tries), " (%u tries)", a->tries);
	(void)err_set(e, ERR_REMOTE, "send to %s: %s%s%s%s", easy_where(q->url, where), status,
		      status[0] && why->len ? ", " : "", why->s, tries);
}

/* Header values may be secrets; these cannot. */
static bool is_open_header(const char *line)
{
	static const char *const open[] = { "Content-Type:", "Accept:" };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (strncasecmp(line, open[i], strlen(open[i])) == 0)
			return true;
	return false;
}

static void print_masked(struct buf *out, const struct courier_request *q)
{
	char where[EASY_WHERE_SIZE];

	buf_addf(out, "%s %s/****\n", q->method, easy_where(q->url, where));
	for (size_t i = 0; q->headers && q->headers[i]; i++) {
		const char *line = q->headers[i];

		if (is_open_header(line))
			buf_addf(out, "%s\n", line);
		else
			buf_addf(out, "%.*s: ****\n", (int)strcspn(line, ":"), line);
	}
	buf_addc(out, '\n');
	if (q->len > 0) {
		buf_add(out, q->body, q->len);
		buf_addc(out, '\n');
	}
}

enum fate courier_send(struct courier *h, const struct courier_request *q, struct courier_answer *a,
		       struct err *e)
{
	BUF_AUTO why = BUF_INIT(512);
	struct curl_slist *headers;
	struct retry r;
	enum fate fate;

	if (h->options.dry) {
		print_masked(h->options.dry, q);
		return FATE_ACCEPTED;
	}
	headers = header_list(q);
	retry_begin(&r, h->options.deadline_ms);
	r.stop = h->options.stop;
	do
		fate = try_once(h, q, a, headers, &why);
	while (fate == FATE_LATER && retry_wait(&r, a->retry_after_ms) == 0);
	curl_slist_free_all(headers);
	if (fate != FATE_ACCEPTED)
		explain(q, a, &why, e);
	return fate;
}

void courier_percent(struct buf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		/* Not isalnum(3) alone: only ASCII letters are unreserved. */
		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			buf_addc(out, *s);
		else
			buf_addf(out, "%%%02X", c);
	}
}
