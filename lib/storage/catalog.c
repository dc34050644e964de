#include "lib/storage/catalog.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/storage/trees.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { POINTER_TEXT_MAX = 4096 };

/* A list that grows by halves. */
struct list {
	struct backup *v;
	size_t n, cap;
	size_t trees; /* of backups: one more than the place of the last that is a directory; 0 */
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
	b->link = o->link ? xstrdup(o->link) : NULL;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct backup *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The objects come sorted, so that those of a tree follow one another, with nothing between them
 * but files that are no directories. */
static void add_to_tree(struct list *backups, const struct backup *object, size_t n)
{
	struct backup *last = backups->trees ? &backups->v[backups->trees - 1] : NULL;

	if (object->link)
		return;
	if (last == NULL || strlen(last->name) != (n ? n - 1 : 0) ||
	    strncmp(last->name, object->name, n ? n - 1 : 0) != 0) {
		last = append(backups);
		last->name = xstrndup(object->name, n ? n - 1 : 0);
		last->modified_ms = -1;
		backups->trees = backups->n;
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
	b->link = object->link ? xstrdup(object->link) : NULL;
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

/* An object that is no part of a directory. */
static void fold_file(struct catalog *c, const struct backup *o, struct list *backups,
		      struct list *named)
{
	uint64_t *no_backup = counter(c, select_classify(o->name));

	if (o->link || select_pointer(o->name))
		add_file(named, o);
	else if (no_backup)
		(*no_backup)++;
	else
		add_file(backups, o);
}

static void fold(struct catalog *c, struct list *objects, bool alone, struct list *backups,
		 struct list *named)
{
	TREES_AUTO trees = { 0 };

	if (!alone)
		trees_find(&trees, objects->v, objects->n);
	for (size_t i = 0; i < objects->n; i++) {
		struct backup *o = &objects->v[i];
		enum select_tree kind = SELECT_CLUSTER;
		int64_t tree = trees_hold(&trees, o->name, &kind);

		o->member = tree >= 0 && select_member(kind, o->name + tree);
		if (o->member)
			add_to_tree(backups, o, (size_t)tree);
		else if (tree > 0)
			c->parts++;
		else if (alone)
			add_file(backups, o);
		else
			fold_file(c, o, backups, named);
	}
}

/* --- pointers -------------------------------------------------------------------------------- */

static void add_pointer(struct catalog *c, const char *name, const char *target)
{
	c->pointers = xrealloc(c->pointers, c->n_pointers + 1, sizeof(*c->pointers));
	c->pointers[c->n_pointers++] =
		(struct catalog_pointer){ .name = xstrdup(name), .target = xstrdup(target) };
}

/* A name beside the pointer, with the pointer's own directory before it. */
static char *beside(const char *pointer, const char *target)
{
	const char *slash = strrchr(pointer, '/');
	size_t n = strlen(target);

	while (n > 0 && target[n - 1] == '/')
		n--;
	if (strncmp(target, "./", 2) == 0) {
		target += 2;
		n -= 2;
	}
	return xasprintf("%.*s%.*s", slash ? (int)(slash + 1 - pointer) : 0, pointer, (int)n,
			 target);
}

static bool is_text(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->s[i] < ' ' && !strchr("\t\r\n", b->s[i]))
			return false;
	return b->len > 0 && strlen(b->s) == b->len;
}

/* The last one that is called so, or that lies in the folder that is called so. */
static struct backup *find_named(struct backup *v, size_t n, const char *name)
{
	size_t len = strlen(name);

	while (n-- > 0)
		if (strncmp(v[n].name, name, len) == 0 &&
		    (v[n].name[len] == '\0' || v[n].name[len] == '/'))
			return &v[n];
	return NULL;
}

/* A small text whose only line names a backup, by its path or its last part. */
static int resolve_text(struct catalog *c, struct storage *s, const struct backup *o,
			const struct list *backups, bool *found, struct err *e)
{
	const char *dot = strrchr(o->name, '.');
	BUF_AUTO text = BUF_INIT(POINTER_TEXT_MAX);
	AUTO_FREE char *target = NULL;
	const char *slash;
	size_t n;

	if (o->bytes > POINTER_TEXT_MAX)
		return 0;
	if (storage_slurp(s, o->name, &text, e) < 0)
		return -1;
	while (text.len > 0 && strchr(" \t\r\n/", text.s[text.len - 1]))
		text.s[--text.len] = '\0';
	n = strcspn(text.s, "\r\n");
	if (!is_text(&text) || n != text.len)
		return 0;
	slash = strrchr(text.s, '/');
	target = beside(o->name, slash ? slash + 1 : text.s);
	/* Another name could be a small dump's as well. */
	*found = find_named(backups->v, backups->n, target) || dot == NULL ||
		 strcasecmp(dot, ".txt") == 0;
	if (*found)
		add_pointer(c, o->name, target);
	return 0;
}

/* The newest dated one of the same size, unless their ETags tell them apart. */
static const struct backup *copied_from(const struct list *backups, const struct backup *o)
{
	const struct backup *found = NULL;

	for (size_t i = 0; i < backups->n; i++) {
		const struct backup *b = &backups->v[i];

		if (b->files > 0 || b->bytes <= 0 || b->bytes != o->bytes ||
		    (b->etag && o->etag && !strchr(b->etag, '-') && !strchr(o->etag, '-') &&
		     strcmp(b->etag, o->etag) != 0))
			continue;
		if (found == NULL || strcmp(b->name, found->name) > 0)
			found = b;
	}
	return found;
}

/* What is called latest is a link, a text, a copy, or after all a backup of its own. */
static int resolve(struct catalog *c, struct storage *s, const struct backup *o,
		   struct list *backups, struct err *e)
{
	uint64_t *no_backup = counter(c, select_classify(o->name));
	const struct backup *from;
	bool found = false;

	if (o->link) {
		AUTO_FREE char *target = beside(o->name, o->link);

		add_pointer(c, o->name, target);
		return 0;
	}
	if (resolve_text(c, s, o, backups, &found, e) < 0 || found)
		return found ? 0 : -1;
	from = copied_from(backups, o);
	if (from)
		add_pointer(c, o->name, from->name);
	else if (no_backup)
		(*no_backup)++;
	else
		add_file(backups, o);
	return 0;
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
		if (f->as_of_ms > 0 && (select_moment(b) < 0 || select_moment(b) > f->as_of_ms)) {
			c->later++;
			select_free(b);
			continue;
		}
		backups->v[kept++] = *b;
	}
	c->v = backups->v;
	c->n = kept;
	if (kept > 1)
		qsort(c->v, kept, sizeof(*c->v), select_compare);
}

void catalog_keep(struct catalog *c, const struct backup *b)
{
	struct backup kept = *b;

	for (size_t i = 0; i < c->n; i++)
		if (&c->v[i] != b)
			select_free(&c->v[i]);
	c->v[0] = kept;
	c->n = 1;
}

/* Only the Nth newest stays. */
static void keep_nth(struct catalog *c, uint64_t nth)
{
	if (nth == 0)
		return;
	if (nth <= c->n) {
		catalog_keep(c, &c->v[c->n - nth]);
		return;
	}
	c->before_nth = c->n;
	for (size_t i = 0; i < c->n; i++)
		select_free(&c->v[i]);
	c->n = 0;
}

/* Is there a newer one than that which it stands for? */
static void judge_pointer(const struct catalog *c, struct catalog_pointer *p)
{
	const struct backup *target = find_named(c->v, c->n, p->target);
	const struct backup *newest = catalog_newest(c);

	if (target == NULL || target == newest || target->order_ms >= newest->order_ms)
		return;
	p->newer = xstrdup(newest->name);
	p->behind_ms = newest->order_ms - target->order_ms;
}

int catalog_load(struct catalog *c, struct storage *s, const struct catalog_filter *filter,
		 struct err *e)
{
	struct list objects = { 0 }, backups = { 0 }, named = { 0 };
	int rc;

	*c = (struct catalog){ 0 };
	rc = storage_list(s, take_object, &objects, e);
	c->objects = objects.v;
	c->n_objects = objects.n;
	if (rc < 0)
		return -1;
	if (objects.n > 1)
		qsort(objects.v, objects.n, sizeof(*objects.v), by_name);
	fold(c, &objects, storage_is_object(s), &backups, &named);
	for (size_t i = 0; i < named.n && rc == 0; i++)
		rc = resolve(c, s, &named.v[i], &backups, e);
	for (size_t i = 0; i < c->n_pointers; i++)
		c->pointers[i].there = find_named(backups.v, backups.n, c->pointers[i].target);
	for (size_t i = 0; i < named.n; i++)
		select_free(&named.v[i]);
	free(named.v);
	finish(c, s, filter, &backups);
	for (size_t i = 0; i < c->n_pointers; i++)
		judge_pointer(c, &c->pointers[i]);
	keep_nth(c, rc == 0 ? filter->nth : 0);
	return rc;
}

void catalog_free(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++)
		select_free(&c->v[i]);
	for (size_t i = 0; i < c->n_objects; i++)
		select_free(&c->objects[i]);
	for (size_t i = 0; i < c->n_pointers; i++) {
		free(c->pointers[i].name);
		free(c->pointers[i].target);
		free(c->pointers[i].newer);
	}
	free(c->v);
	free(c->objects);
	free(c->pointers);
	*c = (struct catalog){ 0 };
}

struct backup *catalog_named(const struct catalog *c, const char *name)
{
	return find_named(c->v, c->n, name);
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
	count_of(out, c->later, "are younger than --as-of, or of an unknown time");
	count_of(out, c->before_nth, "are backups, fewer than --nth");
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
