/*
 * The storage in S3 and whatever speaks like it: s3://bucket/prefix. aws.h says where endpoint,
 * region and keys come from.
 *
 * A prefix that ends in '/', or that has keys below it, is a folder: names are relative to it. Else
 * it is the one object of that key, else every key that begins so ("pg/shop-"), with names relative
 * to the last '/' before.
 *
 * With a configured endpoint the bucket goes into the path, at AWS into the host's name unless it
 * has dots (which no wildcard certificate covers); the profile's addressing_style wins. Redirects
 * are not followed: a signature holds for one host.
 */
#include "lib/base/xmem.h"
#include "lib/storage/aws.h"
#include "lib/storage/download.h"
#include "lib/storage/driver.h"
#include "lib/storage/s3error.h"
#include "lib/storage/s3list.h"
#include "lib/storage/sigv4.h"
#include "lib/storage/uri.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	URL_MAX = 32 * 1024,
	PAGE_MAX = 16 * 1024 * 1024, /* 1000 keys of 1 KiB, encoded and described */
	EMPTY_PAGES_MAX = 100,       /* a server may send some, but not for ever */
	HEADER_MAX = 8 * 1024,
};

/* SHA-256 of nothing: the body of every request here. */
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct s3 {
	struct aws aws;
	struct downloader *http;
	char *bucket;
	char *prefix; /* as in the source */
	char *base;   /* what names are relative to: a beginning of the keys */
	char *origin; /* "https://host:port" */
	char *host;   /* as in the Host header */
	char *root;   /* path of the bucket, "" or "/bucket", encoded */
};

static void s3_close(void *state)
{
	struct s3 *k = state;

	download_close(k->http);
	aws_free(&k->aws);
	free(k->bucket);
	free(k->prefix);
	free(k->base);
	free(k->origin);
	free(k->host);
	free(k->root);
	free(k);
}

/* --- addresses ------------------------------------------------------------------------------ */

static bool virtual_host(const struct s3 *k)
{
	if (k->aws.style != AWS_STYLE_AUTO)
		return k->aws.style == AWS_STYLE_VIRTUAL;
	return k->aws.endpoint == NULL && strchr(k->bucket, '.') == NULL;
}

static void endpoint_url(const struct s3 *k, struct buf *out)
{
	if (k->aws.endpoint)
		buf_addf(out, "%s%s", uri_scheme(k->aws.endpoint) ? "" : "https://",
			 k->aws.endpoint);
	else
		buf_addf(out, "https://s3.%s.amazonaws.com%s", k->aws.region,
			 strncmp(k->aws.region, "cn-", 3) == 0 ? ".cn" : "");
}

/* The parts of the endpoint that requests and signatures are made of. */
static int take_parts(struct s3 *k, const char *scheme, const char *host, const char *port,
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
	k->host = xstrdup(name.s);
	k->origin = xasprintf("%s://%s", scheme, name.s);
	k->root = xstrdup(root.s);
	return name.full || root.full ? -1 : 0;
}

static int find_parts(struct s3 *k, const char *url)
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

static char *front_of(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');

	return slash ? xstrndup(prefix, (size_t)(slash + 1 - prefix)) : xstrdup("");
}

static char *name_of(const struct s3 *k)
{
	size_t n = strlen(k->prefix), start;

	while (n > 0 && k->prefix[n - 1] == '/')
		n--;
	for (start = n; start > 0 && k->prefix[start - 1] != '/'; start--)
		;
	return n > start ? xstrndup(k->prefix + start, n - start) : xstrdup(k->bucket);
}

static int s3_open(struct storage *s, const char *source, struct err *e)
{
	BUF_AUTO url = BUF_INIT(URL_MAX);
	BUF_AUTO shown = BUF_INIT(URL_MAX);
	struct download_config config = { .limits = s->options, .etag_md5 = true };
	const char *bucket = source + strlen("s3://");
	size_t n = strcspn(bucket, "/");
	struct s3 *k = xcalloc(1, sizeof(*k));

	s->state = k;
	s->shown = xstrdup(source);
	k->bucket = xstrndup(bucket, n);
	k->prefix = xstrdup(bucket + n + (bucket[n] == '/'));
	k->base = front_of(k->prefix);
	s->base_name = name_of(k);
	if (n == 0)
		return err_set(e, ERR_USAGE,
			       "open %s: it names no bucket; write s3://BUCKET/PREFIX", source);
	if (strlen(k->prefix) > STORAGE_NAME_MAX)
		return err_set(e, ERR_USAGE, "open s3://%s/...: the prefix is too long", k->bucket);
	if (aws_load(&k->aws, e) < 0)
		return err_wrap(e, "open %s", source);
	endpoint_url(k, &url);
	uri_shown(&shown, url.s);
	if (find_parts(k, url.s) < 0)
		return err_set(e, ERR_USAGE,
			       "open %s: the endpoint '%s' is no http or https URL; see "
			       "AWS_ENDPOINT_URL",
			       source, shown.s);
	config.ca_file = k->aws.ca_bundle;
	k->http = download_open(&config, e);
	return k->http ? 0 : -1;
}

static int s3_clone(const struct storage *of, struct storage *s, struct err *e)
{
	const struct s3 *from = of->state;
	struct s3 *k = xcalloc(1, sizeof(*k));

	s->state = k;
	aws_copy(&k->aws, &from->aws);
	k->bucket = xstrdup(from->bucket);
	k->prefix = xstrdup(from->prefix);
	k->base = xstrdup(from->base);
	k->origin = xstrdup(from->origin);
	k->host = xstrdup(from->host);
	k->root = xstrdup(from->root);
	k->http = download_clone(from->http, e);
	return k->http ? 0 : -1;
}

/* --- requests ------------------------------------------------------------------------------- */

struct call {
	struct s3 *k;
	const char *method;
	const char *query; /* "" for none */
	struct buf path, url;
};

static void call_free(struct call *c)
{
	buf_free(&c->path);
	buf_free(&c->url);
}
#define CALL_AUTO __attribute__((cleanup(call_free))) struct call

/* key NULL: the bucket itself. */
static void call_init(struct call *c, struct s3 *k, const char *method, const char *key,
		      const char *query)
{
	*c = (struct call){
		k, method, query, BUF_INIT(URL_MAX), BUF_INIT(URL_MAX),
	};
	buf_adds(&c->path, k->root);
	if (key || k->root[0] == '\0')
		buf_addc(&c->path, '/');
	if (key)
		uri_encode(&c->path, key, true);
	buf_addf(&c->url, "%s%s%s%s", k->origin, c->path.s, query[0] ? "?" : "", query);
}

static int sign(void *ctx, struct strv *lines, struct err *e)
{
	const struct call *c = ctx;
	const struct aws *aws = &c->k->aws;
	char date[SIGV4_DATE_SIZE];
	BUF_AUTO line = BUF_INIT(HEADER_MAX);
	const struct sigv4_key key = { aws->key_id, aws->secret, aws->region, "s3" };
	const struct sigv4_header headers[] = {
		{ "host", c->k->host },
		{ "x-amz-content-sha256", EMPTY_HASH },
		{ "x-amz-date", date },
		{ "x-amz-security-token", aws->token },
	};
	const struct sigv4_request request = {
		c->method, c->path.s, c->query, headers, aws->token ? 4 : 3, EMPTY_HASH, date,
	};

	/* The real clock, whatever --now says: the server compares it with its own. */
	if (sigv4_date((long long)time(NULL), date, e) < 0)
		return -1;
	buf_adds(&line, "Authorization: ");
	if (sigv4_sign(&key, &request, &line, NULL, e) < 0)
		return -1;
	if (line.full)
		return err_set(e, ERR_USAGE, "sign request: the access key is too long");
	strv_add(lines, line.s);
	strv_addf(lines, "x-amz-content-sha256: %s", EMPTY_HASH);
	strv_addf(lines, "x-amz-date: %s", date);
	if (aws->token)
		strv_addf(lines, "x-amz-security-token: %s", aws->token);
	return 0;
}

static bool good(const struct download_reply *r)
{
	return r->status == 200 || r->status == 206;
}

/* --- listing -------------------------------------------------------------------------------- */

struct walk {
	struct storage *s;
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
	const char *exact; /* a key that, when it comes first, is the source itself; NULL */
	uint64_t seen;
	bool enough; /* stop without an error */
	struct buf last_key;
};

static int emit(const struct s3_entry *entry, void *ctx, struct err *e)
{
	struct walk *w = ctx;
	const struct s3 *k = w->s->state;
	size_t skip = strlen(k->base), n = strlen(entry->key);
	struct storage_object o = { entry->key + skip, entry->bytes, entry->modified_ms,
				    entry->etag };

	buf_reset(&w->last_key);
	buf_adds(&w->last_key, entry->key);
	if (strncmp(entry->key, k->base, skip) != 0)
		return err_set(e, ERR_REMOTE, "the server lists keys that were not asked for");
	/* "folder/" is a console's way to show an empty folder. */
	if (n == skip || entry->key[n - 1] == '/')
		return 0;
	w->seen++;
	if (w->each(&o, w->ctx, e) < 0)
		return -1;
	if (w->seen == 1 && w->exact && strcmp(entry->key, w->exact) == 0) {
		w->s->is_object = true;
		w->enough = true;
		return -1;
	}
	return 0;
}

static void page_query(struct buf *query, const char *prefix, const struct buf *token)
{
	buf_reset(query);
	/* Sorted by name, as the signature wants it. */
	if (token->len > 0) {
		buf_adds(query, "continuation-token=");
		uri_encode(query, token->s, false);
		buf_addc(query, '&');
	}
	buf_adds(query, "encoding-type=url&list-type=2&max-keys=1000&prefix=");
	uri_encode(query, prefix, false);
}

static int get_page(struct walk *w, const char *query, struct buf *page, struct err *e)
{
	struct s3 *k = w->s->state;
	DOWNLOAD_REPLY_AUTO r = { 0 };
	CALL_AUTO c;
	struct download_request request = { .headers = sign, .headers_ctx = &c };

	call_init(&c, k, "GET", NULL, query);
	request.url = c.url.s;
	if (download_text(k->http, &request, page, &r, e) < 0)
		return -1;
	return good(&r) ? 0 : s3error_set(&r, "list", w->s->shown, k->aws.region, e);
}

/* A page that brings neither new keys nor a new place to go on from would be asked for for ever. */
static bool advances(const struct walk *w, const struct buf *before, uint64_t seen_before,
		     const struct buf *token, const struct s3_page *page, unsigned *empty)
{
	if (page->next.len == 0 || strcmp(page->next.s, token->s) == 0)
		return false;
	if (w->seen == seen_before)
		return ++*empty < EMPTY_PAGES_MAX;
	*empty = 0;
	return before->len == 0 || strcmp(before->s, w->last_key.s) != 0;
}

static int list_prefix(struct walk *w, const char *prefix, struct err *e)
{
	BUF_AUTO page_text = BUF_INIT(PAGE_MAX);
	BUF_AUTO query = BUF_INIT(URL_MAX);
	BUF_AUTO token = BUF_INIT(S3_KEY_MAX);
	BUF_AUTO before = BUF_INIT(S3_KEY_MAX);
	struct s3_page page;
	unsigned empty = 0;

	for (;;) {
		uint64_t seen_before = w->seen;
		bool more;

		page_query(&query, prefix, &token);
		if (get_page(w, query.s, &page_text, e) < 0)
			return -1;
		if (s3list_parse(page_text.s, page_text.len, &page, emit, w, e) < 0)
			return w->enough ? 0 : err_wrap(e, "list %s", w->s->shown);
		more = page.truncated && advances(w, &before, seen_before, &token, &page, &empty);
		buf_reset(&token);
		buf_add(&token, page.next.s, page.next.len);
		buf_free(&page.next);
		if (!page.truncated)
			return 0;
		if (!more)
			return err_set(e, ERR_REMOTE,
				       "list %s: the server sends the same page again and again",
				       w->s->shown);
		buf_reset(&before);
		buf_add(&before, w->last_key.s, w->last_key.len);
	}
}

static void set_base(struct s3 *k, char *base)
{
	free(k->base);
	k->base = base;
}

static int list_source(struct walk *w, struct err *e)
{
	struct s3 *k = w->s->state;
	size_t n = strlen(k->prefix);
	AUTO_FREE char *folder = NULL;

	if (n == 0 || k->prefix[n - 1] == '/')
		return list_prefix(w, k->prefix, e);
	folder = xasprintf("%s/", k->prefix);
	set_base(k, xstrdup(folder));
	if (list_prefix(w, folder, e) < 0)
		return -1;
	if (w->seen > 0)
		return 0;
	set_base(k, front_of(k->prefix));
	w->exact = k->prefix;
	return list_prefix(w, k->prefix, e);
}

static int s3_list(struct storage *s,
		   int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		   struct err *e)
{
	struct walk w = { .s = s, .each = each, .ctx = ctx, .last_key = BUF_INIT(S3_KEY_MAX) };
	int rc = list_source(&w, e);

	buf_free(&w.last_key);
	return rc;
}

/* --- objects -------------------------------------------------------------------------------- */

static int run_on_object(struct storage *s, const char *name, struct download_request request,
			 struct download_reply *r, struct err *e)
{
	struct s3 *k = s->state;
	AUTO_FREE char *key = xasprintf("%s%s", k->base, name);
	AUTO_FREE char *shown = xasprintf("s3://%s/%s", k->bucket, key);
	CALL_AUTO c;

	call_init(&c, k, request.head ? "HEAD" : "GET", key, "");
	request.url = c.url.s;
	request.headers = sign;
	request.headers_ctx = &c;
	if (c.url.full || c.path.full)
		return err_set(e, ERR_USAGE, "get %s: the key is too long", shown);
	if (download_run(k->http, &request, r, e) < 0)
		return -1;
	return good(r) ? 0 : s3error_set(r, "get", shown, k->aws.region, e);
}

static int s3_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	struct download_request request = { .head = true, .count = -1 };

	if (run_on_object(s, name, request, &r, e) < 0)
		return -1;
	download_describe(&r, out);
	return 0;
}

static int s3_read(struct storage *s, const char *name, const char *etag, int64_t from,
		   int64_t count, const struct storage_sink *sink, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	struct download_request request = {
		.from = from, .count = count, .etag = etag, .sink = sink
	};

	return run_on_object(s, name, request, &r, e);
}

static const char *const schemes[] = { "s3", NULL };

const struct storage_driver storage_s3 = {
	.schemes = schemes,
	.form = "s3://BUCKET/PREFIX",
	.open = s3_open,
	.list = s3_list,
	.stat = s3_stat,
	.read = s3_read,
	.clone = s3_clone,
	.close = s3_close,
};
