/*
 * The storage in containers of Azure Blob Storage: azure://ACCOUNT/CONTAINER/PREFIX or the https
 * form of that. azure_account.h says where the right to read comes from, keyspace.h what a prefix
 * means.
 */
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/azure_account.h"
#include "lib/storage/azure_error.h"
#include "lib/storage/azure_list.h"
#include "lib/storage/azure_sign.h"
#include "lib/storage/driver.h"
#include "lib/storage/gunzip.h"
#include "lib/storage/keyspace.h"
#include "lib/storage/uri.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	URL_MAX = 32 * 1024,
	HEADER_MAX = 8 * 1024,
	PAGE_MAX = 32 * 1024 * 1024, /* 5000 names of 1 KiB, encoded and described */
};

/* The newest that both the service and its emulator know. */
#define API_VERSION "2021-12-02"

struct azure {
	struct azure_account account;
	struct keyspace keys;
	struct downloader *http;
	char *root; /* path of the container in the URL, encoded */
	char *host; /* "https://shop.blob.core.windows.net": what stands before it */
};

static void azure_close(void *state)
{
	struct azure *k = state;

	download_close(k->http);
	azure_account_free(&k->account);
	keyspace_free(&k->keys);
	free(k->root);
	free(k->host);
	free(k);
}

/* The emulator has the account in the path of its endpoint. */
static void find_root(struct azure *k)
{
	const char *endpoint = k->account.endpoint;
	const size_t scheme = uri_scheme(endpoint) + strlen("://");
	const size_t n = scheme + strcspn(endpoint + scheme, "/");
	BUF_AUTO path = BUF_INIT(URL_MAX);

	buf_addf(&path, "%s/", endpoint + n);
	uri_encode(&path, k->account.container, false);
	k->host = xstrndup(endpoint, n);
	k->root = xstrdup(path.s);
}

static int azure_open(struct storage *s, const char *source, struct err *e)
{
	const struct download_config config = { .limits = s->options };
	BUF_AUTO shown = BUF_INIT(URL_MAX);
	struct azure *k = xcalloc(1, sizeof(*k));

	s->state = k;
	uri_shown(&shown, source);
	/* A name may have a '?', and with azure:// nothing is a secret. */
	s->shown = xstrdup(strncasecmp(source, "azure:", 6) == 0 ? source : shown.s);
	if (azure_account_load(&k->account, source, e) < 0)
		return -1;
	keyspace_init(&k->keys, k->account.prefix);
	s->base_name = keyspace_base_name(&k->keys, k->account.container);
	if (strlen(k->keys.prefix) > STORAGE_NAME_MAX)
		return err_set(e, ERR_USAGE, "open %s: the prefix is too long", shown.s);
	find_root(k);
	k->http = download_open(&config, e);
	return k->http ? 0 : -1;
}

static int azure_clone(const struct storage *of, struct storage *s, struct err *e)
{
	const struct azure *from = of->state;
	struct azure *k = xcalloc(1, sizeof(*k));

	s->state = k;
	azure_account_copy(&k->account, &from->account);
	keyspace_copy(&k->keys, &from->keys);
	k->root = xstrdup(from->root);
	k->host = xstrdup(from->host);
	k->http = download_clone(from->http, e);
	return k->http ? 0 : -1;
}

/* --- requests ------------------------------------------------------------------------------- */

struct call {
	const struct azure *k;
	const char *method;
	const struct azure_pair *query;
	size_t n_query;
	struct buf path, url;
};

static void call_free(struct call *c)
{
	buf_free(&c->path);
	/* The SAS is in it. */
	buf_wipe(&c->url);
}
#define CALL_AUTO __attribute__((cleanup(call_free))) struct call

/* blob NULL: the container itself. */
static void call_init(struct call *c, const struct azure *k, const char *method, const char *blob,
		      const struct azure_pair *query, size_t n_query)
{
	*c = (struct call){ k, method, query, n_query, BUF_INIT(URL_MAX), BUF_INIT(URL_MAX) };
	buf_adds(&c->path, k->root);
	if (blob) {
		buf_addc(&c->path, '/');
		uri_encode(&c->path, blob, true);
	}
	buf_addf(&c->url, "%s%s", k->host, c->path.s);
	for (size_t i = 0; i < n_query; i++) {
		buf_addf(&c->url, "%c%s=", i ? '&' : '?', query[i].name);
		uri_encode(&c->url, query[i].value, false);
	}
	if (k->account.sas)
		buf_addf(&c->url, "%c%s", n_query ? '&' : '?', k->account.sas);
}

/* The value of a header that is already among the lines, "" for none. */
static const char *value_of(const struct strv *lines, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; i < lines->n; i++)
		if (strncmp(lines->v[i], name, n) == 0)
			return lines->v[i] + n;
	return "";
}

static int add_headers(void *ctx, struct strv *lines, struct err *e)
{
	const struct call *c = ctx;
	const struct azure_account *account = &c->k->account;
	BUF_AUTO line = BUF_INIT(HEADER_MAX);
	char date[UTC_SIZE];
	const struct azure_request request = { .method = c->method,
					       .path = c->path.s,
					       .query = c->query,
					       .n_query = c->n_query,
					       .range = value_of(lines, "Range: "),
					       .if_match = value_of(lines, "If-Match: "),
					       .date = date,
					       .version = API_VERSION };

	/* The real clock, whatever --now says: the server compares it with its own. */
	(void)utc_format_http((int64_t)time(NULL) * 1000, date);
	if (account->key) {
		buf_adds(&line, "Authorization: ");
		if (azure_sign(account->name, account->key, &request, &line, e) < 0)
			return -1;
		strv_add(lines, line.s);
	}
	strv_addf(lines, "x-ms-date: %s", date);
	strv_add(lines, "x-ms-version: " API_VERSION);
	return 0;
}

static bool good(const struct download_reply *r)
{
	return r->status == 200 || r->status == 206;
}

/* --- listing -------------------------------------------------------------------------------- */

static int get_text(struct storage *s, const struct azure_pair *query, size_t n, struct buf *text,
		    struct err *e)
{
	struct azure *k = s->state;
	const struct azure_asked asked = { "list", s->shown, &k->account, NULL };
	DOWNLOAD_REPLY_AUTO r = { 0 };
	CALL_AUTO c;
	struct download_request request = { .headers = add_headers, .headers_ctx = &c };

	call_init(&c, k, "GET", NULL, query, n);
	request.url = c.url.s;
	if (download_text(k->http, &request, text, &r, e) < 0)
		return -1;
	if (!good(&r))
		return azure_error_set(&r, &asked, e);
	return gunzip_text(text, e) < 0 ? err_wrap(e, "list %s", s->shown) : 0;
}

static int get_page(void *server, const char *prefix, const char *token, keyspace_each *each,
		    void *each_ctx, struct buf *next, struct err *e)
{
	struct storage *s = server;
	BUF_AUTO text = BUF_INIT(PAGE_MAX);
	/* Sorted by name, as the signature wants them. */
	const struct azure_pair first[] = { { "comp", "list" },
					    { "prefix", prefix },
					    { "restype", "container" } };
	const struct azure_pair later[] = { { "comp", "list" },
					    { "marker", token },
					    { "prefix", prefix },
					    { "restype", "container" } };

	if ((token[0] ? get_text(s, later, 4, &text, e) : get_text(s, first, 3, &text, e)) < 0)
		return -1;
	if (azure_list_parse(text.s, text.len, each, each_ctx, next, e) < 0)
		return err_wrap(e, "list %s", s->shown);
	return 0;
}

static int azure_list(struct storage *s,
		      int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	struct azure *k = s->state;

	return keyspace_list(&k->keys, s, get_page, s, each, ctx, e);
}

/* --- objects -------------------------------------------------------------------------------- */

static int run_on_blob(struct storage *s, const char *name, struct download_request request,
		       struct download_reply *r, struct err *e)
{
	struct azure *k = s->state;
	AUTO_FREE char *blob = keyspace_key(&k->keys, name);
	AUTO_FREE char *shown =
		xasprintf("azure://%s/%s/%s", k->account.name, k->account.container, blob);
	const struct azure_asked asked = { "get", shown, &k->account, blob };
	CALL_AUTO c;

	call_init(&c, k, request.head ? "HEAD" : "GET", blob, NULL, 0);
	request.url = c.url.s;
	request.headers = add_headers;
	request.headers_ctx = &c;
	if (c.url.full || c.path.full)
		return err_set(e, ERR_USAGE, "get %s: the name is too long", shown);
	if (download_run(k->http, &request, r, e) < 0)
		return -1;
	/* HEAD of an archived blob is good: that it cannot be read shall be said before it is
	 * tried. */
	if (good(r) && !(request.head && azure_error_archived(r)))
		return 0;
	return azure_error_set(r, &asked, e);
}

static int azure_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request request = { .head = true, .count = -1 };

	if (run_on_blob(s, name, request, &r, e) < 0)
		return -1;
	download_describe(&r, out);
	return 0;
}

static int azure_read(struct storage *s, const char *name, const char *etag, int64_t from,
		      int64_t count, const struct storage_sink *sink, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request request = {
		.from = from, .count = count, .etag = etag, .sink = sink
	};

	return run_on_blob(s, name, request, &r, e);
}

static const char *const schemes[] = { "azure", "https", NULL };

const struct storage_driver storage_azure = {
	.schemes = schemes,
	.form = "azure://ACCOUNT/CONTAINER/PREFIX",
	.claims = azure_account_claims,
	.open = azure_open,
	.list = azure_list,
	.stat = azure_stat,
	.read = azure_read,
	.clone = azure_clone,
	.close = azure_close,
};
