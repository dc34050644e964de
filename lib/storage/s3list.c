#include "lib/storage/s3list.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"
#include "lib/storage/xmlread.h"

#include <string.h>

/* A page while it is read. */
struct reader {
	struct s3_page *page;
	keyspace_each *each;
	void *ctx;
	struct buf key, etag;
	int64_t bytes, modified_ms;
};

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	buf_add(to, from->s, from->len);
}

static void end_of_page_word(struct xmlread *x, void *ctx)
{
	struct s3_page *page = ctx;

	if (xmlread_at(x, 2, "EncodingType"))
		page->encoded = strcmp(x->text.s, "url") == 0;
	else if (xmlread_at(x, 2, "IsTruncated"))
		page->truncated = strcmp(x->text.s, "true") == 0;
	else if (xmlread_at(x, 2, "NextContinuationToken"))
		copy(&page->next, &x->text);
	else if (x->depth == 1 && !xmlread_in(x, 1, "ListBucketResult"))
		xmlread_fail(x, "the answer is no S3 listing; is the endpoint an S3 server?");
}

static void emit(struct xmlread *x, struct reader *r)
{
	BUF_AUTO decoded = BUF_INIT(KEYSPACE_KEY_MAX);
	struct keyspace_entry entry = { r->key.s, r->etag.s, r->bytes, r->modified_ms };

	if (r->page->encoded) {
		if (!uri_decode(&decoded, r->key.s, r->key.len, true)) {
			xmlread_fail(x, "a key is not encoded as the listing says");
			return;
		}
		entry.key = decoded.s;
	}
	if (r->key.len == 0 || r->bytes < 0)
		xmlread_fail(x, "an entry without Key or Size");
	else if (r->each(&entry, r->ctx, x->e) < 0)
		xmlread_stop(x);
}

static void end_of_entry_word(struct xmlread *x, void *ctx)
{
	struct reader *r = ctx;
	struct err ignored;
	uint64_t n;

	if (x->depth < 2 || x->depth > 3 || !xmlread_in(x, 2, "Contents"))
		return;
	if (x->depth == 2) {
		emit(x, r);
		buf_reset(&r->key);
		buf_reset(&r->etag);
		r->bytes = r->modified_ms = -1;
	} else if (xmlread_at(x, 3, "Key")) {
		copy(&r->key, &x->text);
	} else if (xmlread_at(x, 3, "ETag")) {
		copy(&r->etag, &x->text);
	} else if (xmlread_at(x, 3, "Size")) {
		if (num_u64(x->text.s, 0, INT64_MAX, &n, &ignored) == 0)
			r->bytes = (int64_t)n;
	} else if (xmlread_at(x, 3, "LastModified") && !utc_parse(x->text.s, &r->modified_ms)) {
		r->modified_ms = -1;
	}
}

int s3list_parse(const char *xml, size_t len, struct s3_page *page, keyspace_each *each, void *ctx,
		 struct err *e)
{
	struct reader r = { page, each, ctx, BUF_INIT(KEYSPACE_KEY_MAX), BUF_INIT(KEYSPACE_KEY_MAX),
			    -1,   -1 };
	int rc;

	*page = (struct s3_page){ .next = BUF_INIT(KEYSPACE_KEY_MAX) };
	rc = xmlread_run(xml, len, end_of_page_word, page, e);
	if (rc == 0)
		rc = xmlread_run(xml, len, end_of_entry_word, &r, e);
	if (rc < 0)
		buf_free(&page->next);
	buf_free(&r.key);
	buf_free(&r.etag);
	return rc;
}

static void end_of_error_word(struct xmlread *x, void *ctx)
{
	struct s3_error *out = ctx;
	/* S3 has Error at the top, STS inside of ErrorResponse. */
	const int top = xmlread_in(x, 1, "ErrorResponse") ? 2 : 1;
	const struct {
		const char *name;
		char *to;
		size_t size;
	} words[] = {
		{ "Code", out->code, sizeof(out->code) },
		{ "Message", out->message, sizeof(out->message) },
		{ "Region", out->region, sizeof(out->region) },
		{ "Endpoint", out->endpoint, sizeof(out->endpoint) },
		{ "StorageClass", out->storage_class, sizeof(out->storage_class) },
	};

	if (!xmlread_in(x, top, "Error"))
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (xmlread_at(x, top + 1, words[i].name))
			(void)snprintf(words[i].to, words[i].size, "%s", x->text.s);
}

void s3list_error(const char *xml, size_t len, struct s3_error *out)
{
	struct err ignored;

	*out = (struct s3_error){ 0 };
	/* Half an error document is better than none: what was read so far stays. */
	(void)xmlread_run(xml, len, end_of_error_word, out, &ignored);
}
