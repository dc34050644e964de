#include "lib/physical/descent.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/physical/ancestry.h"
#include "lib/physical/incremental.h"
#include "lib/physical/manifest.h"

#include <inttypes.h>
#include <stdlib.h>

struct descent {
	uint64_t parts;     /* files that are there in part */
	uint64_t rootless;  /* of them, those that the backup before does not have */
	char *first;        /* owned: of these */
	const char *opaque; /* borrowed: a backup without a manifest that can be read, which is told
			     * of it by itself */
};

/* before NULL: child is the full backup, which has nothing in part. */
static void compare(struct descent *d, const struct manifest *before, const struct manifest *child,
		    const char *name)
{
	for (size_t i = 0; i < child->n_files; i++) {
		const char *path = child->files[i].path;
		AUTO_FREE char *whole = incremental_whole(path);

		if (whole == NULL)
			continue;
		d->parts++;
		if (before && (manifest_find(before, whole) || manifest_find(before, path)))
			continue;
		if (d->rootless++ == 0)
			d->first = xasprintf("%s/%s", name, path);
	}
}

static void follow(struct descent *d, const struct strv *ancestors, const char *youngest)
{
	MANIFEST_AUTO before = { .version = 0 };

	for (size_t i = 0; i <= ancestors->n; i++) {
		const char *path = i < ancestors->n ? ancestors->v[i] : youngest;
		const char *other = i < ancestors->n ? youngest : ancestors->v[0];
		struct manifest m;
		struct err ignored;

		if (manifest_of(path, &m, &ignored) < 0) {
			manifest_free(&m);
			d->opaque = path;
			return;
		}
		compare(d, i ? &before : NULL, &m, ancestry_name(path, other));
		manifest_free(&before);
		before = m;
	}
}

void descent_check(struct stage *st, const struct strv *ancestors, const char *youngest)
{
	struct descent d = { .parts = 0 };
	BUF_AUTO names = BUF_INIT(64 * 1024);
	char n[HUMAN_SIZE];
	struct check c;

	follow(&d, ancestors, youngest);
	ancestry_add_names(ancestors, youngest, &names);
	check_init(&c, "backup-chain", "");
	check_field(&c, "members", ancestry_members(ancestors, youngest));
	check_metric_int(&c, "members", (int64_t)ancestors->n + 1, "");
	check_metric_int(&c, "partial_files", (int64_t)d.parts, "");
	if (d.rootless)
		check_say(&c, V_CRITICAL,
			  "files that are there in part, and not at all in the backup before: %s, "
			  "first of all %.300s",
			  human_count((int64_t)d.rootless, n), d.first);
	if (d.opaque)
		check_say(&c, V_WARNING,
			  "%.300s has no manifest that can be read: whether all files go back to "
			  "whole ones is not known",
			  d.opaque);
	check_say(&c, V_OK, "%s; all files in part (%s) go back to whole ones", names.s,
		  human_count((int64_t)d.parts, n));
	stage_check(st, &c);
	free(d.first);
}
