#include "lib/storage/s3server.h"

#include "lib/base/xmem.h"
#include "lib/net/retry.h"
#include "lib/storage/aws.h"
#include "lib/storage/awskeys.h"
#include "lib/storage/gunzip.h"
#include "lib/storage/s3error.h"
#include "lib/storage/s3list.h"
#include "lib/storage/sigv4.h"
#include "lib/storage/uri.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { URL_MAX = 32 * 1024, HEADER_MAX = 8 * 1024 };

/* SHA-256 of nothing: the body of every request here. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct s3server {
	struct aws aws;
	struct awskeys *keys;
	bool clone; /* keys are another handle's */
	bool google;
	bool moved; /* the region is the one that the server named */
	struct storage_options limits;
	struct downloader *http;
	char *bucket;
	char *origin; /* "https://host:port" */
	char *host;   /* as in the Host header */
	char *root;   /* path of the bucket, "" or "/bucket", encoded */
};

static void forget_place(struct s3server *k)
{
	free(k->origin);
	free(k->host);
	free(k->root);
	k->origin = k->host = k->root = NULL;
}

void s3server_close(struct s3server *k)
{
	if (k == NULL)
		return;
	download_close(k->http);
	if (!k->clone)
		awskeys_close(k->keys);
	aws_free(&k->aws);
	forget_place(k);
	free(k->bucket);
	free(k);
}

/* --- addresses ------------------------------------------------------------------------------ */

static bool virtual_host(const struct s3server *k)
{
	if (k->aws.style != AWS_STYLE_AUTO)
		return k->aws.style == AWS_STYLE_VIRTUAL;
	return k->aws.endpoint == NULL && strchr(k->bucket, '.') == NULL;
}

/* The parts of the endpoint that requests and signatures are made of. */
static int take_parts(struct s3server *k, const char *scheme, const char *host, const char *port,
		      const char *path)
{
	BUF_AUTO name = BUF_INIT(URL_MAX);
	BUF_AUTO root = BUF_INIT(URL_MAX);
	size_t n = strlen(path);

	if (virtual_host(k))
		buf_addf(&name, "%s.", k->bucket);
	buf_adds(&name, host);
	if (port)
		buf_addf(&name, ":%s", port);
	while (n > 0 && path[n - 1] == '/')
		n--;
	buf_add(&root, path, n);
	if (!virtual_host(k)) {
		buf_addc(&root, '/');
		uri_encode(&root, k->bucket, false);
	}
	forget_place(k);
	k->host = xstrdup(name.s);
	k->origin = xasprintf("%s://%s", scheme, name.s);
	k->root = xstrdup(root.s);
	return name.full || root.full ? -1 : 0;
}

static int find_parts(struct s3server *k, const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
	int rc = -1;

	if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
	    (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)) {
		/* The Host header does not name the scheme's own port. */
		if (curl_url_get(u, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) != CURLUE_OK)
			port = NULL;
		rc = take_parts(k, scheme, host, port, path);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_url_cleanup(u);
	return rc;
}

static int find_place(struct s3server *k, struct err *e)
{
	AUTO_FREE char *own = k->aws.endpoint ? NULL : aws_own_endpoint(&k->aws, "s3");
	const char *endpoint = own ? own : k->aws.endpoint;
	AUTO_FREE char *url = xasprintf("%s%s", uri_scheme(endpoint) ? "" : "https://", endpoint);
	BUF_AUTO shown = BUF_INIT(URL_MAX);

	if (find_parts(k, url) == 0)
		return 0;
	uri_shown(&shown, url);
	return err_set(e, ERR_USAGE,
		       "the endpoint '%s' is no http or https URL; see AWS_ENDPOINT_URL", shown.s);
}

/* What AWS's settings say of endpoints is not about Google. */
static void turn_to_google(struct aws *a)
{
	const char *emulator = getenv("STORAGE_EMULATOR_HOST");

	free(a->endpoint);
	free(a->region);
	a->endpoint =
		xstrdup(emulator && emulator[0] ? emulator : "https://storage.googleapis.com");
	a->region = xstrdup("auto");
	a->style = AWS_STYLE_PATH;
	a->requester_pays = false;
}

static int connect_to(struct s3server *k, struct err *e)
{
	const struct download_config config = { .limits = k->limits,
						.ca_file = k->aws.ca_bundle,
						.etag_md5 = true };

	k->http = download_open(&config, e);
	return k->http ? 0 : -1;
}

struct s3server *s3server_open(const char *bucket, bool google,
			       const struct storage_options *limits, struct err *e)
{
	struct s3server *k = xcalloc(1, sizeof(*k));

	k->bucket = xstrdup(bucket);
	k->limits = *limits;
	k->google = google;
	if (aws_load(&k->aws, e) == 0) {
		k->aws.stop = limits->stop;
		k->keys = awskeys_open(&k->aws);
		if (google)
			turn_to_google(&k->aws);
		if (find_place(k, e) == 0 && connect_to(k, e) == 0)
			return k;
	}
	s3server_close(k);
	return NULL;
}

struct s3server *s3server_clone(const struct s3server *of, struct err *e)
{
	struct s3server *k = xcalloc(1, sizeof(*k));

	aws_copy(&k->aws, &of->aws);
	k->keys = of->keys;
	k->clone = true;
	k->google = of->google;
	k->moved = of->moved;
	k->limits = of->limits;
	k->bucket = xstrdup(of->bucket);
	if (find_place(k, e) == 0 && connect_to(k, e) == 0)
		return k;
	s3server_close(k);
	return NULL;
}

/* --- requests ------------------------------------------------------------------------------- */

struct attempt {
	struct s3server *k;
	const char *method, *query;
	struct buf path, url;
	struct awskey key; /* that it was signed with */
};

static void attempt_free(struct attempt *a)
{
	buf_free(&a->path);
	buf_free(&a->url);
	awskey_free(&a->key);
}
#define ATTEMPT_AUTO __attribute__((cleanup(attempt_free))) struct attempt

static bool has_range(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		if (strncmp(lines->v[i], "Range:", 6) == 0)
			return true;
	return false;
}

/* The headers to be signed, sorted by name; at most six. */
static size_t choose_headers(const struct attempt *a, const char *date, bool part,
			     struct sigv4_header *h)
{
	size_t n = 0;

	h[n++] = (struct sigv4_header){ "host", a->k->host };
	/* Of a part it would be the part's digest. */
	if (!part && !a->k->google && a->query[0] == '\0')
		h[n++] = (struct sigv4_header){ "x-amz-checksum-mode", "ENABLED" };
	h[n++] = (struct sigv4_header){ "x-amz-content-sha256", EMPTY_HASH };
	h[n++] = (struct sigv4_header){ "x-amz-date", date };
	if (a->k->aws.requester_pays)
		h[n++] = (struct sigv4_header){ "x-amz-request-payer", "requester" };
	if (a->key.token)
		h[n++] = (struct sigv4_header){ "x-amz-security-token", a->key.token };
	return n;
}

static int sign(void *ctx, struct strv *lines, struct err *e)
{
	struct attempt *a = ctx;
	char date[SIGV4_DATE_SIZE];
	BUF_AUTO line = BUF_INIT(HEADER_MAX);
	struct sigv4_header headers[6];
	struct sigv4_request request = { a->method, a->path.s,  a->query, headers,
					 0,         EMPTY_HASH, date };
	struct sigv4_key key = { .region = a->k->aws.region, .service = "s3" };

	/* Anew for each try: it may come hours after the one before. */
	awskey_free(&a->key);
	if (awskeys_get(a->k->keys, &a->key, e) < 0)
		return -1;
	key.id = a->key.id;
	key.secret = a->key.secret;
	/* The real clock, whatever --now says: the server compares it with its own. */
	if (sigv4_date((long long)time(NULL), date, e) < 0)
		return -1;
	request.n_headers = choose_headers(a, date, has_range(lines), headers);
	buf_adds(&line, "Authorization: ");
	if (sigv4_sign(&key, &request, &line, NULL, e) < 0)
		return -1;
	if (line.full)
		return err_set(e, ERR_USAGE, "sign request: the access key is too long");
	strv_add(lines, line.s);
	for (size_t i = 1; i < request.n_headers; i++)
		strv_addf(lines, "%s: %s", headers[i].name, headers[i].value);
	/* Without it Google unpacks what was stored as gzip. */
	if (a->k->google)
		strv_add(lines, "Accept-Encoding: gzip");
	return 0;
}

static int prepare(struct attempt *a, const struct s3_call *call, struct err *e)
{
	buf_reset(&a->path);
	buf_reset(&a->url);
	buf_adds(&a->path, a->k->root);
	if (call->key || a->k->root[0] == '\0')
		buf_addc(&a->path, '/');
	if (call->key)
		uri_encode(&a->path, call->key, true);
	buf_addf(&a->url, "%s%s%s%s", a->k->origin, a->path.s, call->query[0] ? "?" : "",
		 call->query);
	if (a->url.full || a->path.full)
		return err_set(e, ERR_USAGE, "%s %s: the key is too long", call->verb, call->shown);
	return 0;
}

static bool good(const struct download_reply *r)
{
	return r->status == 200 || r->status == 206;
}

/* A server that is asked in the wrong region says which one is right (status 301, 307 or 400). */
static bool learn_region(struct s3server *k, const struct download_reply *r)
{
	struct s3_error why;
	struct err ignored;
	const char *region;

	if (k->moved || (r->status != 301 && r->status != 307 && r->status != 400))
		return false;
	s3list_error(r->text.s, r->text.len, &why);
	region = r->region[0] ? r->region : why.region;
	if (region[0] == '\0' || strcmp(region, k->aws.region) == 0)
		return false;
	free(k->aws.region);
	k->aws.region = xstrdup(region);
	k->moved = true;
	return find_place(k, &ignored) == 0;
}

/* Have the keys run out? Answers to HEAD say no more than 400 or 403. */
static bool keys_refused(const struct attempt *a, const struct download_reply *r)
{
	static const char *const codes[] = { "ExpiredToken", "ExpiredTokenException",
					     "TokenRefreshRequired", "InvalidToken",
					     "InvalidAccessKeyId" };
	struct s3_error why;

	if (r->status != 400 && r->status != 403)
		return false;
	s3list_error(r->text.s, r->text.len, &why);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(why.code, codes[i]) == 0)
			return true;
	return why.code[0] == '\0' && a->key.token != NULL;
}

static bool renew_keys(void *ctx, const struct download_reply *r)
{
	struct attempt *a = ctx;

	return keys_refused(a, r) && awskeys_renew(a->k->keys, &a->key);
}

/* An archived object answers HEAD: that it cannot be read shall be said before it is tried. */
static bool usable(const struct download_request *q, const struct download_reply *r)
{
	return good(r) && !(q->head && s3error_archived(r));
}

static int refuse(const struct s3server *k, const struct s3_call *call,
		  const struct download_reply *r, struct err *e)
{
	const struct s3_asked asked = { call->verb, call->shown, k->bucket, call->key,
					k->aws.region };

	return good(r) && s3error_archived(r) ? s3error_archive(r, &asked, e)
					      : s3error_set(r, &asked, e);
}

static bool archived(const struct download_reply *r)
{
	struct s3_error why;

	s3list_error(r->text.s, r->text.len, &why);
	return strcmp(why.code, "InvalidObjectState") == 0;
}

/* The refusal of a GET does not tell whether the restore has been asked for; HEAD may. 0: it does
 * not. */
static int explain_archived(struct s3server *k, const struct s3_call *call, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request head = { .head = true, .count = -1 };

	return s3server_run(k, call, head, &r, e);
}

int s3server_run(struct s3server *k, const struct s3_call *call, struct download_request request,
		 struct download_reply *r, struct err *e)
{
	ATTEMPT_AUTO a = { .k = k,
			   .method = request.head ? "HEAD" : "GET",
			   .query = call->query,
			   .path = BUF_INIT(URL_MAX),
			   .url = BUF_INIT(URL_MAX),
			   .key = { .expires_ms = -1 } };
	int rc;

	for (;;) {
		*r = (struct download_reply){ 0 };
		if (prepare(&a, call, e) < 0)
			return -1;
		request.url = a.url.s;
		request.headers = sign;
		request.renew = renew_keys;
		request.headers_ctx = &a;
		rc = download_run(k->http, &request, r, e);
		if (rc == 0 && usable(&request, r))
			return 0;
		if (rc == 0 && r->delivered == 0 && learn_region(k, r)) {
			download_reply_free(r);
			continue;
		}
		if (rc == 0 && !request.head && archived(r))
			rc = explain_archived(k, call, e);
		if (rc == 0)
			rc = refuse(k, call, r, e);
		download_reply_free(r);
		return rc;
	}
}

/* --- documents ------------------------------------------------------------------------------ */

/* "We encountered an internal error" can come after the status has been sent. */
static bool is_error(const struct buf *text, struct download_reply *r, bool *passing)
{
	struct s3_error why;

	if (memmem(text->s, text->len < 512 ? text->len : 512, "<Error", 6) == NULL)
		return false;
	s3list_error(text->s, text->len, &why);
	*passing = strcmp(why.code, "InternalError") == 0 || strcmp(why.code, "SlowDown") == 0 ||
		   strcmp(why.code, "ServiceUnavailable") == 0;
	buf_add(&r->text, text->s, text->len < r->text.max ? text->len : r->text.max);
	return why.code[0] != '\0';
}

int s3server_text(struct s3server *k, const struct s3_call *call, struct buf *text, struct err *e)
{
	const struct storage_sink sink = sink_text(text);
	const struct download_request request = { .count = -1, .sink = &sink };
	struct retry retry;

	retry_begin(&retry, INT64_MAX);
	retry.stop = k->limits.stop;
	retry.most_tries =
		k->limits.retries < UINT_MAX ? (unsigned)k->limits.retries + 1 : UINT_MAX;
	for (;;) {
		DOWNLOAD_REPLY_AUTO r = { 0 };
		bool passing = false;

		buf_reset(text);
		if (s3server_run(k, call, request, &r, e) < 0)
			return -1;
		if (gunzip_text(text, e) < 0)
			return err_wrap(e, "%s %s", call->verb, call->shown);
		if (!is_error(text, &r, &passing))
			return 0;
		if (!passing || retry_wait(&retry, -1) < 0)
			return refuse(k, call, &r, e);
	}
}
