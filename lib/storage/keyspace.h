#ifndef LIB_STORAGE_KEYSPACE_H
#define LIB_STORAGE_KEYSPACE_H
/*
 * keyspace: what a source BUCKET/PREFIX means where there are keys and no directories (S3, Azure).
 *
 * A prefix that ends in '/', or that has keys below it, is a folder: names are relative to it. Else
 * it is the one object of that key, else every key that begins so ("pg/shop-"), with names relative
 * to the last '/' before.
 */
#include "lib/storage/storage.h"

enum { KEYSPACE_KEY_MAX = 8 * 1024 };

struct keyspace {
	char *prefix; /* as in the source */
	char *base;   /* what names are relative to: a beginning of the keys */
};

void keyspace_init(struct keyspace *k, const char *prefix);
void keyspace_copy(struct keyspace *to, const struct keyspace *from);
void keyspace_free(struct keyspace *k);

/* The last part of the prefix, else what is given. Owned by the caller. */
char *keyspace_base_name(const struct keyspace *k, const char *otherwise);

/* The key of an object of that name. Owned by the caller. */
char *keyspace_key(const struct keyspace *k, const char *name);

struct keyspace_entry {
	const char *key;  /* decoded; valid during the call */
	const char *etag; /* with its quotes, "" where the server gives none */
	int64_t bytes;
	int64_t modified_ms; /* -1 where the server gives none */
};

typedef int keyspace_each(const struct keyspace_entry *entry, void *ctx, struct err *e);

/* Brings the page of keys that begin with prefix, from token on ("" for the first): calls each for
 * every one, which stops everything with -1 and *e, and adds to next where to go on, nothing after
 * the last page. */
typedef int keyspace_page(void *server, const char *prefix, const char *token, keyspace_each *each,
			  void *each_ctx, struct buf *next, struct err *e);

/* storage_list() of such a storage. Pages that lead nowhere are an error, never an endless loop. */
int keyspace_list(struct keyspace *k, struct storage *s, keyspace_page *page, void *server,
		  int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		  struct err *e);
#endif
