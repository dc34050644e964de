/* What pgbackrest verify finds, what its log adds to that, and what both pass over. */
#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/keeper/pgbackrest.h"
#include "lib/keeper/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000, NAMED = 3, COPIES_NAMED = 5 };

struct verified {
	const struct keeper *k;
	const struct keeper_list *list; /* what its catalogue promises */
	unsigned repo;
	const char *subject;
	struct pgbackrest_verified v;
	struct pgbackrest_log log;
};

static bool is_bad(const struct pgbackrest_count *c)
{
	return c->valid != c->checked || c->missing || c->checksum || c->size || c->other ||
	       (c->status && strcmp(c->status, "valid") != 0);
}

static void describe(const struct pgbackrest_count *c, const char *things, struct buf *out)
{
	const struct {
		int64_t n;
		const char *what;
	} faults[] = { { c->missing, "missing" },
		       { c->checksum, "with another checksum" },
		       { c->size, "of another size" },
		       { c->other, "unreadable or damaged" } };
	char n[HUMAN_SIZE], of[HUMAN_SIZE];
	const char *separator = ": ";

	buf_addf(out, "%s of %s %s are whole", human_count(c->valid, n),
		 human_count(c->checked, of), things);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (faults[i].n == 0)
			continue;
		buf_addf(out, "%s%s %s", separator, human_count(faults[i].n, n), faults[i].what);
		separator = ", ";
	}
}

/* The first files of it, by name. */
static void add_notes(const struct pgbackrest_log *log, const char *name, struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < log->notes.n && n < NAMED; i++) {
		if (!pgbackrest_note_names(log->notes.v[i], name))
			continue;
		buf_addf(out, "; %s", log->notes.v[i]);
		n++;
	}
}

static const struct pgbackrest_count *count_of(const struct pgbackrest_verified *v,
					       const char *label)
{
	for (size_t i = 0; i < v->n_backups; i++)
		if (strcmp(v->backups[i].name, label) == 0)
			return &v->backups[i];
	return NULL;
}

/* A backup whose manifest is gone does not make its status an error, and one whose directory is
 * gone is not named at all: each that the catalogue promises must be called valid. */
static size_t say_backups(struct stage *st, const struct verified *of)
{
	const struct keeper_list *l = of->list;
	size_t bad = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct keeper_backup *b = &l->v[i];
		const struct pgbackrest_count *c = count_of(&of->v, b->name);
		BUF_AUTO text = BUF_INIT(TEXT_MAX);
		struct check check;

		if (b->repo != of->repo || (c && !is_bad(c)))
			continue;
		bad++;
		if (!c)
			buf_adds(&text, "it is in the catalogue, but not in the repository");
		else if (c->checked == 0)
			buf_addf(&text, "%s", c->status);
		else
			describe(c, "files", &text);
		add_notes(&of->log, b->name, &text);
		check_init(&check, "repository-backup", b->name);
		check_say(&check, V_CRITICAL, "%s", text.s);
		stage_check(st, &check);
	}
	return bad;
}

static size_t say_archives(struct stage *st, const struct verified *of)
{
	const struct pgbackrest_verified *v = &of->v;
	size_t bad = 0;

	for (size_t i = 0; i < v->n_archives; i++) {
		BUF_AUTO text = BUF_INIT(TEXT_MAX);
		struct check check;

		if (!is_bad(&v->archives[i]))
			continue;
		bad++;
		describe(&v->archives[i], "WAL segments", &text);
		add_notes(&of->log, v->archives[i].name, &text);
		check_init(&check, "repository-wal", v->archives[i].name);
		check_say(&check, V_CRITICAL, "%s", text.s);
		stage_check(st, &check);
	}
	return bad;
}

static void say_whole(struct check *c, const struct pgbackrest_verified *v)
{
	char backups[HUMAN_SIZE], files[HUMAN_SIZE], segments[HUMAN_SIZE];
	int64_t n_backups = 0, n_files = 0, n_segments = 0;

	/* One that is being made is none yet. */
	for (size_t i = 0; i < v->n_backups; i++) {
		n_backups += !is_bad(&v->backups[i]);
		n_files += v->backups[i].checked;
	}
	for (size_t i = 0; i < v->n_archives; i++)
		n_segments += v->archives[i].checked;
	check_metric_int(c, "backups", n_backups, "");
	check_metric_int(c, "files", n_files, "");
	check_metric_int(c, "segments", n_segments, "");
	check_say(c, V_OK, "pgBackRest verified %s backups (%s files) and %s WAL segments",
		  human_count(n_backups, backups), human_count(n_files, files),
		  human_count(n_segments, segments));
	if (n_backups < (int64_t)v->n_backups)
		check_say(c, V_OK, "%" PRId64 " more without an end, being made or left over",
			  (int64_t)v->n_backups - n_backups);
}

static bool is_listed(const struct keeper_list *l, unsigned repo, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].repo == repo && strcmp(l->v[i].name, name) == 0)
			return true;
	return false;
}

/* A catalogue that is older than the repository hides them. Those that were made since it was asked
 * for are none: it is asked again. */
static void say_hidden(struct stage *st, const struct verified *of)
{
	const struct pgbackrest_verified *v = &of->v;
	const struct keeper_filter all = { 0 };
	KEEPER_LIST_AUTO now = { 0 };
	bool asked = false;
	struct err e = { 0 };

	for (size_t i = 0; i < v->n_backups; i++) {
		const char *name = v->backups[i].name;
		struct check c;

		if (is_bad(&v->backups[i]) || is_listed(of->list, of->repo, name))
			continue;
		if (!asked && keeper_list(of->k, &all, &now, &e) < 0)
			return;
		asked = true;
		if (is_listed(&now, of->repo, name))
			continue;
		check_init(&c, "repository-backup", name);
		check_say(&c, V_WARNING,
			  "it is whole, but not in the catalogue (backup.info), where a restore "
			  "looks for it: the catalogue is older than the repository");
		stage_check(st, &c);
	}
}

/* A manifest is that of a backup: of one that is being made or expired it says nothing new. */
static bool is_of_none(const struct verified *of, const char *fault)
{
	if (!strstr(fault, "manifest"))
		return false;
	for (size_t i = 0; i < of->v.n_backups; i++)
		if (strstr(fault, of->v.backups[i].name) && !is_bad(&of->v.backups[i]))
			return false;
	return true;
}

static void say_copies(struct stage *st, const struct verified *of)
{
	BUF_AUTO text = BUF_INIT(TEXT_MAX);
	struct check c;
	size_t n = 0;

	for (size_t i = 0; i < of->log.copies.n; i++)
		if (!is_of_none(of, of->log.copies.v[i]) && n++ < COPIES_NAMED)
			buf_addf(&text, "%s%s", text.len ? "; " : "", of->log.copies.v[i]);
	if (n == 0)
		return;
	check_init(&c, "repository-copies", of->subject);
	check_say(&c, V_WARNING,
		  "of files that are kept twice one copy is damaged, lost or old: %s", text.s);
	if (n > COPIES_NAMED)
		check_say(&c, V_WARNING, "%zu more", n - COPIES_NAMED);
	stage_check(st, &c);
}

static void add_words(const struct verified *of, struct buf *out)
{
	static const char ids[] = "archiveIds ";

	buf_adds(out, of->v.words.s);
	for (size_t i = 0; i < of->log.notes.n; i++)
		if (strncmp(of->log.notes.v[i], ids, strlen(ids)) == 0)
			buf_addf(out, "%s%s", out->len ? "; " : "", of->log.notes.v[i]);
}

static void judge_verify(struct stage *st, const struct verified *of)
{
	const struct pgbackrest_verified *v = &of->v;
	BUF_AUTO words = BUF_INIT(TEXT_MAX);
	struct check check;
	const size_t bad = say_backups(st, of) + say_archives(st, of);

	say_hidden(st, of);
	say_copies(st, of);
	add_words(of, &words);
	check_init(&check, "repository-verify", of->subject);
	if (words.len)
		check_say(&check, V_CRITICAL, "%s", words.s);
	else if (bad || v->error)
		check_say(&check, V_CRITICAL, "pgBackRest found damage%s",
			  bad ? "" : " and does not say where");
	else
		say_whole(&check, v);
	stage_check(st, &check);
}

static void say_no_answer(struct stage *st, const struct keeper_said *said,
			  const struct verified *of)
{
	BUF_AUTO reason = BUF_INIT(TEXT_MAX);
	struct check check;

	keeper_reason(of->log.errors.len ? of->log.errors.s : said->out.s, &reason);
	check_init(&check, "repository-verify", of->subject);
	check_say(&check, V_UNKNOWN, "pgBackRest did not say how it is: %s",
		  reason.len ? reason.s : "no output");
	stage_check(st, &check);
}

static void verify_repo(struct verified *of, struct stage *st)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	struct err e = { 0 };
	bool understood;

	pgbackrest_command(of->k, "verify", of->repo, "off", "detail", &argv);
	strv_add(&argv, "--output=text");
	strv_add(&argv, "--verbose");
	if (keeper_run(of->k, &argv, 0, &said, &e) < 0) {
		stage_error(st, "repository-verify", of->subject, &e);
		return;
	}
	pgbackrest_log(said.err.s, &of->log);
	understood = pgbackrest_verified(said.out.s, &of->v);
	if (understood)
		judge_verify(st, of);
	else
		say_no_answer(st, &said, of);
	pgbackrest_verified_free(&of->v);
	pgbackrest_log_free(&of->log);
}

/* --- what verify does not see: WAL that is not there -------------------------------------------
 */

static void judge_archive(const struct keeper *k, const struct keeper_list *l, unsigned repo,
			  const char *archive, struct stage *st)
{
	struct segments_need *needs = xcalloc(l->n, sizeof(*needs));
	STRV_AUTO names = { 0 };
	struct err e = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].repo == repo && l->v[i].archive &&
		    strcmp(l->v[i].archive, archive) == 0)
			needs[n++] = (struct segments_need){ l->v[i].name, l->v[i].start_wal,
							     l->v[i].stop_wal, l->v[i].start_lsn };
	if (pgbackrest_wal_names(k, repo, archive, &names, &e) < 0)
		stage_error(st, "repository-wal-gaps", archive, &e);
	else
		segments_check(st, archive, &names, needs, n);
	free(needs);
}

static void verify_wal(const struct keeper *k, const struct keeper_list *l, unsigned repo,
		       struct stage *st)
{
	STRV_AUTO seen = { 0 };

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].repo == repo && l->v[i].archive && !strv_has(&seen, l->v[i].archive)) {
			strv_add(&seen, l->v[i].archive);
			judge_archive(k, l, repo, l->v[i].archive, st);
		}
}

void pgbackrest_verify(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	char subject[32];

	for (size_t i = 0; i < l->n_repos; i++) {
		(void)snprintf(subject, sizeof(subject), "repo%u", l->repos[i]);
		verify_repo(&(struct verified){ .k = k,
						.list = l,
						.repo = l->repos[i],
						.subject = l->n_repos > 1 ? subject : "" },
			    st);
		verify_wal(k, l, l->repos[i], st);
	}
}
