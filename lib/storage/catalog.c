#include "lib/storage/catalog.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A list that grows by halves. */
struct list {
	struct backup *v;
	size_t n, cap;
};

static struct backup *append(struct list *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap + l->cap / 2 : 64;
		l->v = xrealloc(l->v, l->cap, sizeof(*l->v));
	}
	l->v[l->n] = (struct backup){ 0 };
	return &l->v[l->n++];
}

static int take_object(const struct storage_object *o, void *ctx, struct err *e)
{
	struct backup *b = append(ctx);

	(void)e;
	b->name = xstrdup(o->name);
	b->etag = o->etag[0] ? xstrdup(o->etag) : NULL;
	b->bytes = o->bytes;
	b->modified_ms = o->modified_ms;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct backup *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(char *const *)b);
}

/* The directories that are one backup each, as "dir/", "" for the source itself; sorted. */
static void find_trees(const struct list *objects, struct strv *trees)
{
	for (size_t i = 0; i < objects->n; i++) {
		const char *name = objects->v[i].name;
		int64_t n = select_marked(name);

		if (n == 0)
			strv_add(trees, "");
		else if (n > 0)
			strv_addf(trees, "%.*s/", (int)n, name);
	}
	strv_sort(trees);
}

/* The length of the outermost of the trees that the name lies in; -1: in none. */
static int64_t tree_of(const char *name, const struct strv *trees)
{
	char part[STORAGE_NAME_MAX + 1] = "";

	if (trees->n == 0)
		return -1;
	for (size_t n = 0; n < sizeof(part) - 1; n++) {
		if ((n == 0 || name[n - 1] == '/') &&
		    bsearch(part, trees->v, trees->n, sizeof(*trees->v), by_text))
			return (int64_t)n;
		if (name[n] == '\0')
			break;
		part[n] = name[n];
	}
	return -1;
}

/* The objects come sorted, so that those of a tree follow one another. */
static void add_to_tree(struct list *backups, const struct backup *object, size_t n)
{
	struct backup *last = backups->n ? &backups->v[backups->n - 1] : NULL;

	if (last == NULL || last->files == 0 || strlen(last->name) != (n ? n - 1 : 0) ||
	    strncmp(last->name, object->name, n ? n - 1 : 0) != 0) {
		last = append(backups);
		last->name = xstrndup(object->name, n ? n - 1 : 0);
		last->modified_ms = -1;
	}
	last->files++;
	if (object->bytes < 0 || last->bytes < 0)
		last->bytes = -1;
	else if (__builtin_add_overflow(last->bytes, object->bytes, &last->bytes))
		last->bytes = INT64_MAX;
	if (object->modified_ms > last->modified_ms)
		last->modified_ms = object->modified_ms;
}

static void add_file(struct list *backups, const struct backup *object)
{
	struct backup *b = append(backups);

	b->name = xstrdup(object->name);
	b->etag = object->etag ? xstrdup(object->etag) : NULL;
	b->bytes = object->bytes;
	b->modified_ms = object->modified_ms;
}

static uint64_t *counter(struct catalog *c, enum select_class class)
{
	switch (class) {
	case SELECT_IN_PROGRESS:
		return &c->in_progress;
	case SELECT_SIDECAR:
		return &c->sidecars;
	case SELECT_PART:
		return &c->parts;
	case SELECT_BACKUP:
		break;
	}
	return NULL;
}

static void fold(struct catalog *c, const struct list *objects, bool alone, struct list *backups)
{
	STRV_AUTO trees = { 0 };

	if (!alone)
		find_trees(objects, &trees);
	for (size_t i = 0; i < objects->n; i++) {
		const struct backup *o = &objects->v[i];
		int64_t tree = tree_of(o->name, &trees);
		uint64_t *no_backup =
			alone || tree >= 0 ? NULL : counter(c, select_classify(o->name));

		if (tree >= 0)
			add_to_tree(backups, o, (size_t)tree);
		else if (no_backup)
			(*no_backup)++;
		else
			add_file(backups, o);
	}
}

/* Drops what is not wanted and dates the rest. */
static void finish(struct catalog *c, const struct storage *s, const struct catalog_filter *f,
		   struct list *backups)
{
	size_t kept = 0;

	for (size_t i = 0; i < backups->n; i++) {
		struct backup *b = &backups->v[i];

		if (b->name[0] == '\0' || storage_is_object(s)) {
			b->whole = true;
			free(b->name);
			b->name = xstrdup(storage_base_name(s));
		} else if (select_classify(b->name) == SELECT_IN_PROGRESS) {
			c->in_progress += (uint64_t)(b->files ? b->files : 1);
			select_free(b);
			continue;
		} else if (!select_wanted(b->name, f->match, f->exclude)) {
			c->unwanted += (uint64_t)(b->files ? b->files : 1);
			select_free(b);
			continue;
		}
		select_date(b);
		backups->v[kept++] = *b;
	}
	c->v = backups->v;
	c->n = kept;
	if (kept > 1)
		qsort(c->v, kept, sizeof(*c->v), select_compare);
}

int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e)
{
	struct list objects = { 0 }, backups = { 0 };
	int rc;

	*c = (struct catalog){ 0 };
	rc = storage_list(s, take_object, &objects, e);
	c->objects = objects.v;
	c->n_objects = objects.n;
	if (rc < 0)
		return -1;
	if (objects.n > 1)
		qsort(objects.v, objects.n, sizeof(*objects.v), by_name);
	fold(c, &objects, storage_is_object(s), &backups);
	finish(c, s, filter, &backups);
	return 0;
}

void catalog_free(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		select_free(&c->v[i]);
	for (size_t i = 0; i < c->n_objects; i++)
		select_free(&c->objects[i]);
	free(c->v);
	free(c->objects);
	*c = (struct catalog){ 0 };
}

struct backup *catalog_newest(const struct catalog *c)
{
	return c->n ? &c->v[c->n - 1] : NULL;
}

const struct backup *catalog_doubtful(const struct catalog *c)
{
	const struct backup *newest = catalog_newest(c), *last = newest;

	if (newest == NULL)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].modified_ms > last->modified_ms)
			last = &c->v[i];
	if (select_disagrees(newest))
		return newest;
	return select_disagrees(last) ? last : NULL;
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
}

const struct backup *catalog_members(const struct catalog *c, const struct backup *b, size_t *n,
				     size_t *skip)
{
	size_t first = 0, end;

	*n = 0;
	*skip = b->whole ? 0 : strlen(b->name) + 1;
	if (b->whole) {
		*n = c->n_objects;
		return c->objects;
	}
	while (first < c->n_objects && (strncmp(c->objects[first].name, b->name, *skip - 1) != 0 ||
					c->objects[first].name[*skip - 1] != '/'))
		first++;
	for (end = first;
	     end < c->n_objects && strncmp(c->objects[end].name, b->name, *skip - 1) == 0 &&
	     c->objects[end].name[*skip - 1] == '/';
	     end++)
		;
	*n = end - first;
	return c->objects + first;
}
