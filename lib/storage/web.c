/*
 * The storage on a web server: an object, or the index page of a directory (a URL that ends in '/',
 * or that the server redirects there; index.h says which pages, walk.h what is looked for below).
 */
#include "lib/base/xmem.h"
#include "lib/storage/download.h"
#include "lib/storage/driver.h"
#include "lib/storage/index.h"
#include "lib/storage/uri.h"
#include "lib/storage/walk.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { URL_MAX = 16 * 1024 };

struct web {
	struct downloader *http;
	char *url;  /* of the object, or of the place with its '/' at the end */
	char *path; /* the URL's path, as it is written there */
};

static void web_close(void *state)
{
	struct web *w = state;

	download_close(w->http);
	free(w->url);
	free(w->path);
	free(w);
}

static bool is_place(const struct web *w)
{
	size_t n = strlen(w->url);

	return n > 0 && w->url[n - 1] == '/';
}

static char *url_path(const char *url)
{
	CURLU *u = curl_url();
	char *path = NULL, *copy = NULL;

	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
	    curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK)
		copy = xstrdup(path);
	curl_free(path);
	curl_url_cleanup(u);
	return copy;
}

/* The last part of the path; the host where there is none. */
static char *base_name(const char *path, const char *shown_url)
{
	BUF_AUTO name = BUF_INIT(URL_MAX);
	size_t end = strlen(path), start;

	while (end > 0 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	if (start == end || !uri_decode(&name, path + start, end - start, false))
		return xstrdup(shown_url);
	return xstrdup(name.s);
}

static int web_open(struct storage *s, const char *source, struct err *e)
{
	BUF_AUTO shown = BUF_INIT(URL_MAX);
	struct download_config config = { .limits = s->options, .login = true, .redirects = true };
	struct web *w = xcalloc(1, sizeof(*w));

	uri_shown(&shown, source);
	s->state = w;
	s->shown = xstrdup(shown.s);
	w->url = xstrndup(source, strcspn(source, "#"));
	w->path = url_path(source);
	if (w->path == NULL || shown.full)
		return err_set(e, ERR_USAGE, "open %s: not a URL", shown.s);
	s->base_name = base_name(w->path, shown.s);
	w->http = download_open(&config, e);
	return w->http ? 0 : -1;
}

static int web_clone(const struct storage *of, struct storage *s, struct err *e)
{
	const struct web *from = of->state;
	struct web *w = xcalloc(1, sizeof(*w));

	s->state = w;
	w->url = xstrdup(from->url);
	w->path = xstrdup(from->path);
	w->http = download_clone(from->http, e);
	return w->http ? 0 : -1;
}

static void object_url(const struct storage *s, const char *name, struct buf *out)
{
	const struct web *w = s->state;

	buf_adds(out, w->url);
	if (!s->is_object) {
		uri_encode(out, name, true);
	} else if (strncmp(name, s->base_name, strlen(s->base_name)) == 0) {
		/* A sidecar. Where there is a query, it is that of the one object. */
		uri_encode(out, name + strlen(s->base_name), true);
	}
}

/* What a refusal means: absent objects are a finding, everything else is not having looked. */
static int refused(const char *url, const struct download_reply *r, bool object, struct err *e)
{
	BUF_AUTO shown = BUF_INIT(URL_MAX);

	uri_shown(&shown, url);
	switch (r->status) {
	case 401:
	case 403:
		return err_set(
			e, ERR_REMOTE,
			"get %s: the server refuses (%ld); does it want a user and password, "
			"or another address?",
			shown.s, r->status);
	case 404:
	case 410:
		return err_set(e, object ? ERR_BACKUP : ERR_REMOTE,
			       "get %s: there is no such %s (%ld)", shown.s,
			       object ? "file" : "page", r->status);
	case 412:
		return err_set(e, ERR_REMOTE, "get %s: it was replaced meanwhile; run it again",
			       shown.s);
	default:
		return err_set(e, ERR_REMOTE,
			       "get %s: the server answers with status %ld (asked %u %s)", shown.s,
			       r->status, r->attempts, r->attempts == 1 ? "time" : "times");
	}
}

static bool good(const struct download_reply *r)
{
	return r->status == 200 || r->status == 206;
}

/* HEAD; where that is not allowed (a presigned URL is signed for GET) the first byte. */
static int ask(struct web *w, const char *url, struct download_reply *r, struct err *e)
{
	struct download_request request = { .url = url, .head = true, .count = -1 };

	if (download_run(w->http, &request, r, e) < 0)
		return -1;
	if (r->status != 403 && r->status != 405 && r->status != 501)
		return 0;
	download_reply_free(r);
	request = (struct download_request){ .url = url, .count = 1 };
	return download_run(w->http, &request, r, e);
}

static int web_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	BUF_AUTO url = BUF_INIT(URL_MAX);
	DOWNLOAD_REPLY_AUTO r = { 0 };

	object_url(s, name, &url);
	if (s->is_object && strchr(url.s, '?') && strcmp(name, s->base_name) != 0)
		return err_set(e, ERR_BACKUP, "get %s: a query names one file only", s->shown);
	if (ask(s->state, url.s, &r, e) < 0)
		return -1;
	if (!good(&r))
		return refused(url.s, &r, true, e);
	download_describe(&r, out);
	return 0;
}

/* --- listing ------------------------------------------------------------------------------- */

static int get_page(struct storage *s, const char *below, struct buf *page, struct err *e)
{
	const struct web *w = s->state;
	BUF_AUTO url = BUF_INIT(URL_MAX);
	DOWNLOAD_REPLY_AUTO r = { 0 };
	struct download_request request = { .url = NULL };

	buf_adds(&url, w->url);
	if (below[0]) {
		uri_encode(&url, below, true);
		buf_addc(&url, '/');
	}
	request.url = url.s;
	if (download_text(w->http, &request, page, &r, e) < 0)
		return -1;
	return good(&r) ? 0 : refused(url.s, &r, false, e);
}

/* Who is to hear of the entries. */
struct listener {
	int (*each)(const struct walk_entry *entry, void *ctx, struct err *e);
	void *ctx;
};

static int tell(const struct index_entry *found, void *ctx, struct err *e)
{
	const struct listener *to = ctx;
	const struct walk_entry entry = { .name = found->name,
					  .directory = found->directory,
					  .bytes = found->bytes,
					  .modified_ms = found->modified_ms };

	return to->each(&entry, to->ctx, e);
}

static int parse_page(struct storage *s, const char *below, const struct buf *page,
		      int (*each)(const struct walk_entry *entry, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	const struct web *w = s->state;
	struct listener to = { each, ctx };
	BUF_AUTO base = BUF_INIT(URL_MAX);

	buf_adds(&base, w->path);
	if (below[0]) {
		uri_encode(&base, below, true);
		buf_addc(&base, '/');
	}
	return index_parse(page->s, page->len, base.s, tell, &to, e);
}

static const struct walk_pages pages = { .get = get_page, .parse = parse_page };

static int see_date(const struct walk_entry *entry, void *ctx, struct err *e)
{
	bool *dated = ctx;

	(void)e;
	*dated |= entry->modified_ms >= 0;
	return 0;
}

static int list_place(struct storage *s,
		      int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		      void *ctx, struct err *e)
{
	BUF_AUTO page = BUF_INIT(WALK_PAGE_MAX);
	bool dated = false;

	if (get_page(s, "", &page, e) < 0 || parse_page(s, "", &page, see_date, &dated, e) < 0)
		return -1;
	if (dated || index_is_listing(page.s, page.len))
		return walk(s, &pages, &page, each, ctx, e);
	return err_set(e, ERR_REMOTE,
		       "list %s: the page is no directory index of nginx or Apache; is autoindex "
		       "on, and is no login in front of it?",
		       s->shown);
}

/* A directory without its '/' is redirected to the URL with it. */
static bool leads_to_place(const struct download_reply *r)
{
	size_t n = strcspn(r->url.s, "?#");

	return n > 0 && r->url.s[n - 1] == '/';
}

static void become_place(struct web *w)
{
	char *url = xasprintf("%s/", w->url), *path = xasprintf("%s/", w->path);

	free(w->url);
	free(w->path);
	w->url = url;
	w->path = path;
}

static int web_list(struct storage *s,
		    int (*each)(const struct storage_object *o, void *ctx, struct err *e),
		    void *ctx, struct err *e)
{
	struct web *w = s->state;
	struct storage_object o = { s->base_name, -1, -1, "", NULL };
	DOWNLOAD_REPLY_AUTO r = { 0 };

	if (is_place(w))
		return list_place(s, each, ctx, e);
	if (ask(w, w->url, &r, e) < 0)
		return -1;
	if (!good(&r))
		return refused(w->url, &r, true, e);
	if (leads_to_place(&r) && strchr(w->url, '?') == NULL) {
		become_place(w);
		return list_place(s, each, ctx, e);
	}
	s->is_object = true;
	o.bytes = r.bytes;
	o.modified_ms = r.modified_ms;
	o.etag = r.etag;
	return each(&o, ctx, e);
}

static int web_read(struct storage *s, const char *name, const char *etag, int64_t from,
		    int64_t count, const struct storage_sink *sink, struct err *e)
{
	struct web *w = s->state;
	BUF_AUTO url = BUF_INIT(URL_MAX);
	DOWNLOAD_REPLY_AUTO r = { 0 };
	struct download_request request = {
		.from = from, .count = count, .etag = etag, .sink = sink
	};

	object_url(s, name, &url);
	request.url = url.s;
	if (download_run(w->http, &request, &r, e) < 0)
		return -1;
	return good(&r) ? 0 : refused(url.s, &r, true, e);
}

static const char *const schemes[] = { "https", "http", NULL };

const struct storage_driver storage_web = {
	.schemes = schemes,
	.form = "https://HOST/PATH",
	.open = web_open,
	.list = web_list,
	.stat = web_stat,
	.read = web_read,
	.in_place = true,
	.clone = web_clone,
	.close = web_close,
};
