/*
 * The storage in S3 and whatever speaks like it: s3://bucket/prefix, and gs://bucket/prefix for
 * Google Cloud Storage. s3server.h says how it is reached, keyspace.h what a prefix means.
 */
#include "lib/base/xmem.h"
#include "lib/storage/download.h"
#include "lib/storage/driver.h"
#include "lib/storage/keyspace.h"
#include "lib/storage/s3list.h"
#include "lib/storage/s3server.h"
#include "lib/storage/uri.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUERY_MAX = 32 * 1024,
	PAGE_MAX = 16 * 1024 * 1024, /* 1000 keys of 1 KiB, encoded and described */
};

struct s3 {
	struct s3server *server;
	char *place; /* "s3://bucket/" */
	struct keyspace keys;
};

static void s3_close(void *state)
{
	struct s3 *k = state;

	s3server_close(k->server);
	free(k->place);
	keyspace_free(&k->keys);
	free(k);
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
	keyspace_init(&k->keys, rest + (rest[0] == '/'));
	s->base_name = keyspace_base_name(&k->keys, bucket);
	if (n == 0)
		return err_set(e, ERR_USAGE,
			       "open %s: it names no bucket; write s3://BUCKET/PREFIX", source);
	if (strlen(k->keys.prefix) > STORAGE_NAME_MAX)
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
	keyspace_copy(&k->keys, &from->keys);
	k->server = s3server_clone(from->server, e);
	return k->server ? 0 : -1;
}

/* --- listing -------------------------------------------------------------------------------- */

/* The list's storage is the page function's server: it knows what to call things in messages. */
static int get_page(void *server, const char *prefix, const char *token, keyspace_each *each,
		    void *each_ctx, struct buf *next, struct err *e)
{
	struct storage *s = server;
	struct s3 *k = s->state;
	BUF_AUTO text = BUF_INIT(PAGE_MAX);
	BUF_AUTO query = BUF_INIT(QUERY_MAX);
	struct s3_call call = { .verb = "list", .shown = s->shown };
	struct s3_page page = { 0 };

	/* Sorted by name, as the signature wants it. */
	if (token[0]) {
		buf_adds(&query, "continuation-token=");
		uri_encode(&query, token, false);
		buf_addc(&query, '&');
	}
	buf_adds(&query, "encoding-type=url&list-type=2&max-keys=1000&prefix=");
	uri_encode(&query, prefix, false);
	call.query = query.s;
	if (s3server_text(k->server, &call, &text, e) < 0)
		return -1;
	if (s3list_parse(text.s, text.len, &page, each, each_ctx, e) < 0)
		return err_wrap(e, "list %s", s->shown);
	if (page.truncated)
		buf_add(next, page.next.s, page.next.len);
	buf_free(&page.next);
	if (page.truncated && next->len == 0)
		return err_set(e, ERR_REMOTE, "list %s: the server does not say how to go on",
			       s->shown);
	return 0;
}

static int s3_list(struct storage *s,
		   int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		   struct err *e)
{
	struct s3 *k = s->state;

	return keyspace_list(&k->keys, s, get_page, s, each, ctx, e);
}

/* --- objects -------------------------------------------------------------------------------- */

static int run_on_object(struct storage *s, const char *name, const char *query,
			 struct download_request request, struct download_reply *r, struct err *e)
{
	struct s3 *k = s->state;
	AUTO_FREE char *key = keyspace_key(&k->keys, name);
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
