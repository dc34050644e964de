#include "lib/physical/look.h"

#include "lib/base/xmem.h"
#include "lib/storage/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int look_open(struct look *l, struct look_shared *shared, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->shared = shared;
	l->hash = hash_new();
	for (int i = 0; i < 2; i++)
		l->pieces[i] = xmalloc(PIECE_ASIDE);
	return hash_begin(l->hash, HASH_NONE, e);
}

/* Waits for what goes on beside. */
static int settle(struct look *l, struct err *e)
{
	if (!l->pending)
		return 0;
	l->pending = false;
	return beside_wait(l->beside, e);
}

void look_close(struct look *l)
{
	struct err ignored;

	(void)settle(l, &ignored);
	beside_free(&l->beside);
	for (int i = 0; i < 2; i++)
		free(l->pieces[i]);
	hash_free(&l->hash);
	incremental_free(&l->part);
	free(l->path);
}

/* The list's new end, or NULL when enough are kept. */
static void *another(void **list, size_t *n, uint64_t kept, size_t size)
{
	if (kept >= SURVEY_KEPT)
		return NULL;
	*list = xrealloc(*list, *n + 1, size);
	return (char *)*list + (*n)++ * size;
}

void look_found(struct look_shared *s, enum survey_kind kind, const char *path, const char *what)
{
	struct survey *out = s->out;
	struct survey_finding *f;

	(void)pthread_mutex_lock(&s->lock);
	f = another((void **)&out->findings, &out->n_findings, out->found[kind]++, sizeof(*f));
	if (f != NULL)
		*f = (struct survey_finding){ kind, xstrdup(path), what ? xstrdup(what) : NULL };
	(void)pthread_mutex_unlock(&s->lock);
}

void look_passed(struct look_shared *s, const char *path)
{
	(void)pthread_mutex_lock(&s->lock);
	strv_add(&s->out->closed, path);
	(void)pthread_mutex_unlock(&s->lock);
}

const char *look_way_out(int why)
{
	if (why == EACCES || why == EPERM)
		return "; run this as the owner of the backup";
	if (why == EIO)
		return "; its disk or file system fails: the kernel's log says more";
	return why == ESTALE ? "; mount its file system again" : "";
}

/* What has gone is a loss, whatever else is an obstacle of ours. */
static bool find_closed(struct look_shared *s, const char *path, int why)
{
	AUTO_FREE char *what = xasprintf("%s%s", strerror(why), look_way_out(why));
	const size_t n = strlen(path);
	AUTO_FREE char *name =
		n == 0 ? xstrdup(".") : xstrndup(path, path[n - 1] == '/' ? n - 1 : n);

	look_found(s, why == ENOENT ? FOUND_MISSING : FOUND_CLOSED, name,
		   why == ENOENT ? "it went while we looked" : what);
	return why != ENOENT;
}

void look_closed(struct look_shared *s, const char *path, int why)
{
	if (find_closed(s, path, why))
		look_passed(s, path);
}

static void bad_page(struct look *l, enum survey_fault fault, const unsigned char *page)
{
	const uint16_t ought = page_checksum(page, l->page_size, l->block);
	struct survey *out = l->shared->out;
	struct survey_page *p;

	(void)pthread_mutex_lock(&l->shared->lock);
	p = another((void **)&out->bad_pages, &out->n_bad_pages, out->faults[fault]++, sizeof(*p));
	if (p != NULL)
		*p = (struct survey_page){ xstrdup(l->path), l->block, fault, page_stored(page),
					   ought };
	(void)pthread_mutex_unlock(&l->shared->lock);
}

bool look_unlisted(const char *path)
{
	static const char *const names[] = { "backup_manifest", "postgresql.auto.conf",
					     "recovery.signal", "standby.signal" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(path, names[i]) == 0)
			return true;
	return strncmp(path, "pg_wal/", 7) == 0;
}

static bool tells_of_cluster(const char *path)
{
	return strcmp(path, "global/pg_control") == 0 || strcmp(path, "backup_label") == 0 ||
	       strcmp(path, "PG_VERSION") == 0;
}

static void find_entry(struct look *l)
{
	struct look_shared *s = l->shared;
	const struct manifest *m = s->opts->manifest;

	l->entry = m && !look_unlisted(l->path) ? manifest_find(m, l->path) : NULL;
	if (l->entry != NULL)
		s->seen[l->entry - m->files] = true;
	else if (m != NULL && !look_unlisted(l->path))
		look_found(s, FOUND_EXTRA, l->path, NULL);
}

/* "pg_wal/000000010000000000000002" */
static bool segment_file(const char *path)
{
	return strncmp(path, "pg_wal/", 7) == 0 && strlen(path + 7) == WAL_NAME_SIZE - 1 &&
	       strspn(path + 7, "0123456789ABCDEF") == WAL_NAME_SIZE - 1;
}

/* A part of a relation's segment, in an incremental backup? */
static bool part_file(struct look *l)
{
	const struct look_shared *s = l->shared;
	AUTO_FREE char *whole = incremental_whole(l->path);

	if (whole == NULL || !page_file(whole, s->pages_per_segment, &l->part_first))
		return false;
	incremental_begin(&l->part, (uint32_t)s->page_size, s->pages_per_segment);
	l->part_pages = 0;
	return true;
}

/* How the content of the file is to be looked at. */
static void choose(struct look *l)
{
	const struct look_shared *s = l->shared;

	l->as = LOOK_BYTES;
	if (s->opts->pages && page_file(l->path, s->pages_per_segment, &l->block)) {
		l->as = LOOK_PAGES;
		l->page_size = s->page_size;
	} else if (s->opts->pages && part_file(l)) {
		l->as = LOOK_PART;
		l->page_size = s->page_size;
	} else if (s->opts->pages && segment_file(l->path)) {
		l->as = LOOK_WAL;
		l->page_size = WAL_PAGE_SIZE;
		memset(&l->wal, 0, sizeof(l->wal));
		memcpy(l->wal.name, l->path + 7, WAL_NAME_SIZE);
	}
}

int look_begin(struct look *l, const char *path, struct err *e)
{
	const struct look_shared *s = l->shared;

	/* A file before it may have ended early. */
	if (settle(l, e) < 0)
		return -1;
	free(l->path);
	l->path = xstrdup(path);
	find_entry(l);
	l->bytes = l->pages = l->new_pages = l->torn_pages = 0;
	l->page_n = l->small_n = 0;
	l->keep = tells_of_cluster(path);
	choose(l);
	return hash_begin(l->hash, s->opts->sums && l->entry ? l->entry->algorithm : HASH_NONE, e);
}

/* The pages of a segment from its first to the first one that is of another (a segment is used
 * again without being emptied). */
static void look_at_wal(struct look *l, const unsigned char *p)
{
	struct survey_wal *w = &l->wal;

	if (w->bytes == 0) {
		w->has_header = wal_header(p, &w->header);
		w->sound_until = w->header.lsn + (w->has_header ? l->page_size : 0);
	} else if (w->has_header && w->sound_until == w->header.lsn + w->bytes &&
		   wal_page(p, &w->header, w->sound_until)) {
		w->sound_until += l->page_size;
	}
	w->bytes += l->page_size;
}

static void note_new(struct look *l)
{
	if (l->new_pages++ == 0)
		l->first_new = l->block;
}

static void look_at_page(struct look *l, const unsigned char *p)
{
	const struct look_shared *s = l->shared;

	if (l->as == LOOK_WAL) {
		look_at_wal(l, p);
		return;
	}
	if (l->as == LOOK_PART) {
		if (l->part_pages == l->part.blocks)
			return; /* its size will be told */
		l->block = l->part_first + l->part.numbers[l->part_pages++];
	}
	const enum page_state state = page_look(p, s->page_size, l->block, true);
	const uint64_t lsn = page_lsn(p), start = __atomic_load_n(&s->start, __ATOMIC_RELAXED);

	l->pages++;
	if (state == PAGE_NEW)
		note_new(l);
	else if (state != PAGE_SOUND && lsn >= start && lsn < s->end)
		l->torn_pages++;
	else if (state == PAGE_HEADER)
		bad_page(l, FAULT_HEADER, p);
	else if (state == PAGE_CHECKSUM)
		bad_page(l, page_stored(p) ? FAULT_CHECKSUM : FAULT_NO_CHECKSUM, p);
	l->block++;
}

/* Whole pages are looked at where they lie; one that comes in pieces is put together first. */
static void add_pages(struct look *l, const unsigned char *p, size_t n)
{
	const size_t size = l->page_size;

	while (n > 0) {
		if (l->page_n == 0 && n >= size) {
			look_at_page(l, p);
			p += size;
			n -= size;
			continue;
		}
		const size_t take = n < size - l->page_n ? n : size - l->page_n;

		memcpy(l->page + l->page_n, p, take);
		l->page_n += take;
		p += take;
		n -= take;
		if (l->page_n == size) {
			look_at_page(l, l->page);
			l->page_n = 0;
		}
	}
}

unsigned char *look_piece(struct look *l, bool idle, size_t *n)
{
	const bool slow = l->shared->opts->sums && l->entry && l->entry->algorithm > HASH_CRC32C;

	*n = idle && slow ? PIECE_ASIDE : PIECE;
	l->turn ^= 1;
	return l->pieces[l->turn];
}

static int add_hash(void *hash, const void *p, size_t n, struct err *e)
{
	return hash_add(hash, p, n, e);
}

static int add_to_sum(struct look *l, const unsigned char *p, size_t n, struct err *e)
{
	if (settle(l, e) < 0)
		return -1;
	if (n == PIECE_ASIDE && l->beside == NULL)
		l->beside = beside_new();
	if (n < PIECE_ASIDE || l->beside == NULL)
		return hash_add(l->hash, p, n, e);
	beside_start(l->beside, add_hash, l->hash, p, n);
	l->pending = true;
	return 0;
}

int look_add(struct look *l, const unsigned char *p, size_t n, struct err *e)
{
	size_t header = 0;

	if (l->keep) {
		const size_t room = sizeof(l->small) - l->small_n;

		memcpy(l->small + l->small_n, p, n < room ? n : room);
		l->small_n += n < room ? n : room;
	}
	l->bytes += n;
	if (add_to_sum(l, p, n, e) < 0)
		return -1;
	if (l->as == LOOK_PART)
		header = incremental_take(&l->part, p, n);
	if (l->as != LOOK_BYTES)
		add_pages(l, p + header, n - header);
	return 0;
}

static void take_small(struct look *l)
{
	struct survey *out = l->shared->out;
	const char *text = (const char *)l->small;

	if (strcmp(l->path, "PG_VERSION") == 0 && out->version == NULL) {
		out->version = xstrndup(text, l->small_n);
		out->version[strcspn(out->version, "\r\n")] = '\0';
	} else if (strcmp(l->path, "backup_label") == 0 && !out->has_label) {
		out->has_label =
			label_parse(text, l->small_n, l->path, &out->label, &out->label_error) == 0;
		if (out->has_label && l->shared->start == UINT64_MAX)
			__atomic_store_n(&l->shared->start, out->label.start, __ATOMIC_RELAXED);
	} else if (strcmp(l->path, "global/pg_control") == 0 && !out->has_control) {
		out->has_control = control_parse(l->small, l->small_n, l->path, &out->control,
						 &out->control_error) == 0;
	}
}

static void count(struct look *l)
{
	struct survey *out = l->shared->out;

	(void)pthread_mutex_lock(&l->shared->lock);
	out->files++;
	out->bytes += l->bytes;
	out->pages += l->pages;
	out->new_pages += l->new_pages;
	out->torn_pages += l->torn_pages;
	if (l->keep)
		take_small(l);
	if (l->as == LOOK_WAL) {
		out->wal = xrealloc(out->wal, out->n_wal + 1, sizeof(*out->wal));
		l->wal.bytes = l->bytes;
		out->wal[out->n_wal++] = l->wal;
	}
	(void)pthread_mutex_unlock(&l->shared->lock);
}

static int compare_sum(struct look *l, struct err *e)
{
	const enum hash_kind kind = l->entry->algorithm;
	unsigned char sum[HASH_MAX];
	char is[2 * HASH_MAX + 1], want[2 * HASH_MAX + 1], zeros[80] = "", what[200];

	if (!l->shared->opts->sums || kind == HASH_NONE)
		return 0;
	if (hash_end(l->hash, sum, e) < 0)
		return -1;
	(void)__atomic_add_fetch(&l->shared->out->sums, 1, __ATOMIC_RELAXED);
	if (memcmp(sum, l->entry->sum, hash_size(kind)) == 0)
		return 0;
	digest_print(sum, hash_size(kind), is);
	digest_print(l->entry->sum, hash_size(kind), want);
	if (l->new_pages)
		(void)snprintf(zeros, sizeof(zeros),
			       "; %" PRIu64
			       " of its pages are all zero, the first is page %" PRIu32,
			       l->new_pages, l->first_new);
	(void)snprintf(what, sizeof(what), "%s %.16s instead of %.16s%s", hash_name(kind), is, want,
		       zeros);
	look_found(l->shared, FOUND_SUM, l->path, what);
	return 0;
}

/* Tells whether the size is the manifest's. */
static bool compare_size(const struct look *l, uint64_t bytes)
{
	char what[80];

	if (l->entry == NULL || bytes == l->entry->size_b)
		return true;
	(void)snprintf(what, sizeof(what), "%" PRIu64 " bytes instead of %" PRIu64, bytes,
		       l->entry->size_b);
	look_found(l->shared, FOUND_SIZE, l->path, what);
	return false;
}

int look_end(struct look *l, struct err *e)
{
	char what[80];

	if (settle(l, e) < 0)
		return -1;
	count(l);
	if (l->as == LOOK_PAGES && l->page_n > 0) {
		(void)snprintf(what, sizeof(what), "%" PRIu64 " bytes: no whole number of pages",
			       l->bytes);
		look_found(l->shared, FOUND_SIZE, l->path, what);
	}
	if (l->as == LOOK_PART) {
		incremental_end(&l->part, l->bytes);
		if (l->part.wrong)
			look_found(l->shared, FOUND_DAMAGED, l->path, l->part.wrong);
	}
	return compare_size(l, l->bytes) && l->entry ? compare_sum(l, e) : 0;
}

void look_failed(struct look *l, int why, uint64_t bytes)
{
	if (find_closed(l->shared, l->path, why)) {
		(void)compare_size(l, bytes);
		/* Of these it matters whether they are missing. */
		if (l->keep || l->as == LOOK_WAL)
			look_passed(l->shared, l->path);
	}
}
