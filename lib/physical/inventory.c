#include "lib/physical/inventory.h"

#include "lib/base/io.h"
#include "lib/base/xmem.h"
#include "lib/physical/incremental.h"
#include "lib/physical/tarset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 16 };

static void add_item(struct inventory *l, const char *path, const char *inside, uint64_t bytes)
{
	l->items = xrealloc(l->items, l->n + 1, sizeof(*l->items));
	l->items[l->n++] =
		(struct inventory_item){ xstrdup(path), inside ? xstrdup(inside) : NULL, bytes };
}

/* --- the directory ---------------------------------------------------------------------------- */

struct walk {
	struct look_shared *shared;
	struct inventory *list;
};

/* Links that PostgreSQL itself makes: tablespaces, and a WAL directory elsewhere. */
static bool link_allowed(const char *path)
{
	return strcmp(path, "pg_wal") == 0 ||
	       (strncmp(path, "pg_tblspc/", 10) == 0 && strchr(path + 10, '/') == NULL);
}

/* What it is, followed when it is a link that PostgreSQL makes. False: nothing more in the
 * directory can be told either, for it may not be searched. */
static bool tell(const struct walk *w, int dir, const char *prefix, const char *name,
		 const char *path, struct stat *st)
{
	AUTO_FREE char *below = NULL;

	st->st_mode = 0;
	if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0) {
		const bool search = errno == EACCES;

		look_closed(w->shared, search ? prefix : path, errno);
		return !search;
	}
	if (S_ISLNK(st->st_mode) && link_allowed(path) && fstatat(dir, name, st, 0) < 0) {
		st->st_mode = 0;
		below = xasprintf("%s/", path);
		if (errno == ENOENT)
			look_found(w->shared, FOUND_MISSING, path, "what it links to is not here");
		else
			look_closed(w->shared, below, errno);
	}
	return true;
}

static void walk(const struct walk *w, int dir, const char *prefix, unsigned depth);

/* False as tell(). */
static bool visit(const struct walk *w, int dir, const char *prefix, const char *name,
		  unsigned depth)
{
	AUTO_FREE char *path = xasprintf("%s%s", prefix, name);
	AUTO_FREE char *below = xasprintf("%s/", path);
	struct stat st;
	int sub;

	if (!tell(w, dir, prefix, name, path, &st))
		return false;
	if (st.st_mode == 0)
		return true;
	if (S_ISREG(st.st_mode)) {
		add_item(w->list, path, NULL, (uint64_t)st.st_size);
	} else if (!S_ISDIR(st.st_mode)) {
		look_found(w->shared, FOUND_LINK, path, "neither a file nor a directory");
	} else if (depth == DEPTH_MAX) {
		look_found(w->shared, FOUND_LINK, path, "too many directories deep");
	} else {
		sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0)
			look_closed(w->shared, below, errno);
		else
			walk(w, sub, below, depth + 1);
	}
	return true;
}

/* Takes dir over. */
static void walk(const struct walk *w, int dir, const char *prefix, unsigned depth)
{
	DIR *d = fdopendir(dir);
	const struct dirent *entry;

	if (d == NULL) {
		look_closed(w->shared, prefix, errno);
		io_close(&dir);
		return;
	}
	errno = 0;
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !visit(w, dir, prefix, entry->d_name, depth))
			break;
		errno = 0;
	}
	if (entry == NULL && errno != 0)
		look_closed(w->shared, prefix, errno);
	(void)closedir(d);
}

/* --- tars ------------------------------------------------------------------------------------- */

static void find_tars(struct inventory *l, struct survey *out)
{
	struct inventory all = *l;

	for (size_t i = 0; i < all.n && !out->tars; i++)
		out->tars = strncmp(all.items[i].path, "base.tar", 8) == 0;
	if (!out->tars)
		return;
	*l = (struct inventory){ NULL, 0 };
	for (size_t i = 0; i < all.n; i++) {
		AUTO_FREE char *inside = tarset_place(all.items[i].path);

		if (inside != NULL)
			add_item(l, all.items[i].path, inside, all.items[i].bytes);
	}
	inventory_free(&all);
}

/* --- segments --------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct inventory_item *)a)->path,
		      ((const struct inventory_item *)b)->path);
}

/* The segment of the same relation before the one in path, whose first page is block. */
static char *segment_before(const char *path, uint32_t block, uint32_t pages_per_segment)
{
	const int stem = (int)(strrchr(path, '.') - path);

	if (block == pages_per_segment)
		return xstrndup(path, (size_t)stem);
	return xasprintf("%.*s.%" PRIu32, stem, path, block / pages_per_segment - 1);
}

static const struct inventory_item *find(const struct inventory *l, char *path)
{
	const struct inventory_item key = { .path = path };

	return l->n ? bsearch(&key, l->items, l->n, sizeof(key), by_path) : NULL;
}

/* Is the segment before that of path there and full? Of an incremental backup a part may be. */
static void look_before(const struct inventory *l, const char *path, struct look_shared *s)
{
	const uint32_t pages = s->pages_per_segment;
	AUTO_FREE char *whole = incremental_whole(path), *key = NULL, *part = NULL;
	const struct inventory_item *before;
	uint32_t block;

	path = whole ? whole : path;
	if (!page_file(path, pages, &block) || block == 0)
		return;
	key = segment_before(path, block, pages);
	part = incremental_part(key);
	before = find(l, key);
	if (before == NULL ? !find(l, part) && !survey_closed(s->out, key)
			   : before->bytes != (uint64_t)s->page_size * pages)
		look_found(s, FOUND_SEGMENT, key,
			   before ? "short, though the relation goes on in another segment"
				  : "missing, though the relation goes on in another segment");
}

/* Everything before segment N of a relation must be there and full. Told from names and sizes, so
 * it holds for backups without a manifest. */
static void find_short_segments(const struct inventory *l, struct look_shared *s)
{
	if (l->n > 0)
		qsort(l->items, l->n, sizeof(*l->items), by_path);
	for (size_t i = 0; i < l->n; i++)
		look_before(l, l->items[i].path, s);
}

/* --- the whole -------------------------------------------------------------------------------- */

void inventory_take(int dir, struct look_shared *s, struct inventory *out)
{
	const struct walk w = { s, out };
	int own = fcntl(dir, F_DUPFD_CLOEXEC, 0);

	*out = (struct inventory){ NULL, 0 };
	if (s->opts->lone) {
		add_item(out, s->opts->lone, "", 0);
		s->out->tars = true;
		io_close(&own);
		return;
	}
	if (own < 0)
		look_closed(s, "", errno);
	else
		walk(&w, own, "", 0);
	find_tars(out, s->out);
	if (!s->out->tars)
		find_short_segments(out, s);
}

static int largest_first(const void *a, const void *b)
{
	const uint64_t x = ((const struct inventory_item *)a)->bytes,
		       y = ((const struct inventory_item *)b)->bytes;

	return (x < y) - (x > y);
}

void inventory_sort(struct inventory *l)
{
	static const char *const first[] = { "PG_VERSION", "backup_label", "global/pg_control" };
	size_t front = 0;

	for (size_t k = 0; k < sizeof(first) / sizeof(*first); k++)
		for (size_t i = front; i < l->n; i++)
			if (strcmp(l->items[i].path, first[k]) == 0) {
				const struct inventory_item it = l->items[i];

				l->items[i] = l->items[front];
				l->items[front++] = it;
				break;
			}
	if (l->n > front)
		qsort(l->items + front, l->n - front, sizeof(*l->items), largest_first);
}

void inventory_free(struct inventory *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].path);
		free(l->items[i].inside);
	}
	free(l->items);
	*l = (struct inventory){ NULL, 0 };
}
