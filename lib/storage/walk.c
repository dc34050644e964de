#include "lib/storage/walk.h"

#include "lib/base/utc.h"
#include "lib/storage/driver.h"
#include "lib/storage/select.h"

#include <string.h>

enum { DEPTH_MAX = 32, DATED_MAX = 2 };

struct walker {
	struct storage *s;
	const struct walk_pages *pages;
	int (*each)(const struct storage_object *o, void *ctx, struct err *e);
	void *ctx;
};

/* One directory. */
struct level {
	const struct walker *w;
	const char *name; /* relative to the source */
	int depth;
};

static int walk_tree(struct level *l, const struct buf *page, struct err *e);
static int walk_place(struct level *l, const struct buf *page, struct err *e);

static int join(const struct level *l, const char *entry, struct buf *name, struct err *e)
{
	buf_addf(name, "%s%s%s", l->name, l->name[0] ? "/" : "", entry);
	if (name->full)
		return err_set(e, ERR_REMOTE, "list %s: a name is too long",
			       storage_shown(l->w->s));
	return 0;
}

static int emit(const struct walker *w, const char *name, const struct walk_entry *entry, bool ask,
		struct err *e)
{
	struct storage_object o = { name, entry->bytes, entry->modified_ms, "", entry->link };
	struct storage_stat st;

	if (ask && w->pages->asks && entry->link == NULL) {
		if (storage_stat(w->s, name, &st, e) < 0)
			return -1;
		o.modified_ms = st.modified_ms;
		o.etag = st.etag;
	}
	return w->each(&o, w->ctx, e);
}

/* What a directory holds. */
struct marks {
	bool marker, global, control;
};

static int look_for_marks(const struct walk_entry *entry, void *ctx, struct err *e)
{
	struct marks *m = ctx;

	(void)e;
	if (entry->directory)
		m->global |= strcmp(entry->name, "global") == 0;
	else if (entry->link == NULL) {
		m->marker |= select_marked(entry->name) == 0;
		m->control |= strcmp(entry->name, "pg_control") == 0;
	}
	return 0;
}

/* A cluster's marker is one level further down, in what may be just a folder of this name. */
static int is_backup(const struct level *l, const struct buf *page, bool *is, struct err *e)
{
	const struct walker *w = l->w;
	BUF_AUTO name = BUF_INIT(STORAGE_NAME_MAX);
	BUF_AUTO global = BUF_INIT(WALK_PAGE_MAX);
	struct marks here = { .marker = false }, below = { .marker = false };

	if (w->pages->parse(w->s, l->name, page, look_for_marks, &here, e) < 0)
		return -1;
	*is = here.marker;
	if (here.marker || !here.global)
		return 0;
	if (join(l, "global", &name, e) < 0 || w->pages->get(w->s, name.s, &global, e) < 0 ||
	    w->pages->parse(w->s, name.s, &global, look_for_marks, &below, e) < 0)
		return -1;
	*is = below.control;
	return 0;
}

/* An entry of a directory that is a backup, or of any where all are listed. */
static int tree_entry(const struct walk_entry *entry, void *ctx, struct err *e)
{
	const struct level *l = ctx;
	const struct walker *w = l->w;
	BUF_AUTO name = BUF_INIT(STORAGE_NAME_MAX);
	BUF_AUTO page = BUF_INIT(WALK_PAGE_MAX);

	if (join(l, entry->name, &name, e) < 0)
		return -1;
	if (!entry->directory)
		return emit(w, name.s, entry, w->s->options.deep || select_marked(name.s) >= 0, e);
	if (l->depth >= DEPTH_MAX)
		return err_set(e, ERR_REMOTE, "list %s: %s is nested too deep", storage_shown(w->s),
			       name.s);
	if (w->pages->get(w->s, name.s, &page, e) < 0)
		return -1;
	return walk_tree(&(struct level){ w, name.s, l->depth + 1 }, &page, e);
}

static int walk_tree(struct level *l, const struct buf *page, struct err *e)
{
	return l->w->pages->parse(l->w->s, l->name, page, tree_entry, l, e);
}

static int walk_directory(const struct level *l, const char *name, const char *entry, struct err *e)
{
	const struct walker *w = l->w;
	struct level tree = { w, name, 1 }, place = { w, name, l->depth + 1 };
	BUF_AUTO page = BUF_INIT(WALK_PAGE_MAX);
	bool backup, exact;
	int64_t ms;

	if (w->pages->get(w->s, name, &page, e) < 0 || is_backup(&tree, &page, &backup, e) < 0)
		return -1;
	if (backup || w->s->options.deep)
		return walk_tree(&tree, &page, e);
	if (l->depth < DATED_MAX && utc_from_name(entry, &ms, &exact))
		return walk_place(&place, &page, e);
	return 0;
}

static int place_entry(const struct walk_entry *entry, void *ctx, struct err *e)
{
	const struct level *l = ctx;
	BUF_AUTO name = BUF_INIT(STORAGE_NAME_MAX);

	if (join(l, entry->name, &name, e) < 0)
		return -1;
	if (!entry->directory)
		return entry->link && !select_pointer(entry->name)
			       ? 0
			       : emit(l->w, name.s, entry, true, e);
	return strcmp(entry->name, "lost+found") == 0 ? 0
						      : walk_directory(l, name.s, entry->name, e);
}

static int walk_place(struct level *l, const struct buf *page, struct err *e)
{
	return l->w->pages->parse(l->w->s, l->name, page, place_entry, l, e);
}

int walk(struct storage *s, const struct walk_pages *pages, const struct buf *page,
	 int (*each)(const struct storage_object *o, void *ctx, struct err *e), void *ctx,
	 struct err *e)
{
	const struct walker w = { s, pages, each, ctx };
	struct level top = { &w, "", 0 };
	bool backup;

	if (is_backup(&top, page, &backup, e) < 0)
		return -1;
	return backup ? walk_tree(&top, page, e) : walk_place(&top, page, e);
}
