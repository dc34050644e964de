#include "lib/storage/xmlread.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

void xmlread_stop(struct xmlread *r)
{
	r->failed = true;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

void xmlread_fail(struct xmlread *r, const char *what)
{
	if (!r->failed)
		(void)err_set(r->e, ERR_REMOTE, "%s", what);
	xmlread_stop(r);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct xmlread *r = ctx;
	const char *local = local_name(name);

	if (r->depth < XMLREAD_DEPTH_MAX) {
		size_t n = strnlen(local, XMLREAD_NAME_SIZE - 1);

		memcpy(r->path[r->depth], local, n);
		r->path[r->depth][n] = '\0';
	}
	r->depth++;
	buf_reset(&r->text);
	r->encoded = false;
	for (; attributes[0]; attributes += 2)
		r->encoded |=
			strcmp(attributes[0], "Encoded") == 0 && strcmp(attributes[1], "true") == 0;
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct xmlread *r = ctx;

	(void)name;
	if (r->text.full)
		xmlread_fail(r, "a value is longer than any name in an object store");
	else if (r->depth <= XMLREAD_DEPTH_MAX)
		r->end(r, r->ctx);
	r->depth--;
	buf_reset(&r->text);
	r->encoded = false;
}

static void XMLCALL on_text(void *ctx, const XML_Char *s, int n)
{
	struct xmlread *r = ctx;

	buf_add(&r->text, s, (size_t)n);
}

static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid,
			       const XML_Char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	xmlread_fail(ctx, "a document with a DOCTYPE is no answer of an object store");
}

int xmlread_run(const char *xml, size_t len, void (*end)(struct xmlread *r, void *ctx), void *ctx,
		struct err *e)
{
	struct xmlread r = { .text = BUF_INIT(XMLREAD_TEXT_MAX), .end = end, .ctx = ctx, .e = e };
	XML_Parser parser = XML_ParserCreate("UTF-8");
	enum XML_Status status;

	if (parser == NULL)
		return err_set(e, ERR_SYSTEM, "out of memory");
	r.parser = parser;
	XML_SetUserData(parser, &r);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	status = len > INT_MAX ? XML_STATUS_ERROR : XML_Parse(parser, xml, (int)len, 1);
	if (status != XML_STATUS_OK && !r.failed) {
		r.failed = true;
		(void)err_set(e, ERR_REMOTE, "broken XML in line %lu: %s",
			      XML_GetCurrentLineNumber(parser),
			      XML_ErrorString(XML_GetErrorCode(parser)));
	}
	XML_ParserFree(parser);
	buf_free(&r.text);
	return r.failed ? -1 : 0;
}

bool xmlread_in(const struct xmlread *r, int depth, const char *name)
{
	return r->depth >= depth && strcmp(r->path[depth - 1], name) == 0;
}

bool xmlread_at(const struct xmlread *r, int depth, const char *name)
{
	return r->depth == depth && xmlread_in(r, depth, name);
}

struct first {
	const char *name;
	struct buf *out;
	bool found;
};

static void see_first(struct xmlread *r, void *ctx)
{
	struct first *f = ctx;

	if (f->found || !xmlread_at(r, r->depth, f->name))
		return;
	f->found = true;
	buf_reset(f->out);
	buf_add(f->out, r->text.s, r->text.len);
}

bool xmlread_first(const char *xml, size_t len, const char *name, struct buf *out)
{
	struct first f = { name, out, false };
	struct err ignored;

	(void)xmlread_run(xml, len, see_first, &f, &ignored);
	return f.found && !out->full;
}
