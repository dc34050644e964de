#include "lib/restore/bring.h"

#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/physical/manifest.h"
#include "lib/restore/space.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool bring_claims(const struct source *s, const char *given)
{
	return given ? keeper_claims(given) : s->kept != NULL;
}

/* Can it be recovered up to there? A backup is consistent at its end only. */
static bool reaches(const struct keeper_backup *b, const struct target *t)
{
	uint64_t end, wanted;
	int64_t ms;

	if (t->kind == TARGET_TIME && utc_parse(t->value, &ms))
		return b->stopped_ms <= ms;
	if (t->kind == TARGET_LSN && manifest_lsn(t->value, &wanted) && b->stop_lsn &&
	    manifest_lsn(b->stop_lsn, &end))
		return end <= wanted;
	return true;
}

static const struct keeper_backup *choose(const struct keeper_list *l, const char *label,
					  const struct target *t)
{
	for (size_t i = l->n; i > 0; i--)
		if ((!label || strcmp(l->v[i - 1].name, label) == 0) && reaches(&l->v[i - 1], t))
			return &l->v[i - 1];
	return label ? choose(l, NULL, t) : NULL;
}

static void take(struct bring *b, const struct keeper_backup *chosen, struct source *s)
{
	b->backup = xstrdup(chosen->name);
	b->repo = chosen->repo;
	if (chosen->archive)
		b->keeper.archive = xstrdup(chosen->archive);
	b->bytes = chosen->database_bytes > 0 ? (uint64_t)chosen->database_bytes : 0;
	free(s->path);
	s->path = xasprintf("%s of %s", chosen->name, b->keeper.shown);
	s->taken = true;
	s->taken_ms = chosen->stopped_ms;
	s->modified = false;
	s->bytes = b->bytes;
}

int bring_settle(struct bring *b, struct source *s, const char *given, const struct target *target,
		 const char *user, struct identity *who, struct err *e)
{
	const struct keeper_filter all = { 0 };
	const struct keeper_backup *chosen;
	KEEPER_LIST_AUTO l = { 0 };
	char text[TARGET_TEXT];

	*b = (struct bring){ 0 };
	if (keeper_open(&b->keeper, given ? given : s->kept, e) < 0 ||
	    (user && identity_unprivileged(user, &b->keeper.who, e) < 0) ||
	    keeper_list(&b->keeper, &all, &l, e) < 0)
		return -1;
	*who = b->keeper.who;
	chosen = choose(&l, given ? NULL : s->label, target);
	if (chosen) {
		take(b, chosen, s);
		return 0;
	}
	if (l.n == 0)
		return err_set(e, ERR_BACKUP, "restore from %s: %s", b->keeper.shown,
			       keeper_none(&l));
	return err_set(e, ERR_BACKUP,
		       "restore from %s: none of its %zu backups ended before the target, %s",
		       b->keeper.shown, l.n, target_text(target, text));
}

void bring_free(struct bring *b)
{
	keeper_close(&b->keeper);
	free(b->backup);
	*b = (struct bring){ 0 };
}

/* A directory in dir, of the program's user; the caller's to free. */
static char *make_dir(const struct bring *b, const char *dir, const char *name, struct err *e)
{
	char *path = xasprintf("%s/%s", dir, name);
	const struct identity *who = &b->keeper.who;

	if (mkdir(path, 0700) == 0 && (!who->drops || lchown(path, who->uid, who->gid) == 0))
		return path;
	(void)err_set(e, ERR_SYSTEM, "create %s: %s", path, strerror(errno));
	free(path);
	return NULL;
}

char *bring_run(const struct bring *b, const char *dir, unsigned jobs, uint64_t max_disk_b,
		int64_t *ms, struct err *e)
{
	const struct space need = { .need_b = b->bytes + SPACE_SERVER_B };
	const int64_t began_ms = mono_ms();
	AUTO_FREE char *lock = NULL;
	AUTO_FREE char *places = NULL;
	char *data;

	if (space_check(dir, &need, max_disk_b, e) < 0)
		return NULL;
	lock = make_dir(b, dir, "lock", e);
	places = lock ? make_dir(b, dir, "places", e) : NULL;
	data = places ? make_dir(b, dir, "brought", e) : NULL;
	if (data == NULL)
		return NULL;
	if (keeper_restore(&b->keeper,
			   &(struct keeper_restore){ .backup = b->backup,
						     .repo = b->repo,
						     .dir = dir,
						     .data = data,
						     .jobs = jobs },
			   e) < 0) {
		free(data);
		return NULL;
	}
	*ms = mono_ms() - began_ms;
	return data;
}
