#include "lib/storage/azure_list.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"
#include "lib/storage/xmlread.h"

#include <string.h>

/* A page while it is read. */
struct reader {
	keyspace_each *each;
	void *ctx;
	struct buf *next;
	struct buf name, etag;
	int64_t bytes, modified_ms;
	bool directory;
};

static void forget(struct reader *r)
{
	buf_reset(&r->name);
	buf_reset(&r->etag);
	r->bytes = r->modified_ms = -1;
	r->directory = false;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	buf_add(to, from->s, from->len);
}

static void end_of_blob(struct xmlread *x, struct reader *r)
{
	const struct keyspace_entry entry = { r->name.s, r->etag.s, r->bytes, r->modified_ms };

	if (r->directory)
		return;
	if (r->name.len == 0 || r->bytes < 0)
		xmlread_fail(x, "a blob without Name or Content-Length");
	else if (r->each(&entry, r->ctx, x->e) < 0)
		xmlread_stop(x);
}

/* A name that XML cannot hold is percent-encoded, and says so. */
static void take_name(struct xmlread *x, struct reader *r)
{
	copy(&r->name, &x->text);
	if (!x->encoded)
		return;
	buf_reset(&r->name);
	if (!uri_decode(&r->name, x->text.s, x->text.len, false))
		xmlread_fail(x, "a name is not encoded as the listing says");
}

static void take_property(struct xmlread *x, struct reader *r)
{
	struct err ignored;
	uint64_t n;

	if (xmlread_at(x, 5, "Content-Length")) {
		if (num_u64(x->text.s, 0, INT64_MAX, &n, &ignored) == 0)
			r->bytes = (int64_t)n;
	} else if (xmlread_at(x, 5, "Last-Modified")) {
		if (!utc_parse_http(x->text.s, &r->modified_ms))
			r->modified_ms = -1;
	} else if (xmlread_at(x, 5, "Etag")) {
		/* Here without the quotes that the header has. */
		buf_reset(&r->etag);
		if (x->text.len > 0)
			buf_addf(&r->etag, x->text.s[0] == '"' ? "%s" : "\"%s\"", x->text.s);
	} else if (xmlread_at(x, 5, "ResourceType")) {
		r->directory = strcmp(x->text.s, "directory") == 0;
	}
}

static void end_of_word(struct xmlread *x, void *ctx)
{
	struct reader *r = ctx;

	if (x->depth == 1 && !xmlread_in(x, 1, "EnumerationResults"))
		xmlread_fail(x, "the answer is no list of blobs; is the endpoint that of Azure?");
	else if (xmlread_at(x, 2, "NextMarker"))
		copy(r->next, &x->text);
	else if (x->depth < 3 || !xmlread_in(x, 2, "Blobs") || !xmlread_in(x, 3, "Blob"))
		return;
	else if (xmlread_at(x, 4, "Name"))
		take_name(x, r);
	else if (x->depth == 5 && xmlread_in(x, 4, "Properties"))
		take_property(x, r);
	else if (x->depth == 3) {
		end_of_blob(x, r);
		forget(r);
	}
}

int azure_list_parse(const char *xml, size_t len, keyspace_each *each, void *ctx, struct buf *next,
		     struct err *e)
{
	struct reader r = { .each = each,
			    .ctx = ctx,
			    .next = next,
			    .name = BUF_INIT(KEYSPACE_KEY_MAX),
			    .etag = BUF_INIT(KEYSPACE_KEY_MAX) };
	int rc;

	forget(&r);
	buf_reset(next);
	/* Before the first element there may be a byte order mark; expat takes that. */
	rc = xmlread_run(xml, len, end_of_word, &r, e);
	buf_free(&r.name);
	buf_free(&r.etag);
	return rc;
}
