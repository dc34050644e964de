/*
 * The storage on a web server: an object, or the index page of a directory (a URL that ends in '/',
 * or that the server redirects there; index.h says which pages). Directories of the page are looked
 * into for those that are one backup by their content (select_markers), or have a date for a name,
 * one level deep.
 */
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/download.h"
#include "lib/storage/driver.h"
#include "lib/storage/index.h"
#include "lib/storage/select.h"
#include "lib/storage/uri.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MAX = 64 * 1024 * 1024, URL_MAX = 16 * 1024, DEPTH_MAX = 32 };

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

struct walk {
	struct storage *s;
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
	const char *below; /* the directory of this page, "" for the source itself */
	unsigned depth;    /* of it, below the source */
	bool marked;       /* it holds what makes it one backup */
	bool dated;        /* an entry had a date */
};

static int get_page(struct walk *walk, struct buf *page, struct err *e)
{
	struct web *w = walk->s->state;
	BUF_AUTO url = BUF_INIT(URL_MAX);
	DOWNLOAD_REPLY_AUTO r = { 0 };
	struct download_request request = { .url = NULL };

	buf_adds(&url, w->url);
	if (walk->below[0]) {
		uri_encode(&url, walk->below, true);
		buf_addc(&url, '/');
	}
	request.url = url.s;
	if (download_text(w->http, &request, page, &r, e) < 0)
		return -1;
	return good(&r) ? 0 : refused(url.s, &r, false, e);
}

static int parse_page(struct walk *walk, const struct buf *page,
		      int (*each)(const struct index_entry *entry, void *ctx, struct err *e),
		      struct err *e)
{
	const struct web *w = walk->s->state;
	BUF_AUTO base = BUF_INIT(URL_MAX);

	buf_adds(&base, w->path);
	if (walk->below[0]) {
		uri_encode(&base, walk->below, true);
		buf_addc(&base, '/');
	}
	return index_parse(page->s, page->len, base.s, each, walk, e);
}

static int emit(const struct index_entry *entry, void *ctx, struct err *e)
{
	struct walk *walk = ctx;
	BUF_AUTO name = BUF_INIT(STORAGE_NAME_MAX);
	struct storage_object o = { NULL, entry->bytes, entry->modified_ms, "", NULL };

	if (entry->directory)
		return 0;
	buf_addf(&name, "%s%s%s", walk->below, walk->below[0] ? "/" : "", entry->name);
	if (name.full)
		return err_set(e, ERR_REMOTE, "list %s: a name is too long", walk->s->shown);
	o.name = name.s;
	return walk->each(&o, walk->ctx, e);
}

static int look_for_marker(const struct index_entry *entry, void *ctx, struct err *e)
{
	struct walk *walk = ctx;

	(void)e;
	walk->marked |= !entry->directory && select_marked(entry->name) == 0;
	return 0;
}

static int list_below(const struct walk *top, const char *directory, unsigned depth, struct err *e);

/* An entry of any directory of a place all of which is listed. */
static int any_entry(const struct index_entry *entry, void *ctx, struct err *e)
{
	const struct walk *walk = ctx;
	BUF_AUTO name = BUF_INIT(STORAGE_NAME_MAX);

	if (!entry->directory)
		return emit(entry, ctx, e);
	buf_addf(&name, "%s/%s", walk->below, entry->name);
	if (name.full || walk->depth >= DEPTH_MAX)
		return err_set(e, ERR_REMOTE, "list %s: nested too deep", walk->s->shown);
	return list_below(walk, name.s, walk->depth + 1, e);
}

static int list_below(const struct walk *top, const char *directory, unsigned depth, struct err *e)
{
	BUF_AUTO page = BUF_INIT(PAGE_MAX);
	struct walk walk = { top->s, top->each, top->ctx, directory, depth, false, false };
	int64_t ms;
	bool exact;

	if (get_page(&walk, &page, e) < 0)
		return -1;
	if (top->s->options.deep)
		return parse_page(&walk, &page, any_entry, e);
	if (parse_page(&walk, &page, look_for_marker, e) < 0)
		return -1;
	if (!walk.marked && !utc_from_name(directory, &ms, &exact))
		return 0;
	return parse_page(&walk, &page, emit, e);
}

static int top_entry(const struct index_entry *entry, void *ctx, struct err *e)
{
	struct walk *walk = ctx;

	walk->dated |= entry->modified_ms >= 0;
	return entry->directory ? list_below(walk, entry->name, 1, e) : emit(entry, walk, e);
}

static int list_place(struct walk *walk, struct err *e)
{
	BUF_AUTO page = BUF_INIT(PAGE_MAX);

	if (get_page(walk, &page, e) < 0 || parse_page(walk, &page, top_entry, e) < 0)
		return -1;
	if (walk->dated || index_is_listing(page.s, page.len))
		return 0;
	return err_set(e, ERR_REMOTE,
		       "list %s: the page is no directory index of nginx or Apache; is autoindex "
		       "on, and is no login in front of it?",
		       walk->s->shown);
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
	struct walk walk = { s, each, ctx, "", 0, false, false };
	struct storage_object o = { s->base_name, -1, -1, "", NULL };
	DOWNLOAD_REPLY_AUTO r = { 0 };

	if (is_place(w))
		return list_place(&walk, e);
	if (ask(w, w->url, &r, e) < 0)
		return -1;
	if (!good(&r))
		return refused(w->url, &r, true, e);
	if (leads_to_place(&r) && strchr(w->url, '?') == NULL) {
		become_place(w);
		return list_place(&walk, e);
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
