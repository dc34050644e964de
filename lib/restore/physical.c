#include "lib/restore/physical.h"

#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/physical/entrance.h"
#include "lib/restore/outcome.h"
#include "lib/restore/recovery.h"
#include "lib/restore/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOCKS_MIN = 256, SEGMENTS_MIN = 5, SEGMENTS_MAX = 128 };

bool physical_takes(const struct sniffed *what)
{
	return what->kind == DUMP_BASE_DIRECTORY || what->kind == DUMP_BASE_TAR;
}

/* ---- before the server -------------------------------------------------------------- */

static int make_room(struct recovery *w, struct err *e)
{
	const struct base *b = &w->base;
	struct space need = { 0 };

	if (w->job->brought)
		need.need_b = SPACE_SERVER_B; /* beside the data, for which there was room */
	else if (b->has_manifest)
		need.need_b = b->manifest.total_b + SPACE_SERVER_B;
	else
		need = space_needed(w->what, w->job->source->bytes);
	*w->job->need_b = need.need_b;
	return space_check(w->job->dir, &need, w->job->max_disk_b, e);
}

/* WAL names directories of its own: that of a new tablespace is made, and what stands there
 * emptied, wherever the primary had it - which may be this machine. */
static int be_shut_off(const struct recovery *w, struct err *e)
{
	if (w->job->shut_off)
		return 0;
	return err_set(
		e, ERR_SYSTEM,
		"recover the backup: its WAL may write wherever %s may, and nothing keeps it "
		"from this machine's files (see the isolation); run this as root, or where "
		"users may make namespaces",
		w->job->who->name);
}

/* Only the very major version reads the files. */
static int find_programs(struct recovery *w, struct err *e)
{
	if (pg_bindir_find(w->job->pg_bindir, w->base.major, w->job->who, &w->bin, e) < 0)
		return -1;
	if (w->bin.major == w->base.major)
		return 0;
	return err_set(e, ERR_SYSTEM,
		       "start the backup: its files are of PostgreSQL %s, which no other version "
		       "reads, and here is %s; install postgresql-%s",
		       w->base.version, w->bin.version, w->base.version);
}

/* An incremental backup and what it builds on become one. */
static int put_together(struct recovery *w, struct err *e)
{
	struct space need = space_needed(w->what, w->job->source->bytes);
	struct combine *c = &w->chain;

	need.need_b = combine_needs(c, need.need_b);
	*w->job->need_b = need.need_b;
	if (be_shut_off(w, e) < 0 || space_check(w->job->dir, &need, w->job->max_disk_b, e) < 0 ||
	    combine_open(c, e) < 0 ||
	    base_read_version(&w->base, c->members.v[c->members.n - 1], e) < 0 ||
	    find_programs(w, e) < 0)
		return -1;
	(void)snprintf(w->whole, sizeof(w->whole), "%.*s/combined", PATH_MAX - 32, w->job->dir);
	return combine_run(c, &w->bin, w->whole, e);
}

static int combine(struct recovery *w)
{
	struct err e = { 0 };

	if (w->job->ancestors.n == 0)
		return 0;
	w->chain = (struct combine){ .ancestors = &w->job->ancestors,
				     .path = w->job->path,
				     .dir = w->job->dir,
				     .reading = &w->job->reading,
				     .phases = &w->phases,
				     .sync = w->job->durability == CLUSTER_FAITHFUL };
	if (put_together(w, &e) == 0) {
		combine_say(&w->chain, &w->bin, w->st);
		return 0;
	}
	stage_error(w->st, e.kind == ERR_BACKUP ? "backup-chain" : "restore", "", &e);
	return -1;
}

static int unpack(struct recovery *w, struct err *e)
{
	const bool whole = w->whole[0] != '\0';
	const enum phase phase = whole ? PHASE_COMBINE : PHASE_UNPACK;
	const struct unpack_job job = { .path = whole ? w->whole : w->job->path,
					.dir = w->job->dir,
					.data = w->data,
					.reading = &w->job->reading,
					.move = whole || w->job->brought };
	int ret;

	if (base_read_manifest(&w->base, job.path, e) < 0 || (!whole && make_room(w, e) < 0))
		return -1;
	phases_begin(&w->phases, phase);
	ret = unpack_run(&job, &w->base.unpacked, e);
	phases_end(&w->phases, phase);
	w->phases.bytes[phase] = w->base.unpacked.bytes;
	if (whole)
		combine_layout(&w->chain, &w->base.unpacked);
	return ret;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* What was prepared or locked on the primary must fit in here. */
static void add_limits(struct recovery *w)
{
	const struct control *c = &w->base.control;
	const unsigned segment_mb = c->known ? c->wal_segment_size >> 20 : 16;
	struct strv *s = &w->settings;

	strv_addf(s, "min_wal_size=%uMB", SEGMENTS_MIN * segment_mb);
	strv_addf(s, "max_wal_size=%uMB", SEGMENTS_MAX * segment_mb);
	if (!c->known)
		return;
	strv_addf(s, "max_connections=%d", larger(c->max_connections, 100));
	strv_addf(s, "max_worker_processes=%d", larger(c->max_worker_processes, 8));
	strv_addf(s, "max_prepared_transactions=%d", c->max_prepared_transactions);
	strv_addf(s, "max_locks_per_transaction=%d",
		  larger(c->max_locks_per_transaction, LOCKS_MIN));
}

/* Nobody is let in before it has recovered: so it need not wait for settings to be as on the
 * primary, and nothing that it answers is from on the way. */
static void make_settings(struct recovery *w)
{
	struct strv *s = &w->settings;

	add_limits(w);
	strv_add(s, "hot_standby=off");
	strv_add(s, walfeed_command(&w->feed));
	target_settings(&w->job->target, s);
	if (w->base.major >= 17)
		strv_add(s, "event_triggers=off"); /* also those of a login */
}

static int ask_for_recovery(const struct recovery *w, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/recovery.signal", w->data);
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(e, ERR_SYSTEM, "create %s: %s", path, strerror(errno)) : 0;
}

static void take_times(struct recovery *w)
{
	const struct replay *r = &w->replay;
	struct phases *p = &w->phases;

	if (r->redo_ms == 0)
		return;
	p->ran[PHASE_CONSISTENT] = p->ran[PHASE_REPLAY] = true;
	phases_move(p, PHASE_START, PHASE_REPLAY, mono_ms() - r->redo_ms);
	if (r->consistent_ms)
		phases_move(p, PHASE_REPLAY, PHASE_CONSISTENT, r->consistent_ms - r->redo_ms);
}

static int open_feed(struct recovery *w, struct err *e)
{
	w->feed = (struct walfeed){ .end = w->job->wal_end,
				    .dir = w->job->dir,
				    .control = &w->base.control,
				    .reading = &w->job->reading };
	return walfeed_start(&w->feed, e);
}

/* Can it be asked? Then also by whom: the files say it, now that the end of the recovery has
 * written them. What they do not say, the server's refusal does. */
static bool is_open(void *recovery)
{
	struct recovery *w = recovery;
	struct cluster *c = &w->cluster;
	struct entrance in = { .user = "" };
	struct err ignored;

	if (!replay_follow(&w->replay))
		return false;
	if (c->user[0] == '\0' && w->base.control.known &&
	    entrance_find(w->data, w->base.control.block_size, w->base.major, &in, &ignored) == 0) {
		(void)snprintf(c->user, sizeof(c->user), "%s", in.user);
		(void)snprintf(c->database, sizeof(c->database), "%s", in.database);
	}
	return true;
}

static int start(struct recovery *w, struct err *e)
{
	int ret = -1;

	make_settings(w);
	w->adopted =
		(struct cluster_adopted){ .settings = &w->settings, .ready = is_open, .ctx = w };
	w->cluster.opts = (struct cluster_opts){ .bin = &w->bin,
						 .as = w->job->who,
						 .dir = w->job->dir,
						 .durability = w->job->durability,
						 .settings = w->job->settings,
						 .max_memory_b = w->job->max_memory_b,
						 .jobs = w->job->jobs,
						 .adopted = &w->adopted };
	phases_begin(&w->phases, PHASE_START);
	if (cluster_adopt(&w->cluster, e) == 0 && ask_for_recovery(w, e) == 0) {
		w->replay.path = w->cluster.log;
		ret = cluster_start(&w->cluster, 0, e);
	}
	phases_end(&w->phases, PHASE_START);
	(void)replay_follow(&w->replay);
	take_times(w);
	return ret;
}

/* The last replayed commit is what a real recovery would have; without one, what the backup had
 * when it began. */
static bool recovery_point(const struct recovery *w, int64_t *ms)
{
	*ms = w->recovered.has_commit ? w->recovered.commit_ms : base_began_ms(&w->base);
	return *ms >= 0;
}

static void say_outcome(struct recovery *w)
{
	struct outcome o = { .st = w->st,
			     .job = w->job,
			     .cluster = &w->cluster,
			     .phases = &w->phases,
			     .databases = &w->recovered.databases,
			     .database = w->recovered.databases.v[0],
			     .how = w->replay.damage[0] ? OUTCOME_FAILED : OUTCOME_WHOLE };

	w->phases.bytes[PHASE_REPLAY] = recovery_bytes(w);
	o.has_point = recovery_point(w, &o.point_ms);
	o.point_by = w->recovered.has_commit ? "last-commit" : "base-backup";
	outcome_say(&o);
}

/* ---- the whole ---------------------------------------------------------------------- */

static int look(struct recovery *w, struct err *e)
{
	if (unpack(w, e) < 0 || base_look(&w->base, w->data, e) < 0) {
		stage_error(w->st, e->kind == ERR_BACKUP ? "backup-complete" : "restore", "", e);
		return -1;
	}
	base_say_format(&w->base, w->st);
	if (base_compare(&w->base, w->data, e) < 0) {
		stage_error(w->st, "backup-complete", "", e);
		return -1;
	}
	base_say_complete(&w->base, w->st);
	return 0;
}

static int answer(struct recovery *w, struct err *e)
{
	int ret;

	phases_begin(&w->phases, PHASE_READY);
	ret = recovered_look(&w->cluster, &w->recovered, e);
	if (ret == 0)
		ret = recovered_answer(&w->cluster, &w->recovered, e);
	phases_end(&w->phases, PHASE_READY);
	return ret;
}

static void run(struct recovery *w)
{
	struct err e = { 0 };

	if (combine(w) < 0 || look(w, &e) < 0)
		return;
	if (be_shut_off(w, &e) < 0 || find_programs(w, &e) < 0) {
		stage_error(w->st, "restore", "", &e);
		return;
	}
	if (open_feed(w, &e) < 0) {
		stage_error(w->st, "wal-archive", "", &e);
		return;
	}
	if (start(w, &e) < 0 || answer(w, &e) < 0) {
		recovery_explain(w, &e);
		return;
	}
	w->ready = true;
	recovery_say(w);
	recovered_say_collations(&w->cluster, &w->recovered, w->st);
	say_outcome(w);
}

void physical_run(struct stage *st, const struct restore_job *job, const struct sniffed *what,
		  struct restored_server *out)
{
	struct recovery w = { .st = st,
			      .job = job,
			      .what = what,
			      .feed = { .end = -1 },
			      .replay = { .began_ms = mono_ms() },
			      .phases = { .find_s = job->source->find_s,
					  .fetch_s = job->source->fetch_s,
					  .progress = job->progress } };

	if (job->brought) {
		w.phases.ran[PHASE_BRING] = true;
		w.phases.ms[PHASE_BRING] = job->bring_ms;
		w.phases.bytes[PHASE_BRING] = job->source->bytes;
	}
	(void)snprintf(w.data, sizeof(w.data), "%.*s/data", PATH_MAX - 32, job->dir);
	run(&w);
	out->up = w.ready;
	if (w.ready) {
		(void)snprintf(out->database, sizeof(out->database), "%s",
			       w.recovered.databases.v[0]);
		(void)snprintf(out->user, sizeof(out->user), "%s", w.cluster.user);
	}
	walfeed_stop(&w.feed);
	recovered_free(&w.recovered);
	base_free(&w.base);
	combine_free(&w.chain);
	strv_free(&w.settings);
}
