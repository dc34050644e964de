#include "lib/restore/restorer.h"

#include "lib/base/arrival.h"
#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/dump/complete.h"
#include "lib/dump/sniff.h"
#include "lib/pg/query.h"
#include "lib/restore/here.h"
#include "lib/restore/into.h"
#include "lib/restore/layout.h"
#include "lib/restore/mishap.h"
#include "lib/restore/outcome.h"
#include "lib/restore/phases.h"
#include "lib/restore/physical.h"
#include "lib/restore/space.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_LIMIT_S = 120, QUOTED = 5, CRASH_MS = 2000, DAY_MS = 24 * 60 * 60 * 1000 };

/* What the steps hand to each other. */
struct work {
	struct stage *st;
	const struct restore_job *job;
	struct sniffed what;
	char *path;         /* owned: of what is restored, unpacked where it was packed */
	struct complete in; /* what is in an archive */
	struct pg_bindir bin;
	struct cluster cluster;
	struct phases phases;
	struct mishaps mishaps;
	struct err broken; /* why the restore could not go on to its end; .kind ERR_NONE: it did */
	struct into_job into_job;
	struct into into;
	uint64_t free_b; /* disk space before the restore */
	bool ready;
};

/* Messages speak of the backup as the user knows it, not of where we read it. */
static void say_error(struct work *w, const char *check, const struct err *from)
{
	const char *where = w->path ? w->path : w->job->path;
	const char *at = strstr(from->msg, where);
	BUF_AUTO b = BUF_INIT(sizeof(from->msg) - 1);
	struct err e = { .kind = from->kind };

	if (at)
		buf_addf(&b, "%.*s%s%s", (int)(at - from->msg), from->msg, w->job->source->path,
			 at + strlen(where));
	(void)snprintf(e.msg, sizeof(e.msg), "%s", at && !b.full ? b.s : from->msg);
	stage_error(w->st, check, "", &e);
}

/* ---- before the server -------------------------------------------------------------- */

static void say_encryption(struct work *w)
{
	const char *doubt = w->what.doubt ? w->what.doubt : "";
	struct check c;

	if (!sniff_is_encrypted(&w->what) && !w->job->require_encryption)
		return;
	check_init(&c, "backup-encryption", "");
	if (sniff_is_encrypted(&w->what))
		check_say(&c, V_OK, "encrypted with %s%s%s", w->what.encryption, *doubt ? "; " : "",
			  doubt);
	else
		check_say(&c, V_CRITICAL,
			  "not encrypted, as it must be: whoever gets hold of it can read it all");
	stage_check(w->st, &c);
}

static int recognise(struct work *w, struct err *e)
{
	char text[SNIFF_TEXT];
	struct check c;

	if (sniff_path(w->job->path, &w->job->reading, &w->what, e) < 0 ||
	    (!physical_takes(&w->what) && sniff_refuse(w->job->source->path, &w->what, e) < 0)) {
		say_error(w, "backup-format", e);
		return -1;
	}
	if (physical_takes(&w->what))
		return 0;
	if (w->what.kind != DUMP_DIRECTORY)
		sniff_name(w->job->source->path, &w->what);
	check_init(&c, "backup-format", "");
	check_field(&c, "format", json_string(sniff_format(&w->what)));
	check_field(&c, "compression", json_string(w->what.compression));
	check_field(&c, "encryption", json_string(w->what.encryption));
	(void)sniff_describe(&w->what, text);
	if (w->what.name_says[0])
		check_say(&c, V_WARNING, "%s, but its name says %s", text, w->what.name_says);
	else
		check_say(&c, V_OK, "%s", text);
	stage_check(w->st, &c);
	say_encryption(w);
	return 0;
}

static bool is_archive(const struct work *w)
{
	return w->what.kind == DUMP_CUSTOM || w->what.kind == DUMP_DIRECTORY ||
	       w->what.kind == DUMP_TAR || w->what.kind == DUMP_PACKED_DIRECTORY;
}

static void say_complete(struct work *w, enum verdict v, const char *note)
{
	struct check c;

	check_init(&c, "backup-complete", "");
	if (note[0])
		check_say(&c, v, "complete as far as it can be told: %s", note);
	else
		check_say(&c, v, "complete: its end is there");
	stage_check(w->st, &c);
}

/* An archive's end is looked for first: pg_restore may wait for ever for the rest of one that was
 * cut short. A script is read just once, while it is restored. */
static int whole(struct work *w, struct err *e)
{
	const struct layout layout = { .dir = w->job->dir,
				       .reading = &w->job->reading,
				       .phases = &w->phases };

	w->path = is_archive(w) ? layout_archive(&layout, w->job->path, &w->what, e)
				: xstrdup(w->job->path);
	if (w->path == NULL ||
	    (is_archive(w) && complete_check(w->path, &w->what, &w->job->reading, &w->in, e) < 0)) {
		say_error(w, "backup-complete", e);
		return -1;
	}
	if (is_archive(w))
		say_complete(w, V_OK, w->in.note);
	return 0;
}

/* A restore into another major version proves a little less. */
static void say_version(struct work *w)
{
	int origin = pg_major(w->what.server_version);
	struct check c;

	if (origin == 0 || origin == w->bin.major)
		return;
	check_init(&c, "server-version", "");
	check_say(
		&c, V_WARNING,
		"restored into PostgreSQL %s, and it is of %s; for the same major version install "
		"postgresql-%d",
		w->bin.version, w->what.server_version, origin);
	stage_check(w->st, &c);
}

static int prepare(struct work *w, struct err *e)
{
	int server = pg_major(w->what.server_version), dump = pg_major(w->what.dump_version);
	const struct space need = is_archive(w)
					  ? space_of_archive(&w->what, &w->in, w->job->rows_only)
					  : space_needed(&w->what, w->job->source->bytes);

	*w->job->need_b = need.need_b;
	w->free_b = space_free(w->job->dir);
	if (space_check(w->job->dir, &need, w->job->max_disk_b, e) < 0)
		return -1;
	return pg_bindir_find(w->job->pg_bindir, server > dump ? server : dump, w->job->who,
			      &w->bin, e);
}

static int start(struct work *w, struct err *e)
{
	int ret;

	w->cluster.opts = (struct cluster_opts){ .bin = &w->bin,
						 .as = w->job->who,
						 .dir = w->job->dir,
						 .templates = w->job->templates,
						 .durability = w->job->durability,
						 .settings = w->job->settings,
						 .max_memory_b = w->job->max_memory_b,
						 .jobs = w->job->jobs };
	phases_begin(&w->phases, PHASE_START);
	ret = cluster_init(&w->cluster, e) < 0 ? -1 : cluster_start(&w->cluster, START_LIMIT_S, e);
	phases_end(&w->phases, PHASE_START);
	return ret;
}

/* ---- what came out ------------------------------------------------------------------ */

static bool died(const struct mishaps *l)
{
	bool found = false;

	for (size_t i = 0; i < l->n && !found; i++)
		found = strstr(l->v[i].message, "a worker process died unexpectedly") != NULL;
	return found;
}

/* The first reason that lies in this machine, or NULL. */
static const char *fault_here(const struct work *w)
{
	const char *reason = NULL;

	if (w->broken.kind != ERR_NONE && w->broken.kind != ERR_BACKUP)
		return w->broken.msg;
	for (size_t i = 0; i < w->mishaps.n && reason == NULL; i++)
		if (w->mishaps.v[i].kind == MISHAP_FAILED)
			reason = here_reason(w->mishaps.v[i].message);
	/* One that damaged data ended has said so itself. */
	if (reason == NULL && w->mishaps.count[MISHAP_FAILED] == 1 && died(&w->mishaps))
		reason = "a process of pg_restore was killed";
	return reason;
}

/* ": the first few; of them" */
static void quote(const struct work *w, enum mishap_kind kind, struct buf *b)
{
	unsigned shown = 0;

	for (size_t i = 0; i < w->mishaps.n && shown < QUOTED; i++) {
		const struct mishap *m = &w->mishaps.v[i];

		if (m->kind != kind)
			continue;
		buf_adds(b, shown++ ? "; " : ": ");
		if (m->line)
			buf_addf(b, "line %ju: ", (uintmax_t)m->line);
		buf_adds(b, m->why ? m->why : m->message);
		if (kind == MISHAP_REFUSED)
			buf_addf(b, ": %s", m->statement);
	}
}

static void count(const struct work *w, enum mishap_kind kind, const char *what, struct buf *b)
{
	uint64_t n = w->mishaps.count[kind];

	if (n == 0)
		return;
	buf_addf(b, "%s%ju %s%s", b->len ? "; " : "", (uintmax_t)n, what, n == 1 ? "" : "s");
	quote(w, kind, b);
}

static enum verdict judge(const struct work *w, const char *here)
{
	if (here)
		return V_UNKNOWN;
	if (w->mishaps.count[MISHAP_FAILED] || w->mishaps.count[MISHAP_REFUSED])
		return V_CRITICAL;
	if (w->mishaps.count[MISHAP_SKIPPED])
		return V_WARNING;
	return w->broken.kind == ERR_NONE ? V_OK : V_WARNING; /* critical as backup-complete */
}

static void say_restore(struct work *w)
{
	uint64_t failed = w->mishaps.count[MISHAP_FAILED];
	uint64_t refused = w->mishaps.count[MISHAP_REFUSED];
	const char *here = fault_here(w);
	char there[HUMAN_SIZE], need[HUMAN_SIZE];
	BUF_AUTO b = BUF_INIT(8192);
	struct check c;

	check_init(&c, "restore", "");
	check_metric_int(&c, "failed_statements", (int64_t)(failed + refused), "");
	check_metric_limits(&c, NULL, "0");
	check_metric_int(&c, "ignored_statements", (int64_t)w->mishaps.count[MISHAP_HARMLESS], "");
	check_metric_int(&c, "restored_bytes", w->into.bytes, "B");
	if (*w->job->need_b < INT64_MAX)
		check_metric_int(&c, "estimated_bytes", (int64_t)*w->job->need_b, "B");
	if (here)
		buf_adds(&b, here);
	if (here && (strstr(here, "disk is full") || strstr(here, "No space left")))
		buf_addf(&b, " (%s were free, and by estimate %s are needed)",
			 human_bytes(w->free_b, there), human_bytes(*w->job->need_b, need));
	count(w, MISHAP_FAILED, "failed statement", &b);
	count(w, MISHAP_REFUSED, "refused statement", &b);
	count(w, MISHAP_SKIPPED, "left-out object", &b);
	if (b.len == 0)
		buf_adds(&b, w->broken.kind == ERR_NONE ? "restored without an error"
							: "what there is of it was restored");
	count(w, MISHAP_HARMLESS, "harmless failure", &b);
	if (w->job->rows_only)
		buf_adds(&b, w->into.whole
				     ? "; in full: what follows the rows is only known of dumps "
				       "of pg_dump"
				     : "; tables and rows only: nothing is proven of indexes, "
				       "constraints, triggers, privileges and materialized views");
	check_say(&c, judge(w, here), "%s", b.s);
	stage_check(w->st, &c);
}

static bool rows_only(const struct work *w)
{
	return w->job->rows_only && !w->into.whole;
}

/* The best that is known about when the backup was made. A name that tells the day alone reads as
 * its midnight; the archive's header knows better. */
static bool recovery_point(const struct work *w, int64_t *ms, const char **by)
{
	const struct source *s = w->job->source;
	const bool header =
		w->what.local_ms >= 0 && (!s->modified || w->what.local_ms <= s->modified_ms);

	*by = "modified";
	if (s->taken && (s->taken_ms % DAY_MS != 0 || !header)) {
		*ms = s->taken_ms;
		*by = "name";
	} else if (header) {
		*ms = w->what.local_ms;
		*by = "header";
	} else if (s->modified) {
		*ms = s->modified_ms;
	} else {
		return false;
	}
	return true;
}

static bool went_wrong(const struct work *w)
{
	return w->broken.kind != ERR_NONE || w->mishaps.count[MISHAP_FAILED] ||
	       w->mishaps.count[MISHAP_REFUSED];
}

static void say_outcome(struct work *w)
{
	struct outcome o = { .st = w->st,
			     .job = w->job,
			     .cluster = &w->cluster,
			     .phases = &w->phases,
			     .databases = &w->into.databases,
			     .database = w->into.database,
			     .rows_only = rows_only(w),
			     .how = OUTCOME_WHOLE };

	if (went_wrong(w))
		o.how = OUTCOME_FAILED;
	else if (w->mishaps.count[MISHAP_SKIPPED])
		o.how = OUTCOME_PART;
	o.has_point = recovery_point(w, &o.point_ms, &o.point_by);
	outcome_say(&o);
}

/* ---- the whole ---------------------------------------------------------------------- */

/* What fails is in w->mishaps; what ends it early in w->broken. */
static void restore(struct work *w)
{
	struct err e = { 0 };

	w->into_job = (struct into_job){ .cluster = &w->cluster,
					 .what = &w->what,
					 .reading = &w->job->reading,
					 .path = w->path,
					 .jobs = w->job->jobs,
					 .skip_extensions = &w->job->skip_extensions,
					 .rows_only = w->job->rows_only,
					 .analyze = w->job->analyze,
					 .phases = &w->phases,
					 .mishaps = &w->mishaps };
	if (into_check(&w->into_job, &w->into, &e) < 0) {
		w->broken = e;
		return;
	}
	if (is_archive(w)) {
		if (into_archive(&w->into_job, &w->into, &e) < 0)
			w->broken = e;
		return;
	}
	if (into_script(&w->into_job, &w->into, &e) == 0) {
		say_complete(w, w->into.clipped ? V_WARNING : V_OK, w->into.note);
	} else if (e.kind == ERR_BACKUP) {
		w->broken = e;
		say_error(w, "backup-complete", &e);
	} else {
		w->broken = e;
	}
}

/* After a failure the server may be about to go down: it gets a moment, for its log tells why. */
static bool server_lives(struct work *w, struct err *e)
{
	bool suspect = fault_here(w) != NULL;
	int64_t deadline_ms = mono_ms() + (suspect ? CRASH_MS : 0);

	while (cluster_check(&w->cluster, e) == 0) {
		if (mono_ms() >= deadline_ms)
			return true;
		(void)poll(NULL, 0, CRASH_MS / 20);
	}
	if (w->broken.kind != ERR_BACKUP)
		w->broken = *e;
	return false;
}

/* What was restored while it arrived is worth something only if it was good. */
static bool proven(struct work *w, struct err *e)
{
	const int fd = w->job->source->arriving;

	if (fd < 0 || w->broken.kind != ERR_NONE || arrival_prove(fd, e) == 0)
		return true;
	w->broken = *e;
	return false;
}

static void run(struct work *w)
{
	struct err e = { 0 };

	if (whole(w, &e) < 0)
		return;
	if (prepare(w, &e) < 0 || start(w, &e) < 0) {
		say_error(w, "restore", &e);
		return;
	}
	say_version(w);
	restore(w);
	w->ready =
		server_lives(w, &e) && into_ready(&w->into_job, &w->into, &e) == 0 && proven(w, &e);
	if (!w->ready && w->broken.kind == ERR_NONE)
		w->broken = e;
	say_restore(w);
	/* What this machine could not restore says nothing about the backup: no probe looks at it.
	 */
	w->ready = w->ready && fault_here(w) == NULL;
	if (!w->ready)
		return;
	say_outcome(w);
}

/* A base backup is begun with only when all of it is here, as if it had not been fetched early. */
static void run_physical(struct work *w, struct restored_server *out)
{
	struct source whole = *w->job->source;
	struct restore_job job = *w->job;
	int64_t begun_ms = mono_ms();
	struct err e = { 0 };

	if (whole.arriving >= 0) {
		if (arrival_prove(whole.arriving, &e) < 0) {
			say_error(w, "restore", &e);
			return;
		}
		whole.fetch_s = (double)(mono_ms() - begun_ms) / 1000;
		job.source = &whole;
	}
	physical_run(w->st, &job, &w->what, out);
}

void restorer_run(struct stage *st, const struct restore_job *job, struct restored_server *out)
{
	struct work w = { .st = st,
			  .job = job,
			  .phases = { .find_s = job->source->find_s,
				      .fetch_s = job->source->fetch_s,
				      .progress = job->progress } };

	struct err e = { 0 };

	if (recognise(&w, &e) < 0)
		return;
	if (physical_takes(&w.what)) {
		run_physical(&w, out);
		return;
	}
	w.phases.arrives_along = job->source->arriving >= 0;
	w.phases.arrives_ms = mono_ms() - (utc_now_ms() - job->source->arrives_ms);
	run(&w);
	out->up = w.ready;
	if (w.ready)
		(void)snprintf(out->database, sizeof(out->database), "%s", w.into.database);
	into_free(&w.into);
	mishaps_free(&w.mishaps);
	free(w.path);
}
