#include "lib/storage/fetch.h"

#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/destination.h"
#include "lib/storage/early.h"
#include "lib/storage/haul.h"
#include "lib/storage/landing.h"
#include "lib/storage/resume.h"
#include "lib/storage/sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One fetch under way. */
struct job {
	struct storage *s;
	const struct fetch_plan *plan;
	struct backup *b;
	struct fetched *out;
	struct haul haul;
	struct landing landing;
	struct early early;
	struct storage_sink early_sink;
	struct sidecars sidecars;
	struct members members;       /* of a tree */
	char etag[STORAGE_ETAG_SIZE]; /* of what was begun again */
	bool begun_again, resumable;
};

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* What the storage says of the backup's only file now. */
static void adopt(struct job *j, const struct storage_stat *now)
{
	struct backup *b = j->b;

	if (now->bytes >= 0)
		b->bytes = now->bytes;
	/* HTTP's dates are whole seconds: no news within the same one. */
	if (now->modified_ms >= 0 && now->modified_ms / 1000 != b->modified_ms / 1000)
		b->modified_ms = now->modified_ms;
	if (now->etag[0] && (b->etag == NULL || strcmp(b->etag, now->etag) != 0)) {
		free(b->etag);
		b->etag = xstrdup(now->etag);
	}
}

/* --- bringing it ---------------------------------------------------------------------------- */

/* What the file system said has no name yet; and another may have filled the disk meanwhile. */
static int name_write_error(const struct job *j, struct err *e)
{
	char got[HUMAN_SIZE], need[HUMAN_SIZE] = "an unknown size";

	if (j->b->bytes >= 0)
		(void)human_bytes((uint64_t)j->b->bytes, need);
	return err_set(e, ERR_SYSTEM,
		       "store %s in %s: %s after %s of %s; name another directory with --dir",
		       j->b->name, j->plan->dir, strerror(j->haul.write_errno),
		       human_bytes(atomic_load(&j->haul.bytes), got), need);
}

static void on_progress(void *ctx, uint64_t bytes)
{
	const struct job *j = ctx;

	j->plan->progress(j->plan->progress_ctx, bytes, j->b->bytes);
}

static bool same(const struct haul_file *f, const struct storage_stat *now)
{
	/* Listings may round both; HTTP's dates are whole seconds. */
	if (f->bytes >= 0 && f->bytes != now->bytes)
		return false;
	if (f->etag[0] && now->etag[0])
		return strcmp(f->etag, now->etag) == 0;
	if (f->member)
		return f->modified_ms < 0 || f->modified_ms / 60000 == now->modified_ms / 60000;
	return f->modified_ms == now->modified_ms;
}

/* The file that failed, or the only one: is it another by now? Then it is begun again, but once. */
static bool begin_again(struct job *j, size_t at, struct err *e)
{
	struct storage_stat now;
	struct haul_file *f = &j->haul.files[at];
	struct err ignored;

	if (at >= j->haul.n || storage_stat(j->s, f->name, &now, &ignored) < 0 || same(f, &now))
		return false;
	if (j->begun_again) {
		(void)err_set(e, ERR_SYSTEM,
			      "read %s: it changes while it is read; is it still being written?",
			      f->name);
		return false;
	}
	j->begun_again = true;
	haul_forget(&j->haul, at);
	f->bytes = now.bytes;
	f->modified_ms = now.modified_ms;
	(void)snprintf(j->etag, sizeof(j->etag), "%s", now.etag);
	f->etag = j->etag;
	if (f->member == NULL) {
		free(j->b->etag);
		j->b->etag = NULL;
		adopt(j, &now);
	}
	return true;
}

/* A server that has answered with the whole where a part was asked for: without parts, then. */
static bool do_without_parts(struct job *j)
{
	const struct storage_tally *tally = storage_tally(j->s);

	if (tally == NULL || !j->haul.split || !atomic_load(&tally->whole_answer))
		return false;
	haul_forget(&j->haul, j->haul.failed_at);
	j->haul.split = false;
	return true;
}

static int restart_stream(const struct job *j, struct err *e)
{
	const struct storage_sink *stream = j->haul.stream;

	return stream ? stream->restart(stream->ctx, e) : 0;
}

/* A single file that may have been changed while it was read is looked at once more. */
static bool changed_unnoticed(const struct job *j)
{
	return j->haul.n == 1 && (storage_in_place(j->s) || j->haul.files[0].etag[0] != '"');
}

static int bring(struct job *j, struct err *e)
{
	int rc;

	for (;;) {
		size_t at = 0;

		rc = haul_run(&j->haul, e);
		if (rc < 0 && j->haul.write_errno)
			return name_write_error(j, e);
		if (rc == 0 && !changed_unnoticed(j))
			return 0;
		if (rc < 0)
			at = j->haul.failed_at;
		if (rc < 0 && at < j->haul.n && do_without_parts(j)) {
			if (restart_stream(j, e) < 0)
				return -1;
			continue;
		}
		if (!begin_again(j, at, e))
			return j->begun_again && e->kind != ERR_NONE ? -1 : rc;
		if (restart_stream(j, e) < 0)
			return -1;
		*e = (struct err){ 0 };
	}
}

/* What a next run could go on from is worth the space it takes: unless space is what is missing, or
 * it was looked at and is bad. */
static bool worth_keeping(const struct job *j, const struct err *e)
{
	return j->resumable && j->haul.write_errno == 0 && e->kind != ERR_BACKUP &&
	       haul_resumable(&j->haul);
}

/* A cluster's tablespaces and its WAL may lie elsewhere, and are then no part of what is copied. */
static bool may_lead_out(const char *member)
{
	return strncmp(member, "pg_tblspc/", 10) == 0 || strcmp(member, "pg_wal") == 0;
}

/* Links within the tree belong to it; nothing outside does. */
static int take_links(struct job *j, struct err *e)
{
	for (size_t i = 0; i < j->members.n; i++) {
		const struct backup *o = &j->members.v[i];
		const char *member = o->name + j->members.skip;

		if (o->link == NULL)
			continue;
		if (!landing_stays_within(member, o->link) &&
		    (j->plan->dir || !may_lead_out(member)))
			return err_set(
				e, ERR_BACKUP,
				"read %s: it is a symbolic link to %s, outside of the backup, "
				"which is not complete without it",
				o->name, o->link);
		if (j->plan->dir && landing_link(&j->landing, member, o->link, e) < 0)
			return -1;
	}
	return 0;
}

/* --- what ----------------------------------------------------------------------------------- */

static void add_file(struct job *j, const struct backup *object, const char *member)
{
	struct haul_file *f = &j->haul.files[j->haul.n++];

	*f = (struct haul_file){ .name = object->name,
				 .member = member,
				 .bytes = object->bytes,
				 .modified_ms = object->modified_ms,
				 .etag = object->etag ? object->etag : "",
				 .wish = member ? sidecar_wish(&j->sidecars, member)
						: &j->sidecars.whole };
}

/* Of a single file the storage is asked what it is now; of a tree's files the listing has to do. */
static int plan_file(struct job *j, struct err *e)
{
	struct storage_stat *now;

	j->haul.files = xcalloc(1, sizeof(*j->haul.files));
	now = xcalloc(1, sizeof(*now));
	if (storage_stat(j->s, j->b->name, now, e) < 0) {
		free(now);
		return -1;
	}
	adopt(j, now);
	add_file(j, j->b, NULL);
	j->haul.files[0].modified_ms = now->modified_ms;
	j->haul.files[0].stat = now;
	if (now->bytes == 0)
		return err_set(e, ERR_BACKUP, "read %s: it is empty (0 bytes)", j->b->name);
	return 0;
}

static int plan_tree(struct job *j, const struct catalog *c, struct err *e)
{
	const struct members *m = &j->members;

	if (catalog_members(c, j->b, &j->members, e) < 0 || resume_ask(j->s, m, e) < 0)
		return -1;
	j->haul.files = xcalloc(m->n, sizeof(*j->haul.files));
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].link == NULL)
			add_file(j, &m->v[i], m->v[i].name + m->skip);
	return 0;
}

/* The members come in byte order of their names. */
static int digest_tree(const struct job *j, char out[DIGEST_HEX_SIZE], struct err *e)
{
	DIGEST_AUTO all = digest_new(e);

	if (all == NULL)
		return -1;
	for (size_t i = 0; i < j->haul.n; i++) {
		const struct haul_file *f = &j->haul.files[i];

		if (digest_add(all, f->sha256, strlen(f->sha256), e) < 0 ||
		    digest_add(all, "  ", 2, e) < 0 ||
		    digest_add(all, f->member, strlen(f->member), e) < 0 ||
		    digest_add(all, "\n", 1, e) < 0)
			return -1;
	}
	return digest_hex(all, out, e);
}

/* The digest of the whole directory, and what its sidecar says of it. */
static int prove_tree(struct job *j, struct err *e)
{
	const struct proof_wish *w = &j->sidecars.whole;

	if (digest_tree(j, j->out->sha256, e) < 0)
		return -1;
	if (w->sha256[0] == '\0')
		return 0;
	if (strcmp(w->sha256, j->out->sha256) != 0)
		return proof_differs(j->b->name, "SHA-256", w->sha256_from, w->sha256,
				     j->out->sha256, e);
	proof_tell(&j->haul.told, w->sha256_from);
	return 0;
}

/* Was every byte held against a digest that is signed? */
static bool vouched_for(const struct job *j)
{
	const struct strv *good = &j->sidecars.signatures.good;
	const struct proof_wish *whole = &j->sidecars.whole;

	if (strv_has(good, last_part(j->b->name)) ||
	    (whole->sha256[0] && strv_has(good, whole->sha256_from)))
		return true;
	for (size_t i = 0; i < j->haul.n; i++) {
		const struct proof_wish *w = j->haul.files[i].wish;

		if (w == NULL || w->sha256[0] == '\0' || !strv_has(good, w->sha256_from))
			return false;
	}
	return j->b->files > 0;
}

/* A backup that should be signed and is not, for all that can be told, is odd. */
static int prove_signed(struct job *j, struct err *e)
{
	struct sidecars *c = &j->sidecars;
	FD_AUTO fd = -1;

	if (c->signatures.keyring == NULL)
		return 0;
	if (j->b->files == 0) {
		fd = j->plan->dir ? landing_open(&j->landing, NULL, e)
				  : open(j->out->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && j->plan->dir == NULL)
			return err_set(e, ERR_SYSTEM, "open %s: %s", j->out->path, strerror(errno));
		if (fd < 0 || sidecar_verify(c, j->s, j->b, fd, e) < 0)
			return -1;
	}
	if (vouched_for(j))
		memcpy(j->out->signer, c->signatures.signer, sizeof(j->out->signer));
	else if (c->odd.len == 0)
		buf_addf(&c->odd, "no signature is there of %s",
			 c->signatures.good.n ? "all of it" : "it");
	return 0;
}

static int prove_whole(struct job *j, struct err *e)
{
	if (j->b->files > 0) {
		if (prove_tree(j, e) < 0)
			return -1;
	} else {
		memcpy(j->out->sha256, j->haul.files[0].sha256, DIGEST_HEX_SIZE);
	}
	return prove_signed(j, e);
}

static int land(struct job *j, const char *dir, struct err *e)
{
	const bool tree = j->b->files > 0;
	struct landing *l = &j->landing;
	char identity[DIGEST_HEX_SIZE];
	const struct landing_past past = { identity, haul_has, &j->haul };
	int rc;

	if (resume_identity(j->s, j->b->name, j->haul.files, j->haul.n, identity, e) < 0)
		return -1;
	j->haul.to = l;
	j->resumable = identity[0] != '\0';
	if (tree)
		rc = landing_tree(l, dir, last_part(j->b->name), &j->plan->owner, &past, e);
	else
		rc = landing_file(l, dir, last_part(j->b->name), &j->plan->owner,
				  j->resumable && haul_large(&j->haul, 0) ? &past : NULL, e);
	if (rc < 0)
		return -1;
	rc = destination_room(dir, j->b->name, j->b->bytes, atomic_load(&j->haul.bytes), e);
	if (rc == 0)
		rc = take_links(j, e);
	if (rc == 0)
		rc = bring(j, e);
	if (rc == 0)
		rc = prove_whole(j, e);
	if (rc == 0)
		rc = landing_commit(l, e);
	if (rc == 0)
		rc = early_end(&j->early, true, e);
	else
		(void)early_end(&j->early, false, NULL);
	j->out->kept = rc < 0 && worth_keeping(j, e);
	landing_drop(l, j->out->kept);
	return rc;
}

static int fetch_planned(struct job *j, struct err *e)
{
	const struct fetch_plan *plan = j->plan;
	int rc;

	if (plan->dir)
		rc = land(j, plan->dir, e);
	else if ((rc = take_links(j, e)) == 0 && (rc = bring(j, e)) == 0)
		rc = prove_whole(j, e);
	if (rc == 0 && plan->dir)
		rc = sidecar_bring(&j->sidecars, j->s, j->b, plan->dir, last_part(j->b->name),
				   &plan->owner, e);
	return rc;
}

static void tell(struct job *j)
{
	struct fetched *out = j->out;

	out->bytes = atomic_load(&j->haul.bytes);
	out->connections = j->haul.most_at_work;
	(void)snprintf(out->told, sizeof(out->told), "%.*s", FETCH_TOLD_SIZE - 1, j->haul.told.s);
	(void)snprintf(out->odd, sizeof(out->odd), "%.*s", FETCH_TOLD_SIZE - 1, j->sidecars.odd.s);
	out->sidecars = j->sidecars.suffixes;
	j->sidecars.suffixes = (struct strv){ 0 };
}

static void set_up_haul(struct job *j)
{
	const struct fetch_plan *plan = j->plan;

	j->haul.s = j->s;
	j->haul.connections = plan->connections;
	j->haul.split = plan->dir != NULL;
	if (plan->arriving && plan->dir && j->b->files == 0) {
		j->early = (struct early){ .to = &j->landing,
					   .tell = plan->arriving,
					   .ctx = plan->arriving_ctx,
					   .arrival = ARRIVAL_NONE };
		j->early_sink = early_sink(&j->early);
		j->haul.stream = &j->early_sink;
	}
	j->haul.progress = plan->progress ? on_progress : NULL;
	j->haul.progress_ctx = j;
	pace_begin(&j->haul.pace, plan->max_rate);
}

int fetch_backup(struct storage *s, const struct catalog *c, struct backup *b,
		 const struct fetch_plan *plan, struct fetched *out, struct err *e)
{
	struct job j = { .s = s, .plan = plan, .b = b, .out = out, .early = EARLY_NONE };
	BUF_AUTO here = BUF_INIT(PATH_MAX);
	int64_t begun = mono_ms();
	bool tree = b->files > 0;
	int rc = 0;

	*out = (struct fetched){ 0 };
	if (!storage_path(s, tree && b->whole ? "" : b->name, &here) && plan->dir == NULL)
		return err_set(e, ERR_USAGE,
			       "fetch %s: it is not on this machine; name a directory for it with "
			       "--dir or WORK_DIR",
			       b->name);
	out->path =
		plan->dir ? destination_path(plan->dir, last_part(b->name), here.s, &plan->owner, e)
			  : xstrdup(here.s);
	if (out->path == NULL)
		return -1;
	if (b->bytes == 0)
		return err_set(e, ERR_BACKUP, "read %s: it is empty (0 bytes)", b->name);
	set_up_haul(&j);
	rc = sidecar_find(&j.sidecars, s, c, b, plan->keyring, e);
	if (rc == 0)
		rc = tree ? plan_tree(&j, c, e) : plan_file(&j, e);
	haul_begin(&j.haul);
	if (rc == 0)
		rc = fetch_planned(&j, e);
	tell(&j);
	haul_end(&j.haul);
	sidecar_free(&j.sidecars);
	members_free(&j.members);
	pace_end(&j.haul.pace);
	free(j.haul.files);
	if (rc < 0 && e->kind == ERR_BACKUP)
		(void)err_wrap(e, "%s", storage_shown(s));
	out->seconds = (double)(mono_ms() - begun) / 1000;
	return rc;
}

void fetched_free(struct fetched *f)
{
	free(f->path);
	strv_free(&f->sidecars);
	*f = (struct fetched){ 0 };
}
