/*
 * The storage in S3 and whatever speaks like it: s3://bucket/prefix, and gs://bucket/prefix for
 * Google Cloud Storage. s3server.h says how it is reached.
 *
 * A prefix that ends in '/', or that has keys below it, is a folder: names are relative to it. Else
 * it is the one object of that key, else every key that begins so ("pg/shop-"), with names relative
 * to the last '/' before.
 */
#include "lib/base/xmem.h"
#include "lib/storage/download.h"
#include "lib/storage/driver.h"
#include "lib/storage/s3list.h"
#include "lib/storage/s3server.h"
#include "lib/storage/uri.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUERY_MAX = 32 * 1024,
	PAGE_MAX = 16 * 1024 * 1024, /* 1000 keys of 1 KiB, encoded and described */
	EMPTY_PAGES_MAX = 100,       /* a server may send some, but not for ever */
};

struct s3 {
	struct s3server *server;
	char *place;  /* "s3://bucket/" */
	char *prefix; /* as in the source */
	char *base;   /* what names are relative to: a beginning of the keys */
};

static void s3_close(void *state)
{
	struct s3 *k = state;

	s3server_close(k->server);
	free(k->place);
	free(k->prefix);
	free(k->base);
	free(k);
}

static char *front_of(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');

	return slash ? xstrndup(prefix, (size_t)(slash + 1 - prefix)) : xstrdup("");
}

static char *name_of(const struct s3 *k, const char *bucket)
{
	size_t n = strlen(k->prefix), start;

	while (n > 0 && k->prefix[n - 1] == '/')
		n--;
	for (start = n; start > 0 && k->prefix[start - 1] != '/'; start--)
		;
	return n > start ? xstrndup(k->prefix + start, n - start) : xstrdup(bucket);
}

static int s3_open(struct storage *s, const char *source, struct err *e)
{
	const size_t scheme = uri_scheme(source) + strlen("://");
	const size_t n = strcspn(source + scheme, "/");
	AUTO_FREE char *bucket = xstrndup(source + scheme, n);
	const char *rest = source + scheme + n;
	struct s3 *k = xcalloc(1, sizeof(*k));

	s->state = k;
	s->shown = xstrdup(source);
	k->place = xasprintf("%.*s/", (int)(scheme + n), source);
	k->prefix = xstrdup(rest + (rest[0] == '/'));
	k->base = front_of(k->prefix);
	s->base_name = name_of(k, bucket);
	if (n == 0)
		return err_set(e, ERR_USAGE,
			       "open %s: it names no bucket; write s3://BUCKET/PREFIX", source);
	if (strlen(k->prefix) > STORAGE_NAME_MAX)
		return err_set(e, ERR_USAGE, "open %s...: the prefix is too long", k->place);
	k->server = s3server_open(bucket, source[0] == 'g' || source[0] == 'G', &s->options, e);
	return k->server ? 0 : err_wrap(e, "open %s", source);
}

static int s3_clone(const struct storage *of, struct storage *s, struct err *e)
{
	const struct s3 *from = of->state;
	struct s3 *k = xcalloc(1, sizeof(*k));

	s->state = k;
	k->place = xstrdup(from->place);
	k->prefix = xstrdup(from->prefix);
	k->base = xstrdup(from->base);
	k->server = s3server_clone(from->server, e);
	return k->server ? 0 : -1;
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
				    entry->etag, NULL };

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
	struct s3 *k = w->s->state;
	BUF_AUTO page_text = BUF_INIT(PAGE_MAX);
	BUF_AUTO query = BUF_INIT(QUERY_MAX);
	BUF_AUTO token = BUF_INIT(S3_KEY_MAX);
	BUF_AUTO before = BUF_INIT(S3_KEY_MAX);
	struct s3_call call = { .verb = "list", .shown = w->s->shown };
	struct s3_page page;
	unsigned empty = 0;

	for (;;) {
		uint64_t seen_before = w->seen;
		bool more;

		page_query(&query, prefix, &token);
		call.query = query.s;
		if (s3server_text(k->server, &call, &page_text, e) < 0)
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

static int run_on_object(struct storage *s, const char *name, const char *query,
			 struct download_request request, struct download_reply *r, struct err *e)
{
	struct s3 *k = s->state;
	AUTO_FREE char *key = xasprintf("%s%s", k->base, name);
	AUTO_FREE char *shown = xasprintf("%s%s", k->place, key);
	const struct s3_call call = { "get", shown, key, query };

	return s3server_run(k->server, &call, request, r, e);
}

/* The length of the first part of an object that was uploaded in several; all but the last are as
 * long. 0 where the server does not say. */
static int64_t part_length(struct storage *s, const char *name)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request request = { .head = true, .count = -1 };
	struct err ignored;

	if (run_on_object(s, name, "partNumber=1", request, &r, &ignored) < 0 ||
	    download_mark(&r, "x-amz-mp-parts-count") == NULL)
		return 0;
	return r.bytes;
}

static int s3_stat(struct storage *s, const char *name, struct storage_stat *out, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request request = { .head = true, .count = -1 };

	if (run_on_object(s, name, "", request, &r, e) < 0)
		return -1;
	download_describe(&r, out);
	if (strchr(out->etag, '-'))
		out->part_bytes = part_length(s, name);
	return 0;
}

static int s3_read(struct storage *s, const char *name, const char *etag, int64_t from,
		   int64_t count, const struct storage_sink *sink, struct err *e)
{
	DOWNLOAD_REPLY_AUTO r = { 0 };
	const struct download_request request = {
		.from = from, .count = count, .etag = etag, .sink = sink
	};

	return run_on_object(s, name, "", request, &r, e);
}

static const char *const schemes[] = { "s3", "gs", NULL };

const struct storage_driver storage_s3 = {
	.schemes = schemes,
	.form = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX",
	.open = s3_open,
	.list = s3_list,
	.stat = s3_stat,
	.read = s3_read,
	.clone = s3_clone,
	.close = s3_close,
};
