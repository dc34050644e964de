#include "lib/physical/ancestry.h"

#include "lib/base/xmem.h"
#include "lib/storage/select.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_SAID = 7 };

struct relative {
	char *path; /* owned */
	struct walneed need;
};

/* What lies beside a backup and may be what it builds on. */
struct family {
	const struct keys *keys;
	bool files; /* a backup may be one file */
	struct relative *v;
	size_t n;
	size_t closed; /* what we may not read */
	size_t mute;   /* backups that do not say where they began */
};

static void family_free(struct family *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].path);
	free(f->v);
}

bool ancestry_fits(const struct walneed *child, const struct walneed *need)
{
	return child->label.prior_start != 0 && child->label.prior_start == need->label.start &&
	       child->label.prior_timeline == need->label.timeline &&
	       (child->system_identifier == 0 || need->system_identifier == 0 ||
		child->system_identifier == need->system_identifier);
}

/* ---- who is there ------------------------------------------------------------------- */

static void meet(struct family *f, const char *path)
{
	struct relative r = { .path = NULL };
	struct err e;
	struct stat st;
	int found;

	if (stat(path, &st) < 0 || !(S_ISDIR(st.st_mode) || (f->files && S_ISREG(st.st_mode))))
		return;
	if (access(path, S_ISDIR(st.st_mode) ? R_OK | X_OK : R_OK) < 0) {
		f->closed++;
		return;
	}
	found = walneed_of_path(path, f->keys, &r.need, &e);
	if (found < 0)
		*(e.kind == ERR_BACKUP ? &f->mute : &f->closed) += 1;
	if (found <= 0)
		return;
	r.path = xstrdup(path);
	f->v = xrealloc(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = r;
}

/* All FOLDER/NAME, or all FOLDER/NAME/BELOW. */
static void meet_all(struct family *f, const char *folder, const char *below)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		AUTO_FREE char *path = below ? xasprintf("%s/%s/%s", folder, entry->d_name, below)
					     : xasprintf("%s/%s", folder, entry->d_name);

		if (select_classify(entry->d_name) != SELECT_IN_PROGRESS)
			meet(f, path);
	}
	if (d != NULL)
		(void)closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct relative *)a)->path, ((const struct relative *)b)->path);
}

/* Cuts the last part off; "" is the root. */
static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash != NULL)
		*slash = '\0';
}

/* path is absolute, and holds no link. */
static void gather(struct family *f, const char *path)
{
	AUTO_FREE char *folder = xstrdup(path);

	go_up(folder);
	meet_all(f, *folder ? folder : "/", NULL);
	if (*folder) {
		const char *name = path + strlen(folder) + 1;

		go_up(folder);
		meet_all(f, *folder ? folder : "/", name);
	}
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_path);
}

/* ---- who of them it is -------------------------------------------------------------- */

/* What else is to be said of those that are there. */
static void add_others(const struct family *f, const struct relative *child, struct buf *out)
{
	struct walneed any = child->need;

	any.system_identifier = 0;
	for (size_t i = 0; i < f->n; i++)
		if (ancestry_fits(&any, &f->v[i].need))
			buf_addf(out, "; %.200s did, of another cluster", f->v[i].path);
	if (f->mute > 0)
		buf_addf(out, "; backups that do not say where they began: %zu", f->mute);
	if (f->closed > 0)
		buf_addf(out, "; what may not be read: %zu, change its mode or owner", f->closed);
}

/* What may not be read may be it. */
static int missing(const struct family *f, const struct relative *child, struct err *e)
{
	const uint64_t lsn = child->need.label.prior_start;
	BUF_AUTO others = BUF_INIT(4096);

	add_others(f, child, &others);
	return err_set(e, f->closed ? ERR_SYSTEM : ERR_BACKUP,
		       "find what %.300s builds on: no backup beside it began at %" PRIX32
		       "/%" PRIX32 " on timeline %" PRIu32
		       "%.500s; without that one it restores nothing",
		       child->path, (uint32_t)(lsn >> 32), (uint32_t)lsn,
		       child->need.label.prior_timeline, others.len ? others.s : "");
}

static const struct relative *parent_of(const struct family *f, const struct relative *child)
{
	for (size_t i = 0; i < f->n; i++)
		if (ancestry_fits(&child->need, &f->v[i].need))
			return &f->v[i];
	return NULL;
}

/* The youngest comes first. */
static int climb(const struct family *f, const struct relative *first, struct strv *up,
		 struct err *e)
{
	const struct relative *r = first;

	while (r->need.label.prior_start != 0) {
		const struct relative *parent = parent_of(f, r);

		if (parent == NULL)
			return missing(f, r, e);
		if (up->n == ANCESTRY_MAX)
			return err_set(e, ERR_BACKUP,
				       "find what %.300s builds on: more than %d backups, or a "
				       "circle of them",
				       first->path, ANCESTRY_MAX);
		strv_add(up, parent->path);
		r = parent;
	}
	return 0;
}

int ancestry_find(const char *path, const struct keys *keys, struct strv *out, struct err *e)
{
	struct family f = { .keys = keys };
	char absolute[PATH_MAX];
	struct relative first = { .path = absolute };
	STRV_AUTO up = { 0 };
	struct stat st;
	int ret;

	if (realpath(path, absolute) == NULL || stat(absolute, &st) < 0)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (walneed_of_path(absolute, keys, &first.need, e) <= 0 ||
	    first.need.label.prior_start == 0)
		return 0;
	f.files = S_ISREG(st.st_mode);
	gather(&f, absolute);
	ret = climb(&f, &first, &up, e);
	for (size_t i = up.n; ret == 0 && i > 0; i--)
		strv_add(out, up.v[i - 1]);
	family_free(&f);
	return ret;
}

/* ---- their names -------------------------------------------------------------------- */

const char *ancestry_name(const char *ancestor, const char *youngest)
{
	const char *a = strrchr(ancestor, '/'), *y = strrchr(youngest, '/');

	if (a == NULL || y == NULL)
		return ancestor;
	if (strcmp(a, y) != 0)
		return a + 1;
	while (a > ancestor && a[-1] != '/')
		a--;
	return a;
}

void ancestry_add_names(const struct strv *ancestors, const char *youngest, struct buf *out)
{
	const char *eldest = ancestors->n ? ancestors->v[0] : youngest;
	const size_t n = ancestors->n;

	buf_addf(out, "a full backup and %zu incremental one%s: ", n, n == 1 ? "" : "s");
	for (size_t i = 0; i < n; i++)
		if (i < NAMES_SAID)
			buf_addf(out, "%s%s", i ? ", " : "",
				 ancestry_name(ancestors->v[i], youngest));
	buf_addf(out, "%s and %s", n > NAMES_SAID ? " ..." : "", ancestry_name(youngest, eldest));
}

json_t *ancestry_members(const struct strv *ancestors, const char *youngest)
{
	json_t *members = json_array();

	for (size_t i = 0; i < ancestors->n; i++)
		json_array_append_new(members,
				      record_string(ancestors->v[i], strlen(ancestors->v[i])));
	json_array_append_new(members, record_string(youngest, strlen(youngest)));
	return members;
}
