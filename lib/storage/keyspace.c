#include "lib/storage/keyspace.h"

#include "lib/base/xmem.h"
#include "lib/storage/driver.h"

#include <stdlib.h>
#include <string.h>

enum { EMPTY_PAGES_MAX = 100 }; /* a server may send some, but not for ever */

static char *front_of(const char *prefix)
{
	const char *slash = strrchr(prefix, '/');

	return slash ? xstrndup(prefix, (size_t)(slash + 1 - prefix)) : xstrdup("");
}

void keyspace_init(struct keyspace *k, const char *prefix)
{
	k->prefix = xstrdup(prefix);
	k->base = front_of(prefix);
}

void keyspace_copy(struct keyspace *to, const struct keyspace *from)
{
	to->prefix = xstrdup(from->prefix);
	to->base = xstrdup(from->base);
}

void keyspace_free(struct keyspace *k)
{
	free(k->prefix);
	free(k->base);
}

char *keyspace_base_name(const struct keyspace *k, const char *otherwise)
{
	size_t n = strlen(k->prefix), start;

	while (n > 0 && k->prefix[n - 1] == '/')
		n--;
	for (start = n; start > 0 && k->prefix[start - 1] != '/'; start--)
		;
	return n > start ? xstrndup(k->prefix + start, n - start) : xstrdup(otherwise);
}

char *keyspace_key(const struct keyspace *k, const char *name)
{
	return xasprintf("%s%s", k->base, name);
}

static void set_base(struct keyspace *k, char *base)
{
	free(k->base);
	k->base = base;
}

struct walk {
	struct keyspace *k;
	struct storage *s;
	keyspace_page *page;
	void *server;
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
	const char *exact; /* a key that, when it comes first, is the source itself; NULL */
	uint64_t seen;
	bool enough; /* stop without an error */
	struct buf last_key;
};

static int emit(const struct keyspace_entry *entry, void *ctx, struct err *e)
{
	struct walk *w = ctx;
	size_t skip = strlen(w->k->base), n = strlen(entry->key);
	struct storage_object o = { .name = entry->key + skip,
				    .bytes = entry->bytes,
				    .modified_ms = entry->modified_ms,
				    .etag = entry->etag };

	buf_reset(&w->last_key);
	buf_adds(&w->last_key, entry->key);
	if (strncmp(entry->key, w->k->base, skip) != 0)
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
		return err_set(e, ERR_NONE, "there is no more to list");
	}
	return 0;
}

/* How far a listing has come. */
struct paging {
	struct buf token, next; /* of this page, of the one to come */
	struct buf before;      /* the last key of the page before */
	unsigned empty;         /* pages without a key in a row */
};

/* A page that brings neither new keys nor a new place to go on from would be asked for for ever. */
static bool advances(const struct walk *w, struct paging *p, uint64_t seen_before)
{
	if (strcmp(p->next.s, p->token.s) == 0)
		return false;
	if (w->seen == seen_before)
		return ++p->empty < EMPTY_PAGES_MAX;
	p->empty = 0;
	return p->before.len == 0 || strcmp(p->before.s, w->last_key.s) != 0;
}

static void copy(struct buf *to, const struct buf *from)
{
	buf_reset(to);
	buf_add(to, from->s, from->len);
}

static int list_pages(struct walk *w, struct paging *p, const char *prefix, struct err *e)
{
	for (;;) {
		uint64_t seen_before = w->seen;

		buf_reset(&p->next);
		if (w->page(w->server, prefix, p->token.s, emit, w, &p->next, e) < 0)
			return w->enough ? 0 : -1;
		if (p->next.len == 0)
			return 0;
		if (!advances(w, p, seen_before))
			return err_set(e, ERR_REMOTE,
				       "list %s: the server sends the same page again and again",
				       storage_shown(w->s));
		copy(&p->token, &p->next);
		copy(&p->before, &w->last_key);
	}
}

static int list_prefix(struct walk *w, const char *prefix, struct err *e)
{
	struct paging p = { .token = BUF_INIT(KEYSPACE_KEY_MAX),
			    .next = BUF_INIT(KEYSPACE_KEY_MAX),
			    .before = BUF_INIT(KEYSPACE_KEY_MAX) };
	int rc = list_pages(w, &p, prefix, e);

	buf_free(&p.token);
	buf_free(&p.next);
	buf_free(&p.before);
	return rc;
}

static int list_source(struct walk *w, struct err *e)
{
	struct keyspace *k = w->k;
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

int keyspace_list(struct keyspace *k, struct storage *s, keyspace_page *page, void *server,
		  int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
		  struct err *e)
{
	struct walk w = { .k = k,
			  .s = s,
			  .page = page,
			  .server = server,
			  .each = each,
			  .ctx = ctx,
			  .last_key = BUF_INIT(KEYSPACE_KEY_MAX) };
	int rc = list_source(&w, e);

	buf_free(&w.last_key);
	return rc;
}
