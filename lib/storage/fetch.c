#include "lib/storage/fetch.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/storage/intake.h"
#include "lib/storage/landing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* One fetch under way. */
struct job {
	struct storage *s;
	const struct fetch_plan *plan;
	struct backup *b;
	uint64_t before; /* bytes of the members that are done */
	struct fetched *out;
};

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static void on_progress(void *ctx, uint64_t bytes)
{
	const struct job *j = ctx;

	if (j->plan->progress)
		j->plan->progress(j->plan->progress_ctx, j->before + bytes, j->b->bytes);
}

/* --- space ---------------------------------------------------------------------------------- */

static bool free_bytes(const char *dir, uint64_t *out)
{
	struct statvfs v;

	if (statvfs(dir, &v) < 0)
		return false;
	*out = (uint64_t)(geteuid() == 0 ? v.f_bfree : v.f_bavail) * v.f_frsize;
	return true;
}

static int no_space(const struct job *j, uint64_t left, struct err *e)
{
	char need[HUMAN_SIZE], there[HUMAN_SIZE];

	return err_set(
		e, ERR_SYSTEM,
		"store %s in %s: not enough space: %s are needed, %s are free; free some, or "
		"name another directory with --dir",
		j->b->name, j->plan->dir, human_bytes((uint64_t)j->b->bytes, need),
		human_bytes(left, there));
}

static int check_space(const struct job *j, struct err *e)
{
	uint64_t left;

	if (j->b->bytes >= 0 && free_bytes(j->plan->dir, &left) && left < (uint64_t)j->b->bytes)
		return no_space(j, left, e);
	return 0;
}

/* What the file system said has no name yet; and another may have filled the disk meanwhile. */
static int name_write_error(const struct job *j, const struct intake *t, struct err *e)
{
	char got[HUMAN_SIZE], need[HUMAN_SIZE] = "an unknown size";

	if (j->b->bytes >= 0)
		(void)human_bytes((uint64_t)j->b->bytes, need);
	return err_set(e, ERR_SYSTEM,
		       "store %s in %s: %s after %s of %s; name another directory with --dir",
		       j->b->name, j->plan->dir, strerror(t->write_errno),
		       human_bytes(j->before + t->bytes, got), need);
}

/* --- one file ------------------------------------------------------------------------------- */

static int judge(const char *name, const struct intake *t, int64_t expected, struct err *e)
{
	size_t n = t->bytes < INTAKE_HEAD ? (size_t)t->bytes : INTAKE_HEAD;
	const char *page = intake_page(t->head, n);

	if (expected >= 0 && t->bytes != (uint64_t)expected)
		return err_set(e, ERR_SYSTEM,
			       "read %s: %llu bytes came, the storage says it has %lld; is it "
			       "still being written?",
			       name, (unsigned long long)t->bytes, (long long)expected);
	if (page)
		return err_set(e, ERR_BACKUP,
			       "read %s: it is not a backup but %s; look at the job that writes it",
			       name, page);
	return 0;
}

/* Reads an object to the end, into fd (-1: only digests it). */
static int take_file(struct job *j, const char *name, const struct storage_stat *known, int fd,
		     char sha256[DIGEST_HEX_SIZE], struct err *e)
{
	struct intake t;
	struct storage_sink sink;
	int rc = intake_begin(&t, fd, e);

	if (rc == 0) {
		t.progress = on_progress;
		t.progress_ctx = j;
		t.stream = j->b->files > 0 ? NULL : j->plan->stream;
		sink = intake_sink(&t);
		rc = storage_read(j->s, name, known->etag, 0, -1, &sink, e);
	}
	if (t.write_errno)
		rc = name_write_error(j, &t, e);
	if (rc == 0)
		rc = judge(name, &t, known->bytes, e);
	if (rc == 0)
		rc = digest_hex(t.digest, sha256, e);
	j->before += t.bytes;
	intake_free(&t);
	return rc;
}

static void adopt(struct backup *b, const struct storage_stat *st)
{
	if (st->bytes >= 0)
		b->bytes = st->bytes;
	/* HTTP's dates are whole seconds: no news within the same one. */
	if (st->modified_ms >= 0 && st->modified_ms / 1000 != b->modified_ms / 1000)
		b->modified_ms = st->modified_ms;
	if (st->etag[0]) {
		free(b->etag);
		b->etag = xstrdup(st->etag);
	}
}

static bool same_version(const struct storage_stat *a, const struct storage_stat *b)
{
	return a->bytes == b->bytes && a->modified_ms == b->modified_ms &&
	       strcmp(a->etag, b->etag) == 0;
}

/* A file into its place, or only digested. *replaced: it is another file by now. */
static int try_file(struct job *j, const char *dir, bool *replaced, struct err *e)
{
	struct landing l = { .dir = -1, .fd = -1, .tree = -1, .temp = { .lock_fd = -1 } };
	struct storage_stat before, after;
	struct err ignored;
	int rc;

	*replaced = false;
	if (storage_stat(j->s, j->b->name, &before, e) < 0)
		return -1;
	adopt(j->b, &before);
	if (before.bytes == 0)
		return err_set(e, ERR_BACKUP, "read %s: it is empty (0 bytes)", j->b->name);
	if (dir && (check_space(j, e) < 0 ||
		    landing_file(&l, dir, last_part(j->b->name), &j->plan->owner, e) < 0))
		return -1;
	j->before = 0;
	rc = take_file(j, j->b->name, &before, l.fd, j->out->sha256, e);
	*replaced = storage_stat(j->s, j->b->name, &after, &ignored) == 0 &&
		    !same_version(&before, &after);
	if (*replaced && rc == 0)
		rc = err_set(e, ERR_SYSTEM,
			     "read %s: it changes while it is read; is it still "
			     "being written?",
			     j->b->name);
	if (rc == 0 && dir)
		rc = landing_commit(&l, e);
	landing_drop(&l);
	return rc;
}

static int fetch_file(struct job *j, const char *dir, struct err *e)
{
	bool replaced;

	if (try_file(j, dir, &replaced, e) == 0)
		return 0;
	if (!replaced)
		return -1;
	if (j->plan->stream && j->plan->stream->restart(j->plan->stream->ctx, e) < 0)
		return -1;
	return try_file(j, dir, &replaced, e);
}

/* --- a directory ---------------------------------------------------------------------------- */

static int take_member(struct job *j, const struct backup *member, size_t skip, struct landing *l,
		       struct digest *all, struct err *e)
{
	struct storage_stat known = { .bytes = member->bytes, .modified_ms = member->modified_ms };
	char sha256[DIGEST_HEX_SIZE];

	if (member->etag)
		(void)snprintf(known.etag, sizeof(known.etag), "%s", member->etag);
	if (l->tree >= 0 && landing_member(l, member->name + skip, e) < 0)
		return -1;
	if (take_file(j, member->name, &known, l->fd, sha256, e) < 0)
		return -1;
	if (l->tree >= 0 && landing_member_done(l, e) < 0)
		return -1;
	if (digest_add(all, sha256, strlen(sha256), e) < 0 || digest_add(all, "  ", 2, e) < 0 ||
	    digest_add(all, member->name + skip, strlen(member->name + skip), e) < 0)
		return -1;
	return digest_add(all, "\n", 1, e);
}

static int fetch_tree(struct job *j, const struct catalog *c, const char *dir, struct err *e)
{
	struct landing l = { .dir = -1, .fd = -1, .tree = -1, .temp = { .lock_fd = -1 } };
	DIGEST_AUTO all = digest_new(e);
	const struct backup *members;
	size_t n, skip;
	int rc = 0;

	if (all == NULL || (dir && check_space(j, e) < 0) ||
	    (dir && landing_tree(&l, dir, last_part(j->b->name), &j->plan->owner, e) < 0))
		return -1;
	members = catalog_members(c, j->b, &n, &skip);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = take_member(j, &members[i], skip, &l, all, e);
	if (rc == 0)
		rc = digest_hex(all, j->out->sha256, e);
	if (rc == 0 && dir)
		rc = landing_commit(&l, e);
	landing_drop(&l);
	return rc;
}

/* --- where ---------------------------------------------------------------------------------- */

/* The directory itself is made, those above it are not: a mistyped path must not be. The user that
 * restores has to get through it. */
static int make_dir(const struct fetch_plan *plan, struct err *e)
{
	if (mkdir(plan->dir, 0700) < 0)
		return errno == EEXIST ? 0
				       : err_set(e, ERR_SYSTEM, "make directory %s: %s", plan->dir,
						 strerror(errno));
	if (plan->owner.drops && chmod(plan->dir, 0711) < 0)
		return err_set(e, ERR_SYSTEM, "make directory %s: %s", plan->dir, strerror(errno));
	return 0;
}

static int refuse_overwriting(const char *source, const char *target, struct err *e)
{
	struct stat a, b;

	if (stat(source, &a) == 0 && stat(target, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		return err_set(e, ERR_USAGE,
			       "store %s: the copy would replace the backup itself; name another "
			       "directory with --dir",
			       target);
	return 0;
}

/* Where it will be: out->path. */
static int find_path(struct job *j, const char *here, struct err *e)
{
	AUTO_FREE char *dir = NULL;

	if (j->plan->dir == NULL) {
		j->out->path = xstrdup(here);
		return 0;
	}
	if (make_dir(j->plan, e) < 0)
		return -1;
	dir = realpath(j->plan->dir, NULL);
	if (dir == NULL)
		return err_set(e, ERR_SYSTEM, "open directory %s: %s", j->plan->dir,
			       strerror(errno));
	j->out->path = xasprintf("%s/%s", dir, last_part(j->b->name));
	return refuse_overwriting(here, j->out->path, e);
}

int fetch_backup(struct storage *s, const struct catalog *c, struct backup *b,
		 const struct fetch_plan *plan, struct fetched *out, struct err *e)
{
	struct job j = { .s = s, .plan = plan, .b = b, .out = out };
	BUF_AUTO here = BUF_INIT(PATH_MAX);
	int64_t begun = mono_ms();
	bool tree = b->files > 0;
	int rc;

	*out = (struct fetched){ 0 };
	if (!storage_path(s, tree && b->whole ? "" : b->name, &here) && plan->dir == NULL)
		return err_set(e, ERR_USAGE,
			       "fetch %s: it is not on this machine; name a directory for it with "
			       "--dir or WORK_DIR",
			       b->name);
	if (find_path(&j, here.s, e) < 0)
		return -1;
	if (b->bytes == 0)
		return err_set(e, ERR_BACKUP, "read %s: it is empty (0 bytes)", b->name);
	rc = tree ? fetch_tree(&j, c, plan->dir, e) : fetch_file(&j, plan->dir, e);
	if (rc < 0 && e->kind == ERR_BACKUP)
		(void)err_wrap(e, "%s", storage_shown(s));
	out->bytes = j.before;
	out->seconds = (double)(mono_ms() - begun) / 1000;
	return rc;
}

void fetched_free(struct fetched *f)
{
	free(f->path);
	*f = (struct fetched){ 0 };
}
