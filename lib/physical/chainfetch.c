#include "lib/physical/chainfetch.h"

#include "lib/base/xmem.h"
#include "lib/physical/ancestry.h"
#include "lib/physical/listed.h"
#include "lib/physical/manifest.h"
#include "lib/physical/walneed.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANIFEST_MAX_B = 1 << 30 };

/* What the storage holds and may be an ancestor: directories, oldest first. */
struct candidates {
	struct backup *v;
	size_t n;
	unsigned mute; /* without a manifest that could be read */
};

static int note(void *ctx, struct backup *b, struct err *e)
{
	struct candidates *c = ctx;

	(void)e;
	if (b->files == 0)
		return 0;
	c->v = xrealloc(c->v, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = select_copy(b);
	return 0;
}

static void candidates_free(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		select_free(&c->v[i]);
	free(c->v);
}

/* Where it began, as its manifest says; false: it does not. */
static bool ask_manifest(struct storage *s, const struct backup *b, struct walneed *need)
{
	AUTO_FREE char *name = listed_name(b);
	BUF_AUTO text = BUF_INIT(MANIFEST_MAX_B);
	MANIFEST_AUTO m = { 0 };
	struct err ignored;

	if (storage_slurp(s, name, &text, &ignored) < 0 ||
	    manifest_parse(text.s, text.len, name, &m, &ignored) < 0 || m.n_wal == 0)
		return false;
	memset(need, 0, sizeof(*need));
	need->system_identifier = m.system_identifier;
	need->label.start = m.wal[0].start;
	need->label.timeline = m.wal[0].timeline;
	return true;
}

static struct backup *parent_of(struct storage *s, struct candidates *c,
				const struct walneed *child)
{
	c->mute = 0;
	for (size_t i = c->n; i > 0; i--) {
		struct walneed need;

		if (!ask_manifest(s, &c->v[i - 1], &need))
			c->mute++;
		else if (ancestry_fits(child, &need))
			return &c->v[i - 1];
	}
	return NULL;
}

static int missing(struct storage *s, const struct candidates *c, const char *path,
		   const struct walneed *child, struct err *e)
{
	const uint64_t lsn = child->label.prior_start;

	return err_set(
		e, ERR_BACKUP,
		"find what %.200s builds on: of the %zu base backups in %.200s none began at "
		"%" PRIX32 "/%" PRIX32 " on timeline %" PRIu32
		" (without a readable manifest: %u); without that one it restores nothing; "
		"name the folder that holds the whole chain",
		path, c->n, storage_shown(s), (uint32_t)(lsn >> 32), (uint32_t)lsn,
		child->label.prior_timeline, c->mute);
}

/* ---- bringing one ------------------------------------------------------------------- */

/* Is there another of the family under the name that it would get? */
static bool name_taken(const char *name, const char *dir, const struct strv *paths)
{
	const char *slash = strrchr(name, '/');
	AUTO_FREE char *path = xasprintf("%s/%s", dir, slash ? slash + 1 : name);
	char real[PATH_MAX];

	return realpath(path, real) != NULL && strv_has(paths, real);
}

/* In a directory of its own first, then under its whole name: 2026-02-15/base as 2026-02-15-base.
 */
static int fetch_renamed(struct storage *s, const struct catalog *all, struct backup *b,
			 const struct fetch_plan *plan, struct fetched *f, struct err *e)
{
	AUTO_FREE char *dir = xasprintf("%s/.chain.partial", plan->dir);
	AUTO_FREE char *path = xasprintf("%s/%s", plan->dir, b->name);
	struct fetch_plan own = *plan;

	for (char *p = path + strlen(plan->dir) + 1; *p; p++)
		if (*p == '/')
			*p = '-';
	own.dir = dir;
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_set(e, ERR_SYSTEM, "make %s: %s", dir, strerror(errno));
	if (fetch_backup(s, all, b, &own, f, e) < 0)
		return -1;
	if (rename(f->path, path) < 0)
		return err_set(e, ERR_SYSTEM, "rename %s to %s: %s", f->path, path,
			       strerror(errno));
	(void)rmdir(dir);
	free(f->path);
	f->path = xstrdup(path);
	return 0;
}

/* Notes where it is now, before those that it is an ancestor of. */
static int bring(struct storage *s, const struct catalog *all, struct backup *b,
		 const struct fetch_plan *plan, struct strv *here, struct chainfetch *out,
		 struct err *e)
{
	struct fetched f = { 0 };
	char real[PATH_MAX];
	int rc = (name_taken(b->name, plan->dir, here) ? fetch_renamed : fetch_backup)(s, all, b,
										       plan, &f, e);

	if (rc == 0 && realpath(f.path, real) == NULL)
		rc = err_set(e, ERR_SYSTEM, "open %s: %s", f.path, strerror(errno));
	if (rc == 0) {
		strv_add(here, real);
		out->bytes += f.bytes;
		out->seconds += f.seconds;
	}
	fetched_free(&f);
	return rc;
}

/* ---- the chain ---------------------------------------------------------------------- */

/* here: the youngest first; its own path is in it. */
static int climb(struct storage *s, const struct catalog *all, struct candidates *c,
		 const struct fetch_plan *plan, struct strv *here, struct chainfetch *out,
		 struct err *e)
{
	struct walneed need;

	for (;;) {
		const char *path = here->v[here->n - 1];
		struct backup *parent;

		/* What it is, and whether it is sound, others tell. */
		if (walneed_of_path(path, NULL, &need, e) <= 0 || need.label.prior_start == 0)
			return 0;
		parent = here->n <= ANCESTRY_MAX ? parent_of(s, c, &need) : NULL;
		if (parent == NULL)
			return missing(s, c, path, &need, e);
		if (bring(s, all, parent, plan, here, out, e) < 0)
			return -1;
	}
}

int chainfetch_run(struct storage *s, const char *path, const struct fetch_plan *plan,
		   struct chainfetch *out, struct err *e)
{
	static const struct strv none = { NULL, 0 };
	const struct catalog_filter filter = { .match = &none, .exclude = &none };
	struct fetch_plan quiet = *plan;
	struct candidates c = { NULL, 0, 0 };
	CATALOG_AUTO all = { 0 };
	STRV_AUTO here = { 0 };
	struct walneed need;
	char real[PATH_MAX];
	int rc;

	if (realpath(path, real) == NULL)
		return err_set(e, ERR_SYSTEM, "open %s: %s", path, strerror(errno));
	if (walneed_of_path(real, NULL, &need, e) <= 0 || need.label.prior_start == 0)
		return 0;
	quiet.arriving = NULL;
	strv_add(&here, real);
	rc = catalog_load(&all, s, &filter, e);
	if (rc == 0)
		rc = catalog_each(&all, note, &c, e);
	if (rc == 0)
		rc = climb(s, &all, &c, &quiet, &here, out, e);
	for (size_t i = here.n; rc == 0 && i > 1; i--)
		strv_add(&out->paths, here.v[i - 1]);
	candidates_free(&c);
	return rc;
}

void chainfetch_free(struct chainfetch *c)
{
	strv_free(&c->paths);
}
