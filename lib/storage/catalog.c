#include "lib/storage/catalog.h"

#include "lib/base/human.h"
#include "lib/base/sorter.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- records of the sorters ------------------------------------------------------------------ */

/* The struct, and behind it the texts that it points to. Returns it put right. */
static struct backup *unpack(void *record)
{
	struct backup *b = record;
	char *text = (char *)(b + 1);

	b->name = text;
	text += strlen(text) + 1;
	if (b->etag) {
		b->etag = text;
		text += strlen(text) + 1;
	}
	if (b->link)
		b->link = text;
	return b;
}

static int add(struct sorter *to, const struct backup *b, struct err *e)
{
	BUF_AUTO record = BUF_INIT(SORTER_RECORD_MAX);

	buf_add(&record, b, sizeof(*b));
	buf_add(&record, b->name, strlen(b->name) + 1);
	if (b->etag)
		buf_add(&record, b->etag, strlen(b->etag) + 1);
	if (b->link)
		buf_add(&record, b->link, strlen(b->link) + 1);
	if (record.full)
		return err_set(e, ERR_REMOTE, "list: the name %.100s... is too long", b->name);
	return sorter_add(to, record.s, record.len, e);
}

static int by_name(void *a, void *b)
{
	return strcmp(unpack(a)->name, unpack(b)->name);
}

static int by_age(void *a, void *b)
{
	return select_compare(unpack(a), unpack(b));
}

/* --- objects become backups ------------------------------------------------------------------ */

/* A catalog being made. */
struct making {
	struct catalog *c;
	struct storage *s;
	const struct catalog_filter *filter;
	struct backup tree; /* being put together; name NULL: none */
	uint64_t at;        /* how many of the backups were looked at */
};

static int take_object(const struct storage_object *o, void *ctx, struct err *e)
{
	struct making *m = ctx;
	AUTO_FREE char *name = xstrdup(o->name);
	AUTO_FREE char *etag = o->etag[0] ? xstrdup(o->etag) : NULL;
	AUTO_FREE char *link = o->link ? xstrdup(o->link) : NULL;
	const struct backup b = { .name = name,
				  .etag = etag,
				  .bytes = o->bytes,
				  .modified_ms = o->modified_ms,
				  .link = link };

	m->c->n_objects++;
	trees_note(&m->c->trees, o->name);
	return add(m->c->objects, &b, e);
}

/* Is it none of those asked for? Then it is counted by the reason. */
static bool unasked(struct catalog *c, const struct catalog_filter *f, const struct backup *b)
{
	const uint64_t files = b->files ? (uint64_t)b->files : 1;

	if (!b->whole && select_classify(b->name) == SELECT_IN_PROGRESS)
		c->in_progress += files;
	else if (!b->whole && !select_wanted(b->name, f->match, f->exclude))
		c->unwanted += files;
	else if (f->as_of_ms > 0 && (select_moment(b) < 0 || select_moment(b) > f->as_of_ms))
		c->later++;
	else
		return false;
	return true;
}

/* There is a backup: is it wanted? */
static int offer(struct making *m, const struct backup *found, struct err *e)
{
	struct backup b = *found;
	AUTO_FREE char *own = xstrdup(storage_base_name(m->s));

	pointers_see(&m->c->pointers, found);
	if (b.name[0] == '\0' || storage_is_object(m->s)) {
		b.whole = true;
		b.name = own;
	}
	select_date(&b);
	if (unasked(m->c, m->filter, &b))
		return 0;
	m->c->n++;
	return add(m->c->backups, &b, e);
}

static int end_tree(struct making *m, struct err *e)
{
	int rc = m->tree.name ? offer(m, &m->tree, e) : 0;

	select_free(&m->tree);
	return rc;
}

/* The objects come sorted, so that those of a tree follow one another, with nothing between them
 * but files that are no directories. */
static int add_to_tree(struct making *m, const struct backup *o, size_t n, struct err *e)
{
	struct backup *tree = &m->tree;

	n -= n > 0;
	if (o->link)
		return 0;
	if (tree->name == NULL || strlen(tree->name) != n || strncmp(tree->name, o->name, n) != 0) {
		if (end_tree(m, e) < 0)
			return -1;
		*tree = (struct backup){ .name = xstrndup(o->name, n), .modified_ms = -1 };
	}
	tree->files++;
	tree->in_part |= select_in_part(o->name + n);
	tree->tars |=
		select_marked(o->name) == (int64_t)n && select_tree_of(o->name) == SELECT_TARS;
	if (o->bytes < 0 || tree->bytes < 0)
		tree->bytes = -1;
	else if (__builtin_add_overflow(tree->bytes, o->bytes, &tree->bytes))
		tree->bytes = INT64_MAX;
	if (o->modified_ms > tree->modified_ms)
		tree->modified_ms = o->modified_ms;
	return 0;
}

/* The length of the path of the tree that it lies in, -1: in none. *member: it belongs to it. */
static int64_t tree_of(const struct catalog *c, const struct backup *o, bool *member)
{
	enum select_tree kind = SELECT_CLUSTER;
	int64_t n = trees_hold(&c->trees, o->name, &kind);

	*member = n >= 0 && select_member(kind, o->name + n);
	return n;
}

/* A file that is no part of a directory. */
static int offer_file(struct making *m, const struct backup *o, struct err *e)
{
	switch (select_classify(o->name)) {
	case SELECT_IN_PROGRESS:
		m->c->in_progress++;
		return 0;
	case SELECT_SIDECAR:
		m->c->sidecars++;
		return 0;
	case SELECT_PART:
		m->c->parts++;
		return 0;
	case SELECT_BACKUP:
		break;
	}
	return offer(m, o, e);
}

static bool may_point(const struct backup *o)
{
	return o->link || select_pointer(o->name);
}

static int find_pointer(void *ctx, void *record, struct err *e)
{
	struct making *m = ctx;
	const struct backup *o = unpack(record);
	bool member;

	if (!may_point(o) || tree_of(m->c, o, &member) > 0 || member)
		return 0;
	return pointers_add(&m->c->pointers, m->s, o, e);
}

static int fold(void *ctx, void *record, struct err *e)
{
	struct making *m = ctx;
	const struct backup *o = unpack(record);
	bool member;
	int64_t n;

	if (storage_is_object(m->s))
		return offer(m, o, e);
	n = tree_of(m->c, o, &member);
	if (member)
		return add_to_tree(m, o, (size_t)n, e);
	if (n > 0) {
		m->c->parts++;
		return 0;
	}
	return may_point(o) ? 0 : offer_file(m, o, e);
}

/* What is called latest and stands for nothing is a backup of its own. */
static int settle_pointers(struct making *m, struct err *e)
{
	for (size_t i = 0; i < m->c->pointers.n; i++) {
		struct pointer *p = &m->c->pointers.v[i];

		if (!pointer_settle(p) && offer_file(m, &p->object, e) < 0)
			return -1;
	}
	return 0;
}

/* --- which of them --------------------------------------------------------------------------- */

static void set(struct backup **to, const struct backup *b)
{
	struct backup *old = *to;

	*to = NULL;
	if (b) {
		*to = xmalloc(sizeof(**to));
		**to = select_copy(b);
	}
	if (old)
		select_free(old);
	free(old);
}

/* Only this one, or none. */
static void keep(struct catalog *c, const struct backup *b)
{
	set(&c->newest, b);
	set(&c->touched, NULL);
	c->n = b ? 1 : 0;
	c->kept = true;
}

/* They come oldest first. */
static int look(void *ctx, void *record, struct err *e)
{
	struct making *m = ctx;
	struct catalog *c = m->c;
	const struct backup *b = unpack(record);

	(void)e;
	m->at++;
	pointers_date(&c->pointers, b);
	if (c->touched == NULL || b->modified_ms > c->touched->modified_ms)
		set(&c->touched, b);
	if (m->at == c->n)
		pointers_judge(&c->pointers, b);
	if (m->at == (m->filter->nth ? c->n - m->filter->nth + 1 : c->n))
		set(&c->newest, b);
	return 0;
}

static int choose(struct making *m, struct err *e)
{
	struct catalog *c = m->c;

	if (sorter_each(c->backups, look, m, e) < 0)
		return -1;
	if (m->filter->nth > c->n)
		c->before_nth = c->n;
	if (m->filter->nth && c->newest)
		keep(c, c->newest);
	else if (m->filter->nth)
		keep(c, NULL);
	return 0;
}

int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e)
{
	struct making m = { .c = c, .s = s, .filter = filter };
	int rc;

	*c = (struct catalog){ .objects = sorter_new(by_name), .backups = sorter_new(by_age) };
	rc = storage_list(s, take_object, &m, e);
	if (rc < 0)
		return -1;
	trees_sort(&c->trees);
	if (!storage_is_object(s))
		rc = sorter_each(c->objects, find_pointer, &m, e);
	if (rc == 0)
		rc = sorter_each(c->objects, fold, &m, e);
	if (rc == 0)
		rc = end_tree(&m, e);
	select_free(&m.tree);
	if (rc == 0)
		rc = settle_pointers(&m, e);
	return rc == 0 ? choose(&m, e) : rc;
}

void catalog_free(struct catalog *c)
{
	set(&c->newest, NULL);
	set(&c->touched, NULL);
	pointers_free(&c->pointers);
	trees_free(&c->trees);
	sorter_free(&c->objects);
	sorter_free(&c->backups);
	*c = (struct catalog){ 0 };
}

/* --- afterwards ------------------------------------------------------------------------------ */

struct visit {
	int (*each)(void *ctx, struct backup *b, struct err *e);
	void *ctx;
};

static int visit(void *ctx, void *record, struct err *e)
{
	const struct visit *v = ctx;

	return v->each(v->ctx, unpack(record), e);
}

int catalog_each(const struct catalog *c, int (*each)(void *ctx, struct backup *b, struct err *e),
		 void *ctx, struct err *e)
{
	struct visit v = { each, ctx };

	if (c->kept)
		return c->newest ? each(ctx, c->newest, e) : 0;
	return sorter_each(c->backups, visit, &v, e);
}

struct search {
	const char *name;
	struct backup *found;
};

static int search(void *ctx, struct backup *b, struct err *e)
{
	struct search *s = ctx;

	(void)e;
	if (pointer_names(s->name, b))
		set(&s->found, b);
	return 0;
}

int catalog_keep(struct catalog *c, const char *name, struct err *e)
{
	struct search s = { .name = name };
	int rc = catalog_each(c, search, &s, e);

	if (rc == 0 && s.found) {
		keep(c, s.found);
		rc = 1;
	}
	set(&s.found, NULL);
	return rc;
}

const struct backup *catalog_doubtful(const struct catalog *c)
{
	if (c->newest && select_disagrees(c->newest))
		return c->newest;
	return c->touched && select_disagrees(c->touched) ? c->touched : NULL;
}

static void count_of(struct buf *out, uint64_t n, const char *what)
{
	char figure[HUMAN_SIZE];

	if (n)
		buf_addf(out, ", %s %s", human_count((int64_t)n, figure), what);
}

void catalog_explain_none(const struct catalog *c, const struct storage *s, struct buf *out)
{
	char figure[HUMAN_SIZE];

	buf_addf(out, "no backup in %s: ", storage_shown(s));
	if (c->n_objects == 0) {
		buf_adds(out, "nothing is there");
		return;
	}
	buf_addf(out, "of %s files", human_count((int64_t)c->n_objects, figure));
	count_of(out, c->unwanted, "were not asked for by --match and --exclude");
	count_of(out, c->in_progress, "have names of unfinished files");
	count_of(out, c->sidecars, "are sidecars or texts");
	count_of(out, c->parts, "are parts of a dump without its toc.dat, or WAL");
	count_of(out, c->later, "are younger than --as-of, or of an unknown time");
	count_of(out, c->before_nth, "are backups, fewer than --nth");
}

struct presence {
	const struct strv *names;
	bool *there;
};

static int note_presence(void *ctx, void *record, struct err *e)
{
	const struct presence *p = ctx;
	const struct backup *o = unpack(record);

	(void)e;
	for (size_t i = 0; i < p->names->n; i++)
		p->there[i] |= strcmp(p->names->v[i], o->name) == 0;
	return 0;
}

int catalog_present(const struct catalog *c, const struct strv *names, bool *there, struct err *e)
{
	struct presence p = { names, there };

	for (size_t i = 0; i < names->n; i++)
		there[i] = false;
	return sorter_each(c->objects, note_presence, &p, e);
}

struct gathering {
	const struct catalog *c;
	const struct backup *of;
	struct members *to;
};

static int gather(void *ctx, void *record, struct err *e)
{
	const struct gathering *g = ctx;
	const struct backup *o = unpack(record);
	struct members *to = g->to;
	bool member;
	int64_t n = tree_of(g->c, o, &member);

	(void)e;
	if (!member || (size_t)n != to->skip ||
	    (n > 0 && strncmp(o->name, g->of->name, (size_t)n - 1) != 0))
		return 0;
	/* Room grows twofold, at each power of two. */
	if ((to->n & (to->n - 1)) == 0)
		to->v = xrealloc(to->v, to->n ? 2 * to->n : 1, sizeof(*to->v));
	to->v[to->n++] = select_copy(o);
	return 0;
}

int catalog_members(const struct catalog *c, const struct backup *b, struct members *out,
		    struct err *e)
{
	struct gathering g = { c, b, out };

	*out = (struct members){ .skip = b->whole ? 0 : strlen(b->name) + 1 };
	return sorter_each(c->objects, gather, &g, e);
}

void members_free(struct members *m)
{
	for (size_t i = 0; i < m->n; i++)
		select_free(&m->v[i]);
	free(m->v);
	*m = (struct members){ 0 };
}
