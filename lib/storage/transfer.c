#include "lib/storage/transfer.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
	REDIRECTS_MAX = 5,
	STALL_BYTES_S = 1024, /* below this a connection counts as stalled */
	RECEIVE_BUFFER = 256 * 1024,
	MARKS_MAX = 64,
};

/* Only a strong ETag can be asked for again (RFC 9110, section 13.1.1). */
static bool strong(const char *etag)
{
	return etag[0] == '"';
}

bool transfer_resumable(const struct transfer *t)
{
	return strong(t->etag) || (t->modified_ms >= 0 && t->total >= 0);
}

/* "bytes 100-199/1000", the whole unknown: "bytes 100-199/" and an asterisk. */
static void read_content_range(struct transfer *t, const char *value)
{
	char from_text[24], total_text[24];
	struct err ignored;
	uint64_t from, total;
	int n = sscanf(value, "bytes %20[0-9]-%*[0-9]/%20[0-9]", from_text, total_text);

	if (n >= 1 && num_u64(from_text, 0, INT64_MAX, &from, &ignored) == 0)
		t->range_from = (int64_t)from;
	if (n == 2 && num_u64(total_text, 0, INT64_MAX, &total, &ignored) == 0)
		t->range_total = (int64_t)total;
}

static void new_answer(struct transfer *t)
{
	struct download_reply *r = t->reply;

	r->bytes = r->modified_ms = r->date_ms = -1;
	r->etag[0] = r->type[0] = r->region[0] = '\0';
	r->ranges = false;
	r->etag_md5 = t->h->config.etag_md5;
	r->sums = (struct storage_sums){ 0 };
	strv_free(&r->marks);
	t->range_from = t->range_total = -1;
}

static void take_sum(struct storage_sums *sums, const char *name, const char *value)
{
	const struct {
		const char *name;
		char *to;
	} known[] = {
		{ "content-md5", sums->md5 },
		{ "x-amz-checksum-sha256", sums->sha256 },
		{ "x-amz-checksum-sha1", sums->sha1 },
		{ "x-amz-checksum-crc64nvme", sums->crc64nvme },
		{ "x-amz-checksum-crc32c", sums->crc32c },
		{ "x-amz-checksum-crc32", sums->crc32 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0 && strlen(value) < STORAGE_SUM_SIZE)
			memcpy(known[i].to, value, strlen(value) + 1);
}

static void take_field(struct transfer *t, const char *name, const char *value)
{
	struct download_reply *r = t->reply;
	struct err ignored;
	uint64_t n;

	if ((strncasecmp(name, "x-amz-", 6) == 0 || strncasecmp(name, "x-ms-", 5) == 0) &&
	    r->marks.n < MARKS_MAX)
		strv_addf(&r->marks, "%s=%s", name, value);
	if (strcasecmp(name, "etag") == 0)
		(void)snprintf(r->etag, sizeof(r->etag), "%s", value);
	else if (strcasecmp(name, "content-type") == 0)
		(void)snprintf(r->type, sizeof(r->type), "%s", value);
	else if (strcasecmp(name, "x-amz-bucket-region") == 0)
		(void)snprintf(r->region, sizeof(r->region), "%s", value);
	else if (strcasecmp(name, "last-modified") == 0 && !utc_parse_http(value, &r->modified_ms))
		r->modified_ms = -1;
	else if (strcasecmp(name, "date") == 0 && !utc_parse_http(value, &r->date_ms))
		r->date_ms = -1;
	else if (strcasecmp(name, "content-range") == 0)
		read_content_range(t, value);
	else if (strcasecmp(name, "content-length") == 0 &&
		 num_u64(value, 0, INT64_MAX, &n, &ignored) == 0)
		r->bytes = (int64_t)n;
	else if (strcasecmp(name, "accept-ranges") == 0)
		r->ranges = strcasecmp(value, "bytes") == 0;
	else if (strcasecmp(name, "x-amz-server-side-encryption") == 0)
		r->etag_md5 &= strcmp(value, "AES256") == 0;
	else if (strcasecmp(name, "x-amz-server-side-encryption-customer-algorithm") == 0)
		r->etag_md5 = false;
	else
		take_sum(&r->sums, name, value);
}

static int on_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	struct downloader *h = ctx;

	(void)purpose;
	h->connection = fd;
	return CURL_SOCKOPT_OK;
}

/* Some servers (Ceph's) send a body only when the headers are acknowledged, for which a connection
 * that is used again takes its time: 40 ms for each small object (tcp(7), TCP_QUICKACK). */
static void acknowledge(const struct transfer *t)
{
	const int on = 1;

	(void)setsockopt(t->h->connection, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	char line[2 * DOWNLOAD_FIELD_SIZE];
	char *colon, *value;
	size_t len;

	/* A line that is too long is none that is looked at here. */
	if (n >= sizeof(line))
		return n * size;
	memcpy(line, p, n);
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	/* Redirects and "100 Continue" bring several answers: only the last counts. */
	if (strncmp(line, "HTTP/", 5) == 0)
		new_answer(t);
	if (line[0] == '\0')
		acknowledge(t);
	colon = strchr(line, ':');
	if (colon == NULL)
		return n * size;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	len = strlen(value);
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		value[--len] = '\0';
	take_field(t, line, value);
	return n * size;
}

static long status_of(const struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->h->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool same_version(const struct transfer *t, int64_t total)
{
	const struct download_reply *r = t->reply;

	if (t->total >= 0 && total != t->total)
		return false;
	if (strong(t->etag) || strong(r->etag))
		return strcmp(t->etag, r->etag) == 0;
	return r->modified_ms == t->modified_ms;
}

static bool refuse_whole(struct transfer *t)
{
	BUF_AUTO url = BUF_INIT(DOWNLOAD_URL_MAX);

	uri_shown(&url, t->request->url);
	t->failed = true;
	if (t->h->config.limits.tally)
		atomic_store(&t->h->config.limits.tally->whole_answer, true);
	(void)err_set(t->e, ERR_REMOTE,
		      "get %s: the server answers with all where a part was asked for", url.s);
	return false;
}

/* Holds a good answer against what was asked for and against the first answer. False: its body is
 * of no use. */
static bool judge_answer(struct transfer *t)
{
	struct download_reply *r = t->reply;
	const struct download_request *q = t->request;
	int64_t total = r->status == 206 ? t->range_total : r->bytes;

	t->judged = true;
	if (r->status == 206 && t->range_from != q->from + t->done) {
		BUF_AUTO url = BUF_INIT(DOWNLOAD_URL_MAX);

		uri_shown(&url, q->url);
		t->failed = true;
		(void)err_set(t->e, ERR_REMOTE,
			      "get %s: the server sent another range than the one asked for",
			      url.s);
		return false;
	}
	if (t->done == 0) {
		t->total = total;
		t->modified_ms = r->modified_ms;
		(void)snprintf(t->etag, sizeof(t->etag), "%s", r->etag);
	} else if (!same_version(t, total)) {
		t->replaced = true;
		return false;
	}
	r->bytes = total;
	/* A server that knows no ranges answers with the whole object. */
	t->skip = r->status == 206 ? 0 : q->from + t->done;
	return t->skip == 0 || q->count < 0 || refuse_whole(t);
}

static bool store(struct transfer *t, const char *p, size_t n)
{
	const struct download_request *q = t->request;
	size_t drop = n;

	if (t->skip > 0) {
		if ((uint64_t)t->skip < n)
			drop = (size_t)t->skip;
		t->skip -= (int64_t)drop;
		p += drop;
		n -= drop;
	}
	/* An answer that ends where it should is left to end: its connection can be used again. */
	if (q->count >= 0 && (int64_t)n > q->count - t->done) {
		n = (size_t)(q->count - t->done);
		t->enough = true;
	}
	if (n > 0 && q->sink && q->sink->write(q->sink->ctx, p, n, t->e) < 0) {
		t->failed = true;
		return false;
	}
	t->done += (int64_t)n;
	return !t->enough;
}

/* Tells the sink what its first bytes are of. */
static int describe(struct transfer *t)
{
	const struct storage_sink *sink = t->request->sink;
	struct storage_stat st = { 0 };

	if (t->done > 0 || sink == NULL || sink->describe == NULL)
		return 0;
	download_describe(t->reply, &st);
	if (sink->describe(sink->ctx, &st, t->e) == 0)
		return 0;
	t->failed = true;
	return -1;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t bytes = size * n;

	t->reply->status = status_of(t);
	if (t->reply->status >= 300) {
		size_t room = t->reply->text.max - t->reply->text.len;

		buf_add(&t->reply->text, p, bytes < room ? bytes : room);
		return bytes;
	}
	if (!t->judged && (!judge_answer(t) || describe(t) < 0))
		return CURL_WRITEFUNC_ERROR;
	return store(t, p, bytes) ? bytes : CURL_WRITEFUNC_ERROR;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct downloader *h = ctx;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return h->config.limits.stop && *h->config.limits.stop;
}

/* The request's own part of the options; what all share is in transfer_set_up(). */
static int set_request(struct transfer *t, struct curl_slist **list)
{
	STRV_AUTO lines = { 0 };
	const struct download_request *q = t->request;
	const char *etag = t->done > 0 && strong(t->etag) ? t->etag : q->etag;
	int64_t from = q->from + t->done;

	if (from > 0 && q->count >= 0)
		strv_addf(&lines, "Range: bytes=%" PRId64 "-%" PRId64, from,
			  q->from + q->count - 1);
	else if (q->count >= 0)
		strv_addf(&lines, "Range: bytes=0-%" PRId64, q->count - 1);
	else if (from > 0)
		strv_addf(&lines, "Range: bytes=%" PRId64 "-", from);
	if (etag && strong(etag))
		strv_addf(&lines, "If-Match: %s", etag);
	if (q->headers && q->headers(q->headers_ctx, &lines, t->e) < 0) {
		t->failed = true;
		return -1;
	}
	for (size_t i = 0; i < lines.n; i++) {
		struct curl_slist *longer = curl_slist_append(*list, lines.v[i]);

		explicit_bzero(lines.v[i], strlen(lines.v[i]));
		if (longer == NULL) {
			t->failed = true;
			return err_set(t->e, ERR_SYSTEM, "build request: out of memory");
		}
		*list = longer;
	}
	return 0;
}

bool transfer_set_up(struct downloader *h)
{
	static const struct {
		CURLoption option;
		long value;
	} fixed[] = {
		{ CURLOPT_MAXREDIRS, REDIRECTS_MAX },
		{ CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_S },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_HTTP_CONTENT_DECODING, 0 },
		/* "d/../x" is a name of its own in an object store. */
		{ CURLOPT_PATH_AS_IS, 1 },
		{ CURLOPT_BUFFERSIZE, RECEIVE_BUFFER },
		{ CURLOPT_NOPROGRESS, 0 },
	};
	const struct storage_options *limits = &h->config.limits;
	CURL *c = h->curl;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (curl_easy_setopt(c, fixed[i].option, fixed[i].value) != CURLE_OK)
			return false;
	return curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, h->config.redirects ? 1L : 0L) ==
		       CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)limits->connect_s) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)limits->stall_s) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, h) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_XFERINFODATA, h) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->reason) == CURLE_OK;
}

static CURLcode set_options(struct transfer *t, struct curl_slist *list)
{
	CURL *c = t->h->curl;
	bool https = strncasecmp(t->request->url, "https:", 6) == 0;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_URL, t->request->url);

	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, t->request->head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR,
				      https ? "https" : "http,https");
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	return rc;
}

CURLcode transfer_perform(struct transfer *t)
{
	struct curl_slist *list = NULL;
	CURLcode rc = CURLE_FAILED_INIT;
	const char *url = NULL;

	buf_reset(&t->reply->text);
	buf_reset(&t->reply->url);
	new_answer(t);
	t->reply->status = 0;
	t->judged = t->replaced = false;
	t->h->reason[0] = '\0';
	if (set_request(t, &list) == 0) {
		rc = set_options(t, list);
		if (rc == CURLE_OK)
			rc = curl_easy_perform(t->h->curl);
		t->reply->status = status_of(t);
		if (curl_easy_getinfo(t->h->curl, CURLINFO_EFFECTIVE_URL, &url) == CURLE_OK && url)
			buf_adds(&t->reply->url, url);
	}
	curl_slist_free_all(list);
	return rc;
}
