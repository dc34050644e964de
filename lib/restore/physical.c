#include "lib/restore/physical.h"

#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/restore/base.h"
#include "lib/restore/here.h"
#include "lib/restore/outcome.h"
#include "lib/restore/phases.h"
#include "lib/restore/recovered.h"
#include "lib/restore/replay.h"
#include "lib/restore/space.h"
#include "lib/restore/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Beside the data: the WAL of the recovery, a checkpoint's. */
#define SERVER_B ((uint64_t)512 * 1000 * 1000)

enum { LOCKS_MIN = 256, SEGMENTS_MIN = 5, SEGMENTS_MAX = 128 };

struct work {
	struct stage *st;
	const struct restore_job *job;
	const struct sniffed *what;
	struct base base;
	char data[PATH_MAX];
	struct pg_bindir bin;
	struct strv settings;
	struct cluster_adopted adopted;
	struct cluster cluster;
	struct replay replay;
	struct recovered recovered;
	struct phases phases;
	bool ready;
};

bool physical_takes(const struct sniffed *what)
{
	return what->kind == DUMP_BASE_DIRECTORY || what->kind == DUMP_BASE_TAR;
}

/* ---- before the server -------------------------------------------------------------- */

static int make_room(struct work *w, struct err *e)
{
	const struct base *b = &w->base;
	uint64_t need = b->has_manifest ? b->manifest.total_b + SERVER_B
					: space_needed(w->what, w->job->source->bytes);

	*w->job->need_b = need;
	return space_check(w->job->dir, need, w->job->max_disk_b, e);
}

static int unpack(struct work *w, struct err *e)
{
	const struct unpack_job job = { .path = w->job->path,
					.dir = w->job->dir,
					.data = w->data,
					.reading = &w->job->reading };
	int ret;

	if (base_read_manifest(&w->base, w->job->path, e) < 0 || make_room(w, e) < 0)
		return -1;
	phases_begin(&w->phases, PHASE_UNPACK);
	ret = unpack_run(&job, &w->base.unpacked, e);
	phases_end(&w->phases, PHASE_UNPACK);
	w->phases.bytes[PHASE_UNPACK] = w->base.unpacked.bytes;
	return ret;
}

/* Only the very major version reads the files. */
static int find_programs(struct work *w, struct err *e)
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

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* What was prepared or locked on the primary must fit in here. */
static void add_limits(struct work *w)
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
static void make_settings(struct work *w)
{
	struct strv *s = &w->settings;

	add_limits(w);
	strv_add(s, "hot_standby=off");
	strv_add(s, "restore_command=exit 1");
	target_settings(&w->job->target, s);
	if (w->base.major >= 17)
		strv_add(s, "event_triggers=off"); /* also those of a login */
}

static int ask_for_recovery(const struct work *w, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/recovery.signal", w->data);
	FD_AUTO fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_set(e, ERR_SYSTEM, "create %s: %s", path, strerror(errno)) : 0;
}

static void take_times(struct work *w)
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

static int start(struct work *w, struct err *e)
{
	int ret = -1;

	make_settings(w);
	w->adopted = (struct cluster_adopted){ .settings = &w->settings,
					       .ready = replay_follow,
					       .ctx = &w->replay };
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

/* ---- why it did not come up --------------------------------------------------------- */

static const struct {
	const char *words, *check, *text;
	enum verdict verdict;
} reasons[] = {
	{ "recovery ended before configured recovery target was reached", "recovery-target",
	  "the target was not reached: the WAL ends before it", V_CRITICAL },
	{ "WAL ends before end of online backup", "restore",
	  "not restorable: the WAL that makes the backup consistent is not all there", V_CRITICAL },
	{ "WAL ends before consistent recovery point", "restore",
	  "not restorable: the WAL that makes the backup consistent is not all there", V_CRITICAL },
	{ "could not locate required checkpoint record", "restore",
	  "not restorable: the WAL that its recovery begins with is not there", V_CRITICAL },
	{ "could not locate a valid checkpoint record", "restore",
	  "not restorable: the WAL that its recovery begins with is not there", V_CRITICAL },
	{ "requested timeline", "recovery-target",
	  "the backup does not belong to the history of the timeline", V_CRITICAL },
	{ "recovery target timeline", "recovery-target", "the timeline is not in the archive",
	  V_CRITICAL },
	{ "requested recovery stop point is before consistent recovery point", "recovery-target",
	  "the target lies before the end of the backup: an older backup reaches it", V_CRITICAL },
	{ "tablespace_map", "restore", "not restorable: its tablespaces are not known",
	  V_CRITICAL },
	{ "Create this directory for the tablespace", "restore",
	  "the WAL makes a tablespace in a directory that is not here", V_UNKNOWN },
	{ "database files are incompatible", "restore",
	  "its files are not those of the PostgreSQL that is installed here", V_UNKNOWN },
	{ "restore_command", "restore", "WAL could not be fetched", V_UNKNOWN },
};

static void say_failure(struct work *w, const char *check, enum verdict v, const char *text)
{
	const struct replay *r = &w->replay;
	struct check c;

	check_init(&c, check, "");
	check_say(&c, v, "%s; the server says: %s%s%s%s%s", text, r->fatal,
		  r->trouble[0] ? "; before that: " : "", r->trouble,
		  r->commit[0] ? "; last commit: " : "", r->commit);
	stage_check(w->st, &c);
}

/* The server's own last words, under the name of what they mean. */
static void explain(struct work *w, const struct err *e)
{
	const struct replay *r = &w->replay;
	const char *here = here_reason(r->fatal);

	if (r->fatal[0] == '\0') {
		stage_error(w->st, "restore", "", e);
		return;
	}
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strstr(r->fatal, reasons[i].words) == NULL)
			continue;
		say_failure(w, reasons[i].check, reasons[i].verdict, reasons[i].text);
		return;
	}
	if (here)
		say_failure(w, "restore", V_UNKNOWN, here);
	else if (r->damage[0])
		say_failure(w, "restore", V_CRITICAL, "not restorable: its data is damaged");
	else
		say_failure(w, "restore", V_CRITICAL, "not restorable: no server starts on it");
}

/* ---- what came of it ---------------------------------------------------------------- */

static void say_restore(struct work *w)
{
	const struct replay *r = &w->replay;
	char size[HUMAN_SIZE];
	struct check c;

	check_init(&c, "restore", "");
	check_metric_int(&c, "restored_bytes", w->recovered.bytes, "B");
	if (r->damage[0])
		check_say(&c, V_CRITICAL, "it started, but the server found damage: %s", r->damage);
	else
		check_say(&c, V_OK, "restored and consistent: %s in %zu database%s",
			  human_bytes((uint64_t)w->recovered.bytes, size), w->recovered.databases.n,
			  w->recovered.databases.n == 1 ? "" : "s");
	stage_check(w->st, &c);
}

static uint64_t replayed_b(const struct work *w)
{
	uint64_t from;

	if (!manifest_lsn(w->replay.redo_lsn, &from) || from > w->recovered.lsn)
		return 0;
	return w->recovered.lsn - from;
}

static void add_commit(const struct work *w, struct buf *out)
{
	char at[UTC_SIZE];

	if (w->recovered.has_commit)
		buf_addf(out, ", last commit %s", utc_human(w->recovered.commit_ms, at));
	else
		buf_adds(out, ", no commit was replayed");
}

static void add_rate(const struct work *w, struct check *c, struct buf *out)
{
	const struct phases *p = &w->phases;
	const uint64_t bytes = replayed_b(w);
	const int64_t ms = p->ms[PHASE_CONSISTENT] + p->ms[PHASE_REPLAY];
	char size[HUMAN_SIZE], rate[HUMAN_SIZE];

	check_metric_int(c, "wal_bytes", (int64_t)bytes, "B");
	buf_addf(out, "; %s of WAL replayed", human_bytes(bytes, size));
	if (ms <= 0)
		return;
	check_metric_real(c, "wal_rate", (double)bytes * 1000 / (double)ms, "B/s");
	buf_addf(out, ", %s/s", human_bytes(bytes * 1000 / (uint64_t)ms, rate));
}

static void say_target(struct work *w)
{
	const struct target *t = &w->job->target;
	const uint64_t lsn = w->recovered.lsn;
	BUF_AUTO text = BUF_INIT(1000);
	char to[TARGET_TEXT], at[32];
	struct check c;

	check_init(&c, "recovery-target", "");
	(void)snprintf(at, sizeof(at), "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32),
		       (uint32_t)lsn);
	check_observed_text(&c, at);
	check_expected_text(&c, target_text(t, to));
	buf_addf(&text, "reached %s at %s on timeline %" PRIu32, to, at, w->recovered.timeline);
	add_commit(w, &text);
	add_rate(w, &c, &text);
	/* The server refuses to open before such a target: its word for it is expected all the
	 * same. */
	if (t->kind != TARGET_LATEST && w->replay.stopped[0] == '\0')
		check_say(&c, V_CRITICAL, "the server does not say that it reached %s; it is at %s",
			  to, at);
	else
		check_say(&c, V_OK, "%s", text.s);
	stage_check(w->st, &c);
}

/* The last replayed commit is what a real recovery would have; without one, what the backup had
 * when it began. */
static bool recovery_point(const struct work *w, int64_t *ms)
{
	*ms = w->recovered.has_commit ? w->recovered.commit_ms : base_began_ms(&w->base);
	return *ms >= 0;
}

static void say_outcome(struct work *w)
{
	struct outcome o = { .st = w->st,
			     .job = w->job,
			     .cluster = &w->cluster,
			     .phases = &w->phases,
			     .databases = &w->recovered.databases,
			     .database = w->recovered.databases.v[0],
			     .how = w->replay.damage[0] ? OUTCOME_FAILED : OUTCOME_WHOLE };

	w->phases.bytes[PHASE_REPLAY] = replayed_b(w);
	o.has_point = recovery_point(w, &o.point_ms);
	outcome_say(&o);
}

/* ---- the whole ---------------------------------------------------------------------- */

static int look(struct work *w, struct err *e)
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

static int answer(struct work *w, struct err *e)
{
	int ret;

	phases_begin(&w->phases, PHASE_READY);
	ret = recovered_look(&w->cluster, &w->recovered, e);
	if (ret == 0)
		ret = recovered_answer(&w->cluster, &w->recovered, e);
	phases_end(&w->phases, PHASE_READY);
	return ret;
}

static void run(struct work *w)
{
	struct err e = { 0 };

	if (look(w, &e) < 0)
		return;
	if (find_programs(w, &e) < 0) {
		stage_error(w->st, "restore", "", &e);
		return;
	}
	if (start(w, &e) < 0 || answer(w, &e) < 0) {
		explain(w, &e);
		return;
	}
	w->ready = true;
	say_restore(w);
	say_target(w);
	recovered_say_collations(&w->cluster, &w->recovered, w->st);
	say_outcome(w);
}

void physical_run(struct stage *st, const struct restore_job *job, const struct sniffed *what,
		  struct restored_server *out)
{
	struct work w = { .st = st,
			  .job = job,
			  .what = what,
			  .replay = { .began_ms = mono_ms() },
			  .phases = { .find_s = job->source->find_s,
				      .fetch_s = job->source->fetch_s,
				      .progress = job->progress } };

	(void)snprintf(w.data, sizeof(w.data), "%.*s/data", PATH_MAX - 32, job->dir);
	run(&w);
	out->up = w.ready;
	if (w.ready)
		(void)snprintf(out->database, sizeof(out->database), "%s",
			       w.recovered.databases.v[0]);
	recovered_free(&w.recovered);
	base_free(&w.base);
	strv_free(&w.settings);
}
