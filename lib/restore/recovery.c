#include "lib/restore/recovery.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/physical/wal.h"
#include "lib/restore/here.h"
#include "lib/restore/walend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- why it did not come up --------------------------------------------------------- */

static const struct {
	const char *words, *check, *text;
	enum verdict verdict;
} reasons[] = {
	{ "recovery ended before configured recovery target was reached", "recovery-target",
	  "the target was not reached: the WAL ends before it; or it is a name or a transaction of "
	  "before the backup, which an older one reaches (fetch-latest --nth 2)",
	  V_CRITICAL },
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
	{ "could not restore file", "wal-archive", "WAL could not be handed over", V_UNKNOWN },
};

/* Where the WAL ended, held against what the archive holds. */
static enum verdict judge_end(const struct recovery *w, uint64_t lsn, uint32_t timeline,
			      char text[WALEND_TEXT])
{
	const struct control *c = &w->base.control;
	const struct target *t = &w->job->target;
	const struct walend end = { .lsn = lsn,
				    .timeline = timeline,
				    .segment_b = c->wal_segment_size,
				    .follows = t->timeline[0] == '\0' ||
					       strcmp(t->timeline, "latest") == 0 };

	text[0] = '\0';
	return c->known && lsn && timeline ? walend_judge(&end, &w->feed.names, text) : V_OK;
}

/* The target lies behind the end of the WAL: is it a hole? */
static void add_end(const struct recovery *w, char text[WALEND_TEXT])
{
	uint64_t lsn, segment;
	uint32_t timeline;

	text[0] = '\0';
	if (manifest_lsn(w->replay.done_lsn, &lsn) && w->base.control.known &&
	    wal_of_name(w->feed.last, w->base.control.wal_segment_size, &timeline, &segment))
		(void)judge_end(w, lsn, timeline, text);
}

static void say_failure(struct recovery *w, const char *check, enum verdict v, const char *text)
{
	const struct replay *r = &w->replay;
	char end[WALEND_TEXT];
	struct check c;

	add_end(w, end);
	check_init(&c, check, "");
	check_say(&c, v, "%s; the server says: %s%s%s%s%s%s%s", text, r->fatal,
		  r->trouble[0] ? "; before that: " : "", r->trouble,
		  r->commit[0] ? "; last commit: " : "", r->commit, end[0] ? "; " : "", end);
	stage_check(w->st, &c);
}

void recovery_explain(struct recovery *w, const struct err *e)
{
	const struct replay *r = &w->replay;
	const char *here = here_reason(r->fatal);

	if (w->feed.broken.kind != ERR_NONE) {
		stage_error(w->st, "wal-archive", "", &w->feed.broken);
		return;
	}
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

static void say_restore(struct recovery *w)
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

static void say_archive(struct recovery *w)
{
	const struct walfeed *f = &w->feed;
	char size[HUMAN_SIZE];
	struct check c;

	if (f->end < 0)
		return;
	check_init(&c, "wal-archive", "");
	check_metric_int(&c, "archive_files", (int64_t)f->names.n, "");
	check_metric_int(&c, "fetched_files", (int64_t)f->files, "");
	check_metric_int(&c, "fetched_bytes", (int64_t)f->bytes, "B");
	if (f->names.n == 0)
		check_say(&c, V_CRITICAL, "there is no WAL in the archive");
	else
		check_say(&c, V_OK, "%" PRIu64 " of %zu files were needed, %s", f->files,
			  f->names.n, human_bytes(f->bytes, size));
	stage_check(w->st, &c);
}

uint64_t recovery_bytes(const struct recovery *w)
{
	uint64_t from;

	if (!manifest_lsn(w->replay.redo_lsn, &from) || from > w->recovered.lsn)
		return 0;
	return w->recovered.lsn - from;
}

static void add_commit(const struct recovery *w, struct buf *out)
{
	char at[UTC_SIZE];

	if (w->recovered.has_commit)
		buf_addf(out, ", last commit %s", utc_human(w->recovered.commit_ms, at));
	else
		buf_adds(out, ", no commit was replayed");
}

static void add_rate(const struct recovery *w, struct check *c, struct buf *out)
{
	const struct phases *p = &w->phases;
	const uint64_t bytes = recovery_bytes(w);
	const int64_t ms = p->ms[PHASE_CONSISTENT] + p->ms[PHASE_REPLAY];
	char size[HUMAN_SIZE], rate[HUMAN_SIZE];

	check_metric_int(c, "wal_bytes", (int64_t)bytes, "B");
	buf_addf(out, "; %s of WAL replayed", human_bytes(bytes, size));
	if (ms <= 0)
		return;
	check_metric_real(c, "wal_rate", (double)bytes * 1000 / (double)ms, "B/s");
	buf_addf(out, ", %s/s", human_bytes(bytes * 1000 / (uint64_t)ms, rate));
}

static void say_target(struct recovery *w)
{
	const struct target *t = &w->job->target;
	const uint64_t lsn = w->recovered.lsn;
	BUF_AUTO text = BUF_INIT(1000);
	char to[TARGET_TEXT], at[32], end[WALEND_TEXT] = "";
	enum verdict v = V_OK;
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
	else if (t->kind == TARGET_LATEST)
		v = judge_end(w, lsn, w->recovered.timeline, end);
	check_say(&c, v, "%s%s%s", end, end[0] ? "; " : "", text.s);
	stage_check(w->st, &c);
}

void recovery_say(struct recovery *w)
{
	say_archive(w);
	say_restore(w);
	say_target(w);
}
