#ifndef LIB_STORAGE_XMLREAD_H
#define LIB_STORAGE_XMLREAD_H
/*
 * xmlread: the XML that object stores answer with, element by element, read with expat. Prefixes of
 * namespaces are dropped ("s3:Key" is Key: some servers have them, AWS has none). A DOCTYPE, which
 * could define entities without end, is refused.
 */
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/storage/keyspace.h"

#include <stdbool.h>
#include <stddef.h>

enum { XMLREAD_DEPTH_MAX = 8, XMLREAD_NAME_SIZE = 48, XMLREAD_TEXT_MAX = KEYSPACE_KEY_MAX };

struct xmlread {
	/* For end(), about the element that ends: */
	int depth;       /* of it; 1: the root */
	struct buf text; /* what stood in it after its last inner element */
	bool encoded;    /* it has the attribute Encoded="true" (Azure) */
	/* Own matters. */
	char path[XMLREAD_DEPTH_MAX][XMLREAD_NAME_SIZE];
	void (*end)(struct xmlread *r, void *ctx);
	void *ctx;
	void *parser;
	struct err *e;
	bool failed;
};

/* Calls end at the end of each element down to XMLREAD_DEPTH_MAX. -1 with *e: it is no XML
 * (ERR_REMOTE), or end() stopped it. */
int xmlread_run(const char *xml, size_t len, void (*end)(struct xmlread *r, void *ctx), void *ctx,
		struct err *e);

/* Is the element that ends, at this depth, called so? */
bool xmlread_at(const struct xmlread *r, int depth, const char *name);

/* Does it lie in an element of this name at this depth (or is it that)? */
bool xmlread_in(const struct xmlread *r, int depth, const char *name);

/* From end(): read no further. The first fills *e as ERR_REMOTE, before the second it is filled. */
void xmlread_fail(struct xmlread *r, const char *what);
void xmlread_stop(struct xmlread *r);

/* The text of the first element of this name, wherever it stands; false: there is none. What stands
 * before a fault of the document counts. */
bool xmlread_first(const char *xml, size_t len, const char *name, struct buf *out);
#endif
