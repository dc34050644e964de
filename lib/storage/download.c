#include "lib/storage/download.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/net/easy.h"
#include "lib/net/retry.h"
#include "lib/storage/transfer.h"
#include "lib/storage/uri.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
	PAUSE_ASKED_S = 60,         /* most that Retry-After is followed */
	PROGRESS_MIN = 1024 * 1024, /* an attempt that brought this much counts as no failure */
	SKEW_MAX_S = 15 * 60,
	DOWNLOAD_SECRET_MAX = 16 * 1024,
};

/* One secret from a file into one option, and no copy of it stays. */
static int set_secret(struct downloader *h, CURLoption option, const char *file, struct err *e)
{
	BUF_AUTO secret = BUF_INIT(DOWNLOAD_SECRET_MAX);
	CURLcode rc;

	if (io_read_secret(file, &secret, e) < 0)
		return -1;
	rc = curl_easy_setopt(h->curl, option, secret.s);
	explicit_bzero(secret.s, secret.len);
	return rc == CURLE_OK ? 0 : err_set(e, ERR_SYSTEM, "start libcurl: out of memory");
}

/* libcurl sends neither to another host that a redirect leads to. */
static int log_in(struct downloader *h, struct err *e)
{
	const struct storage_access *access = h->config.limits.access;

	if (access == NULL)
		return 0;
	if (access->password_file && set_secret(h, CURLOPT_PASSWORD, access->password_file, e) < 0)
		return -1;
	if (access->token_file == NULL)
		return 0;
	if (curl_easy_setopt(h->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER) != CURLE_OK)
		return err_set(e, ERR_SYSTEM, "start libcurl: it knows no bearer tokens");
	return set_secret(h, CURLOPT_XOAUTH2_BEARER, access->token_file, e);
}

struct downloader *download_open(const struct download_config *config, struct err *e)
{
	const char *ca = config->ca_file ? config->ca_file : getenv("SSL_CERT_FILE");
	struct downloader *h = xcalloc(1, sizeof(*h));

	h->config = *config;
	h->connection = CURL_SOCKET_BAD;
	h->curl = easy_open("http,https", ca && ca[0] ? ca : NULL, e);
	if (h->curl && transfer_set_up(h) && (!config->login || log_in(h, e) == 0))
		return h;
	if (h->curl && e->kind == ERR_NONE)
		(void)err_set(e, ERR_SYSTEM, "start libcurl: it refuses an option");
	download_close(h);
	return NULL;
}

struct downloader *download_clone(const struct downloader *of, struct err *e)
{
	return download_open(&of->config, e);
}

void download_close(struct downloader *h)
{
	if (h == NULL)
		return;
	curl_easy_cleanup(h->curl);
	free(h);
}

static const char *shown(const struct transfer *t, struct buf *b)
{
	uri_shown(b, t->request->url);
	return b->s;
}

static bool stopped(const struct downloader *h)
{
	return h->config.limits.stop && *h->config.limits.stop;
}

static bool good_status(long status)
{
	return status == 200 || status == 206;
}

static bool passing_status(long status)
{
	return status == 408 || status == 429 || status == 500 ||
	       (status >= 502 && status <= 504) || status == 509;
}

static bool short_body(const struct transfer *t)
{
	const struct download_request *q = t->request;
	int64_t wanted = t->total - q->from;

	if (q->head || !good_status(t->reply->status) || t->total < 0)
		return false;
	if (q->count >= 0 && q->count < wanted)
		wanted = q->count;
	return t->done < wanted;
}

static const char *way_out(CURLcode rc)
{
	switch ((int)rc) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "; check the host name and the name service";
	case CURLE_COULDNT_CONNECT:
		return "; is the server up, and are host and port right?";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return "; SSL_CERT_FILE names a file with the authority to trust";
	case CURLE_OPERATION_TIMEDOUT:
		return "; the connection stalled";
	default:
		return "";
	}
}

static int transport_error(struct transfer *t, CURLcode rc)
{
	const unsigned attempts = t->reply->attempts;
	BUF_AUTO url = BUF_INIT(DOWNLOAD_URL_MAX);
	const char *why = t->h->reason[0] ? t->h->reason : curl_easy_strerror(rc);
	char tries[48] = "";

	if (stopped(t->h))
		return err_set(t->e, ERR_SYSTEM, "get %s: interrupted", shown(t, &url));
	if (attempts > 1)
		(void)snprintf(tries, sizeof(tries), ", %u attempts", attempts);
	if (t->done > 0)
		return err_set(t->e, ERR_REMOTE, "get %s: %s after %" PRId64 " bytes%s%s",
			       shown(t, &url), why, t->done, tries, way_out(rc));
	return err_set(t->e, ERR_REMOTE, "get %s: %s%s%s", shown(t, &url), why, tries, way_out(rc));
}

/* The pause before another attempt; false: there is to be none. */
static bool wait_before(struct transfer *t, struct retry *retry)
{
	curl_off_t asked_s = 0;
	int64_t asked_ms = -1;

	if (curl_easy_getinfo(t->h->curl, CURLINFO_RETRY_AFTER, &asked_s) == CURLE_OK &&
	    asked_s > 0)
		asked_ms = 1000 * (asked_s < PAUSE_ASKED_S ? asked_s : PAUSE_ASKED_S);
	if (retry_wait(retry, asked_ms) < 0)
		return false;
	if (t->h->config.limits.tally)
		atomic_fetch_add(&t->h->config.limits.tally->retries, 1);
	return true;
}

/* What the sink has is void: the object was replaced, or cannot be tied to its first half. */
static int start_over(struct transfer *t, const char *why)
{
	BUF_AUTO url = BUF_INIT(DOWNLOAD_URL_MAX);
	const struct storage_sink *sink = t->request->sink;

	if (t->done == 0)
		return 0;
	if (sink == NULL || sink->restart == NULL || (t->replaced && t->restarted))
		return err_set(t->e, ERR_REMOTE, "get %s: %s; run it again", shown(t, &url), why);
	t->restarted |= t->replaced;
	t->done = 0;
	return sink->restart(sink->ctx, t->e);
}

/* Are there new headers, for a refusal that is not the second at this place? */
static bool renewed(struct transfer *t)
{
	const struct download_request *q = t->request;
	const long status = t->reply->status;

	if (q->renew == NULL || (status != 400 && status != 401 && status != 403) ||
	    t->done <= t->renewed_at || !q->renew(q->headers_ctx, t->reply))
		return false;
	t->renewed_at = t->done;
	return true;
}

enum step { STEP_DONE, STEP_AGAIN, STEP_AT_ONCE, STEP_FAILED };

/* What an attempt's outcome asks for. */
static enum step next_step(struct transfer *t, CURLcode rc)
{
	if (t->failed || stopped(t->h))
		return STEP_FAILED;
	if (t->enough || (t->request->count > 0 && t->done == t->request->count))
		return STEP_DONE;
	if (t->done > 0 && t->reply->status == 412)
		t->replaced = true;
	if (t->replaced)
		return start_over(t, "it is being replaced while it is read") < 0 ? STEP_FAILED
										  : STEP_AT_ONCE;
	if (rc == CURLE_OK && renewed(t))
		return STEP_AT_ONCE;
	if (rc == CURLE_OK && !passing_status(t->reply->status) && !short_body(t))
		return STEP_DONE;
	if (rc != CURLE_OK && easy_fate(rc) == FATE_HELD)
		return STEP_FAILED;
	return STEP_AGAIN;
}

static int run(struct transfer *t)
{
	struct retry retry;

	/* The tool keeps the time; here the attempts are counted. */
	retry_begin(&retry, INT64_MAX);
	retry.stop = t->h->config.limits.stop;
	retry.most_tries = t->h->config.limits.retries < UINT_MAX
				   ? (unsigned)t->h->config.limits.retries + 1
				   : UINT_MAX;
	for (;;) {
		int64_t before = t->done;
		CURLcode rc = transfer_perform(t);
		enum step step = next_step(t, rc);

		t->reply->attempts++;
		if (step == STEP_DONE)
			return 0;
		if (step == STEP_AT_ONCE)
			continue;
		if (rc == CURLE_OK && short_body(t))
			rc = CURLE_PARTIAL_FILE;
		if (t->done - before >= PROGRESS_MIN)
			retry.tries = 0;
		if (step == STEP_AGAIN && wait_before(t, &retry)) {
			if (!transfer_resumable(t) && start_over(t, "the connection broke") < 0)
				return -1;
			continue;
		}
		/* The server had the last word: a refusal is an answer. */
		if (step == STEP_AGAIN && rc == CURLE_OK)
			return 0;
		if (t->failed || (t->replaced && !stopped(t->h)))
			return -1;
		return transport_error(t, rc);
	}
}

int download_run(struct downloader *h, const struct download_request *request,
		 struct download_reply *reply, struct err *e)
{
	struct transfer t = { .h = h,
			      .request = request,
			      .reply = reply,
			      .e = e,
			      .total = -1,
			      .modified_ms = -1,
			      .renewed_at = -1 };
	int rc;

	*reply = (struct download_reply){ .text = BUF_INIT(DOWNLOAD_TEXT_MAX),
					  .url = BUF_INIT(DOWNLOAD_URL_MAX) };
	rc = run(&t);
	reply->delivered = t.done;
	return rc;
}

int download_text(struct downloader *h, const struct download_request *request, struct buf *b,
		  struct download_reply *reply, struct err *e)
{
	const struct storage_sink sink = sink_text(b);
	struct download_request whole = *request;

	buf_reset(b);
	whole.sink = &sink;
	whole.count = -1;
	return download_run(h, &whole, reply, e);
}

void download_describe(const struct download_reply *r, struct storage_stat *out)
{
	out->bytes = r->bytes;
	out->modified_ms = r->modified_ms;
	(void)snprintf(out->etag, sizeof(out->etag), "%s", r->etag);
	/* Only a strong ETag can be asked for again: without one, parts of two versions would mix.
	 */
	out->ranges = r->ranges && r->etag[0] == '"';
	out->etag_md5 = r->etag_md5;
	out->sums = r->sums;
}

void download_reply_free(struct download_reply *r)
{
	buf_free(&r->text);
	buf_free(&r->url);
	strv_free(&r->marks);
}

const char *download_mark(const struct download_reply *r, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < r->marks.n; i++)
		if (strncasecmp(r->marks.v[i], name, n) == 0 && r->marks.v[i][n] == '=')
			return r->marks.v[i] + n + 1;
	return NULL;
}

int64_t download_clock_skew_s(const struct download_reply *r)
{
	int64_t apart_s;

	if (r->date_ms < 0)
		return 0;
	apart_s = (int64_t)time(NULL) - r->date_ms / 1000;
	return apart_s > SKEW_MAX_S || apart_s < -SKEW_MAX_S ? apart_s : 0;
}
