#include "lib/physical/walarchive.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/dump/stream.h"
#include "lib/physical/walfile.h"
#include "lib/physical/walread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_MAX_B = 1024 * 1024, SIZES_TRIED = 16 };

struct small {
	char *object;
	char stem[WALFILE_STEM];
	enum walfile_kind kind;
};

struct listing {
	struct walarchive *a;
	size_t room;
	struct small *small;
	size_t n_small;
};

static int see(const struct storage_object *o, void *ctx, struct err *e)
{
	struct listing *l = ctx;
	struct walarchive *a = l->a;
	char stem[WALFILE_STEM];
	enum walfile_kind kind;
	struct walseg *s;

	(void)e;
	if (o->link != NULL || !walfile_of(o->name, &kind, stem)) {
		a->others++;
		return 0;
	}
	if (kind == WALFILE_LABEL || kind == WALFILE_HISTORY) {
		l->small = xrealloc(l->small, l->n_small + 1, sizeof(*l->small));
		l->small[l->n_small] = (struct small){ .object = xstrdup(o->name), .kind = kind };
		memcpy(l->small[l->n_small++].stem, stem, sizeof(stem));
		return 0;
	}
	if (a->n_segs == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		a->segs = xrealloc(a->segs, l->room, sizeof(*a->segs));
	}
	s = &a->segs[a->n_segs++];
	*s = (struct walseg){ .object = xstrdup(o->name),
			      .etag = xstrdup(o->etag),
			      .bytes = o->bytes,
			      .modified_ms = o->modified_ms,
			      .partial = kind == WALFILE_PARTIAL };
	memcpy(s->name, stem, sizeof(s->name));
	return 0;
}

/* A small file, unpacked, with its NUL. */
static int slurp(struct walarchive *a, const char *object, struct buf *out, struct err *e)
{
	STREAM_AUTO *s = walread_open(a->storage, object, a->keys, e);
	const unsigned char *p;
	ssize_t n;

	if (s == NULL)
		return -1;
	while ((n = stream_next(s, &p, e)) > 0)
		buf_add(out, p, (size_t)n);
	if (n == 0 && out->full)
		return err_set(e, ERR_BACKUP, "read %s: damaged: longer than %d bytes", object,
			       SMALL_MAX_B);
	return (int)n;
}

static void load_history(struct walarchive *a, const struct small *f)
{
	struct walhistory h = { .timeline = (uint32_t)strtoul(f->stem, NULL, 16) };
	BUF_AUTO text = BUF_INIT(SMALL_MAX_B);

	if (slurp(a, f->object, &text, &h.e) == 0)
		(void)walpath_parse(text.s, h.timeline, f->object, &h.path, &h.e);
	a->histories = xrealloc(a->histories, a->n_histories + 1, sizeof(*a->histories));
	a->histories[a->n_histories++] = h;
}

static bool has_backup(const struct walarchive *a, const struct label *label)
{
	for (size_t i = 0; i < a->n_backups; i++)
		if (a->backups[i].label.start == label->start &&
		    a->backups[i].label.timeline == label->timeline)
			return true;
	return false;
}

static int by_start(const void *a, const void *b)
{
	const struct walbackup *x = a, *y = b;

	return (x->label.start > y->label.start) - (x->label.start < y->label.start);
}

void walarchive_add_backup(struct walarchive *a, const char *name, const struct label *label)
{
	if (has_backup(a, label))
		return;
	a->backups = xrealloc(a->backups, a->n_backups + 1, sizeof(*a->backups));
	a->backups[a->n_backups++] = (struct walbackup){ .name = xstrdup(name), .label = *label };
	qsort(a->backups, a->n_backups, sizeof(*a->backups), by_start);
}

static void load_label(struct walarchive *a, const struct small *f)
{
	BUF_AUTO text = BUF_INIT(SMALL_MAX_B);
	struct label label;
	struct err e = { 0 };

	if (slurp(a, f->object, &text, &e) < 0 ||
	    label_parse(text.s, text.len, f->object, &label, &e) < 0) {
		if (a->label_error.kind == ERR_NONE)
			a->label_error = e;
		return;
	}
	/* Before PostgreSQL 11 only the name says it. */
	if (label.timeline == 0)
		(void)sscanf(f->stem, "%8x", &label.timeline);
	walarchive_add_backup(a, f->stem, &label);
}

static int by_timeline(const void *a, const void *b)
{
	const struct walhistory *x = a, *y = b;

	return (x->timeline > y->timeline) - (x->timeline < y->timeline);
}

static int by_place(const void *a, const void *b)
{
	const struct walseg *x = a, *y = b;
	const int names = strcmp(x->name, y->name);

	if (names != 0)
		return names;
	if (x->partial != y->partial)
		return x->partial ? 1 : -1;
	return strcmp(x->object, y->object);
}

/* All segments of a cluster have the same size: what the first sound one says. */
static int find_size(struct walarchive *a, struct err *e)
{
	struct err first = { 0 };

	for (size_t i = 0; i < a->n_segs && i < SIZES_TRIED; i++) {
		/* The newest are the likeliest to be there in a moment still. */
		struct err why = { 0 };
		STREAM_AUTO *s =
			walread_open(a->storage, a->segs[a->n_segs - 1 - i].object, a->keys, &why);
		unsigned char p[WAL_HEADER_SIZE];
		struct wal_header h;

		if (s != NULL && stream_read(s, p, sizeof(p), &why) == sizeof(p) &&
		    wal_header(p, &h)) {
			a->segment_b = h.segment_size;
			a->system_identifier = h.system_identifier;
			return 0;
		}
		if (first.kind == ERR_NONE)
			first = why;
	}
	if (first.kind != ERR_NONE && first.kind != ERR_BACKUP) {
		*e = first;
		return -1;
	}
	return err_set(e, ERR_BACKUP, "read %s: none of its newest segments begins as WAL does",
		       storage_shown(a->storage));
}

/* The part of a name that pgBackRest gives each cluster that a stanza had, "15-1"; NULL: none. */
static const char *cluster_of(const char *object, size_t *n)
{
	static const char digits[] = "0123456789";

	for (const char *s = object, *slash; (slash = strchr(s, '/')) != NULL; s = slash + 1) {
		const size_t major = strspn(s, digits);
		const size_t number = s[major] == '-' ? strspn(s + major + 1, digits) : 0;

		*n = major + 1 + number;
		if (major > 0 && number > 0 && s + *n == slash)
			return s;
	}
	return NULL;
}

/* Positions of several clusters are not comparable. */
static int be_of_one_cluster(const struct walarchive *a, struct err *e)
{
	size_t n, other_n;
	const char *first = cluster_of(a->segs[0].object, &n), *other;

	for (size_t i = 1; first != NULL && i < a->n_segs; i++) {
		other = cluster_of(a->segs[i].object, &other_n);
		if (other != NULL && (other_n != n || memcmp(other, first, n) != 0))
			return err_set(e, ERR_USAGE,
				       "look at %s: it has the WAL of several clusters, %.*s and "
				       "%.*s; name the directory of one of them",
				       storage_shown(a->storage), (int)n, first, (int)other_n,
				       other);
	}
	return 0;
}

static int place_all(struct walarchive *a, struct err *e)
{
	size_t kept = 0;

	if (a->n_segs == 0)
		return err_set(e, ERR_BACKUP, "find WAL: there is no segment in %s",
			       storage_shown(a->storage));
	qsort(a->segs, a->n_segs, sizeof(*a->segs), by_place);
	if (be_of_one_cluster(a, e) < 0 || find_size(a, e) < 0)
		return -1;
	for (size_t i = 0; i < a->n_segs; i++) {
		struct walseg *s = &a->segs[i];

		if (wal_of_name(s->name, a->segment_b, &s->timeline, &s->lsn)) {
			a->segs[kept++] = *s;
			continue;
		}
		a->others++;
		free(s->object);
		free(s->etag);
	}
	a->n_segs = kept;
	return 0;
}

int walarchive_open(struct walarchive *a, const char *source, const struct storage_options *options,
		    const struct keys *keys, struct err *e)
{
	struct listing l = { .a = a };
	int status;

	*a = (struct walarchive){ .storage = storage_open(source, options, e), .keys = keys };
	if (a->storage == NULL)
		return -1;
	status = storage_list(a->storage, see, &l, e);
	if (status == 0)
		status = place_all(a, e);
	for (size_t i = 0; i < l.n_small; i++) {
		if (status == 0 && l.small[i].kind == WALFILE_HISTORY)
			load_history(a, &l.small[i]);
		else if (status == 0)
			load_label(a, &l.small[i]);
		free(l.small[i].object);
	}
	free(l.small);
	if (a->n_histories > 0)
		qsort(a->histories, a->n_histories, sizeof(*a->histories), by_timeline);
	return status;
}

void walarchive_close(struct walarchive *a)
{
	for (size_t i = 0; i < a->n_segs; i++) {
		free(a->segs[i].object);
		free(a->segs[i].etag);
		free(a->segs[i].why);
	}
	for (size_t i = 0; i < a->n_backups; i++)
		free(a->backups[i].name);
	for (size_t i = 0; i < a->n_histories; i++)
		walpath_free(&a->histories[i].path);
	free(a->segs);
	free(a->backups);
	free(a->histories);
	storage_close(&a->storage);
	*a = (struct walarchive){ 0 };
}
