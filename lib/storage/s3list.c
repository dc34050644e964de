#include "lib/storage/s3list.h"

#include "lib/base/num.h"
#include "lib/base/utc.h"
#include "lib/storage/uri.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

enum { DEPTH_MAX = 8, NAME_SIZE = 48 };

/* Where in the document the reader is, and the text of the innermost element. */
struct reader {
	XML_Parser parser;
	char path[DEPTH_MAX][NAME_SIZE];
	int depth; /* open elements, may exceed DEPTH_MAX */
	struct buf text;
	/* What to do when an element ends; depth still counts it. */
	void (*end)(struct reader *r);
	struct err *e;
	bool failed; /* *e is filled */

	struct s3_page *page;
	int (*each)(const struct s3_entry *entry, void *ctx, struct err *e);
	void *ctx;
	struct buf key, etag;
	int64_t bytes, modified_ms;

	struct s3_error *error;
};

static void fail(struct reader *r, const char *what)
{
	if (!r->failed)
		(void)err_set(r->e, ERR_REMOTE, "%s", what);
	r->failed = true;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* Some servers prefix the names ("s3:Key"), AWS does not. */
static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = ctx;

	(void)attributes;
	if (r->depth < DEPTH_MAX)
		(void)snprintf(r->path[r->depth], NAME_SIZE, "%.*s", NAME_SIZE - 1,
			       local_name(name));
	r->depth++;
	buf_reset(&r->text);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reader *r = ctx;

	(void)name;
	if (r->text.full)
		fail(r, "a value is longer than any S3 key");
	else if (r->depth <= DEPTH_MAX)
		r->end(r);
	r->depth--;
	buf_reset(&r->text);
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct reader *r = ctx;

	buf_add(&r->text, s, (size_t)n);
}

/* Entities of its own make a listing no listing (and could make it endless). */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid,
			       const XML_Char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	fail(ctx, "a document with a DOCTYPE is no S3 answer");
}

static bool at(const struct reader *r, int depth, const char *name)
{
	return r->depth == depth && strcmp(r->path[depth - 1], name) == 0;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	buf_add(to, from->s, from->len);
}

static void end_of_page_word(struct reader *r)
{
	if (at(r, 2, "EncodingType"))
		r->page->encoded = strcmp(r->text.s, "url") == 0;
	else if (at(r, 2, "IsTruncated"))
		r->page->truncated = strcmp(r->text.s, "true") == 0;
	else if (at(r, 2, "NextContinuationToken"))
		copy(&r->page->next, &r->text);
	else if (r->depth == 1 && strcmp(r->path[0], "ListBucketResult") != 0)
		fail(r, "the answer is no S3 listing; is the endpoint an S3 server?");
}

static void emit(struct reader *r)
{
	BUF_AUTO decoded = BUF_INIT(S3_KEY_MAX);
	struct s3_entry entry = { r->key.s, r->etag.s, r->bytes, r->modified_ms };

	if (r->page->encoded) {
		if (!uri_decode(&decoded, r->key.s, r->key.len, true)) {
			fail(r, "a key is not encoded as the listing says");
			return;
		}
		entry.key = decoded.s;
	}
	if (r->key.len == 0 || r->bytes < 0) {
		fail(r, "an entry without Key or Size");
		return;
	}
	if (r->each(&entry, r->ctx, r->e) < 0) {
		r->failed = true;
		(void)XML_StopParser(r->parser, XML_FALSE);
	}
}

static void end_of_entry_word(struct reader *r)
{
	struct err ignored;
	uint64_t n;

	if (strcmp(r->path[1], "Contents") != 0 || r->depth < 2 || r->depth > 3)
		return;
	if (r->depth == 2) {
		emit(r);
		buf_reset(&r->key);
		buf_reset(&r->etag);
		r->bytes = r->modified_ms = -1;
	} else if (at(r, 3, "Key")) {
		copy(&r->key, &r->text);
	} else if (at(r, 3, "ETag")) {
		copy(&r->etag, &r->text);
	} else if (at(r, 3, "Size")) {
		if (num_u64(r->text.s, 0, INT64_MAX, &n, &ignored) == 0)
			r->bytes = (int64_t)n;
	} else if (at(r, 3, "LastModified") && !utc_parse(r->text.s, &r->modified_ms)) {
		r->modified_ms = -1;
	}
}

static int parse(struct reader *r, const char *xml, size_t len)
{
	enum XML_Status status;

	r->parser = XML_ParserCreate("UTF-8");
	if (r->parser == NULL)
		return err_set(r->e, ERR_SYSTEM, "out of memory");
	r->text = r->key = r->etag = (struct buf)BUF_INIT(S3_KEY_MAX);
	r->bytes = r->modified_ms = -1;
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	status = len > INT_MAX ? XML_STATUS_ERROR : XML_Parse(r->parser, xml, (int)len, 1);
	if (status != XML_STATUS_OK && !r->failed) {
		r->failed = true;
		(void)err_set(r->e, ERR_REMOTE, "broken XML in line %lu: %s",
			      XML_GetCurrentLineNumber(r->parser),
			      XML_ErrorString(XML_GetErrorCode(r->parser)));
	}
	XML_ParserFree(r->parser);
	buf_free(&r->text);
	buf_free(&r->key);
	buf_free(&r->etag);
	return r->failed ? -1 : 0;
}

int s3list_parse(const char *xml, size_t len, struct s3_page *page,
		 int (*each)(const struct s3_entry *entry, void *ctx, struct err *e), void *ctx,
		 struct err *e)
{
	struct reader first = { .end = end_of_page_word, .page = page, .e = e };
	struct reader second = {
		.end = end_of_entry_word, .page = page, .each = each, .ctx = ctx, .e = e
	};

	*page = (struct s3_page){ .next = BUF_INIT(S3_KEY_MAX) };
	if (parse(&first, xml, len) == 0 && parse(&second, xml, len) == 0)
		return 0;
	buf_free(&page->next);
	return -1;
}

static void end_of_error_word(struct reader *r)
{
	struct s3_error *out = r->error;

	if (strcmp(r->path[0], "Error") != 0)
		return;
	if (at(r, 2, "Code"))
		(void)snprintf(out->code, sizeof(out->code), "%s", r->text.s);
	else if (at(r, 2, "Message"))
		(void)snprintf(out->message, sizeof(out->message), "%s", r->text.s);
	else if (at(r, 2, "Region"))
		(void)snprintf(out->region, sizeof(out->region), "%s", r->text.s);
}

void s3list_error(const char *xml, size_t len, struct s3_error *out)
{
	struct err ignored;
	struct reader r = { .end = end_of_error_word, .error = out, .e = &ignored };

	*out = (struct s3_error){ 0 };
	/* Half an error document is better than none: what was read so far stays. */
	(void)parse(&r, xml, len);
}
