#ifndef LIB_STORAGE_INDEX_H
#define LIB_STORAGE_INDEX_H
/*
 * index: the directory pages of web servers: nginx (ngx_http_autoindex_module) and Apache httpd
 * (mod_autoindex, plain, fancy and as a table), and whoever writes links in that manner; and
 * nginx's autoindex_format json.
 *
 * A name is taken from a link's href, never from its text, which servers shorten. Links that lead
 * elsewhere (up, to another host, "?C=M;O=D" for sorting) are skipped. The date and size after the
 * link are taken where they are in one of the known forms; dates are read as UTC, which nginx
 * writes and which Apache writes where its machine keeps UTC; they are to the minute.
 */
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INDEX_NAME_MAX = 4096 };

struct index_entry {
	const char *name; /* decoded, without the '/' of a directory; valid during the call */
	bool directory;
	int64_t bytes;       /* -1: not said, or rounded ("1.2M") */
	int64_t modified_ms; /* -1: not said */
};

/* base is the page's own path ("/backups/"), for servers that write absolute paths. Stops with -1
 * when each does. A page without links has no entries. */
int index_parse(const char *html, size_t len, const char *base,
		int (*each)(const struct index_entry *entry, void *ctx, struct err *e), void *ctx,
		struct err *e);

/* Is it the page of a web server's directory, and not something else in HTML? */
bool index_is_listing(const char *html, size_t len);
#endif
