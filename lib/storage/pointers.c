#include "lib/storage/pointers.h"

#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { POINTER_TEXT_MAX = 4096 };

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

/* A small text whose only line names a backup, by its path or its last part. */
static int read_text(struct pointer *p, struct storage *s, struct err *e)
{
	const struct backup *o = &p->object;
	const char *dot = strrchr(o->name, '.'), *slash;
	BUF_AUTO text = BUF_INIT(POINTER_TEXT_MAX);

	if (o->bytes > POINTER_TEXT_MAX)
		return 0;
	if (storage_slurp(s, o->name, &text, e) < 0)
		return -1;
	while (text.len > 0 && strchr(" \t\r\n/", text.s[text.len - 1]))
		text.s[--text.len] = '\0';
	if (!is_text(&text) || strcspn(text.s, "\r\n") != text.len)
		return 0;
	slash = strrchr(text.s, '/');
	p->target = beside(o->name, slash ? slash + 1 : text.s);
	/* Another name could be a small dump's as well. */
	p->certain = dot == NULL || strcasecmp(dot, ".txt") == 0;
	return 0;
}

int pointers_add(struct pointers *p, struct storage *s, const struct backup *o, struct err *e)
{
	struct pointer *added;

	p->v = xrealloc(p->v, p->n + 1, sizeof(*p->v));
	added = &p->v[p->n++];
	*added = (struct pointer){ .object = select_copy(o) };
	if (o->link == NULL)
		return read_text(added, s, e);
	added->target = beside(o->name, o->link);
	added->certain = true;
	return 0;
}

void pointers_free(struct pointers *p)
{
	for (size_t i = 0; i < p->n; i++) {
		select_free(&p->v[i].object);
		free(p->v[i].target);
		free(p->v[i].newer);
		free(p->v[i].copy_of);
	}
	free(p->v);
	*p = (struct pointers){ 0 };
}

bool pointer_names(const char *target, const struct backup *b)
{
	size_t n = strlen(target);

	return strncmp(b->name, target, n) == 0 && (b->name[n] == '\0' || b->name[n] == '/');
}

/* Files of the same size, unless their ETags tell them apart. */
static bool may_be_copy(const struct backup *o, const struct backup *b)
{
	if (b->files > 0 || b->bytes <= 0 || b->bytes != o->bytes || o->link)
		return false;
	return b->etag == NULL || o->etag == NULL || strchr(b->etag, '-') || strchr(o->etag, '-') ||
	       strcmp(b->etag, o->etag) == 0;
}

void pointers_see(struct pointers *p, const struct backup *b)
{
	for (size_t i = 0; i < p->n; i++) {
		struct pointer *one = &p->v[i];

		one->there |= one->target && pointer_names(one->target, b);
		/* The newest dated one. */
		if (may_be_copy(&one->object, b) &&
		    (one->copy_of == NULL || strcmp(b->name, one->copy_of) > 0)) {
			free(one->copy_of);
			one->copy_of = xstrdup(b->name);
		}
	}
}

bool pointer_settle(struct pointer *p)
{
	if (p->target && (p->there || p->certain))
		return true;
	free(p->target);
	p->target = p->copy_of;
	p->copy_of = NULL;
	p->there = p->target != NULL;
	return p->there;
}

void pointers_date(struct pointers *p, const struct backup *b)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].target && pointer_names(p->v[i].target, b)) {
			p->v[i].listed = true;
			p->v[i].target_ms = b->order_ms;
		}
}

void pointers_judge(struct pointers *p, const struct backup *newest)
{
	for (size_t i = 0; i < p->n; i++) {
		struct pointer *one = &p->v[i];

		if (!one->listed || one->target_ms >= newest->order_ms)
			continue;
		one->newer = xstrdup(newest->name);
		one->behind_ms = newest->order_ms - one->target_ms;
	}
}

const char *pointers_target(const struct pointers *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].target && strcmp(p->v[i].object.name, name) == 0)
			return p->v[i].target;
	return NULL;
}
