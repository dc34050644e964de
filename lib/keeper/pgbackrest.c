/* pgBackRest: https://pgbackrest.org, from 2.33 on (repositories told apart by numbers), verify
 * from 2.39 on (--output). */
#include "lib/keeper/pgbackrest.h"

#include "lib/base/human.h"
#include "lib/base/proc.h"
#include "lib/base/xmem.h"
#include "lib/keeper/driver.h"
#include "lib/keeper/segments.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* An S3 repository over a bad line still answers within that. */
enum { LIST_LIMIT_S = 600, WAL_LIMIT_S = 600, REASON_MAX = 600 };

/* Where it may log nothing but to us: its log file is that of its own runs. */
static void command(const struct keeper *k, const char *name, unsigned repo, const char *console,
		    struct strv *out)
{
	strv_add(out, "pgbackrest");
	if (k->config)
		strv_addf(out, "--config=%s", k->config);
	strv_addf(out, "--stanza=%s", k->name);
	if (repo)
		strv_addf(out, "--repo=%u", repo);
	strv_add(out, "--log-level-file=off");
	strv_addf(out, "--log-level-console=%s", console);
	strv_add(out, "--log-level-stderr=error");
	strv_add(out, name);
}

static int list(const struct keeper *k, struct keeper_list *out, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *info = NULL;

	command(k, "info", k->repo, "off", &argv);
	strv_add(&argv, "--output=json");
	if (keeper_run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	info = keeper_parse(k, &said, e);
	return info ? pgbackrest_info(info, k->name, out, e) : -1;
}

/* --- verify ----------------------------------------------------------------------------------- */

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
static size_t say_backups(struct stage *st, const struct pgbackrest_verified *v,
			  const struct keeper_list *l, unsigned repo)
{
	size_t bad = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct keeper_backup *b = &l->v[i];
		const struct pgbackrest_count *c = count_of(v, b->name);
		BUF_AUTO text = BUF_INIT(REASON_MAX);
		struct check check;

		if (b->repo != repo || (c && !is_bad(c)))
			continue;
		bad++;
		if (!c)
			buf_adds(&text, "it is in the catalogue, but not in the repository");
		else if (c->checked == 0)
			buf_addf(&text, "%s", c->status);
		else
			describe(c, "files", &text);
		check_init(&check, "repository-backup", b->name);
		check_say(&check, V_CRITICAL, "%s", text.s);
		stage_check(st, &check);
	}
	return bad;
}

static size_t say_archives(struct stage *st, const struct pgbackrest_verified *v)
{
	size_t bad = 0;

	for (size_t i = 0; i < v->n_archives; i++) {
		BUF_AUTO text = BUF_INIT(REASON_MAX);
		struct check check;

		if (!is_bad(&v->archives[i]))
			continue;
		bad++;
		describe(&v->archives[i], "WAL segments", &text);
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

static void judge_verify(struct stage *st, const struct keeper_said *said,
			 const struct keeper_list *l, unsigned repo, const char *subject)
{
	PGBACKREST_VERIFIED_AUTO v;
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	struct check check;
	size_t bad;

	check_init(&check, "repository-verify", subject);
	if (!pgbackrest_verified(said->out.s, &v)) {
		keeper_reason(said->err.len ? said->err.s : said->out.s, &reason);
		check_say(&check, V_UNKNOWN, "pgBackRest did not say how it is: %s",
			  reason.len ? reason.s : "no output");
		stage_check(st, &check);
		return;
	}
	bad = say_backups(st, &v, l, repo) + say_archives(st, &v);
	if (v.words.len)
		check_say(&check, V_CRITICAL, "%s", v.words.s);
	else if (bad || v.error)
		check_say(&check, V_CRITICAL, "pgBackRest found damage%s",
			  bad ? "" : " and does not say where");
	else
		say_whole(&check, &v);
	stage_check(st, &check);
}

static void verify_repo(const struct keeper *k, const struct keeper_list *l, unsigned repo,
			const char *subject, struct stage *st)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	struct err e = { 0 };

	command(k, "verify", repo, "off", &argv);
	strv_add(&argv, "--output=text");
	strv_add(&argv, "--verbose");
	if (keeper_run(k, &argv, 0, &said, &e) < 0)
		stage_error(st, "repository-verify", subject, &e);
	else
		judge_verify(st, &said, l, repo, subject);
}

/* --- what verify does not see: WAL that is not there --------------------------------------------
 */

static int ask_names(const struct keeper *k, unsigned repo, const char *archive, struct strv *names,
		     struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *tree = NULL;
	const char *path;
	json_t *value;

	command(k, "repo-ls", repo, "off", &argv);
	strv_add(&argv, "--recurse");
	strv_add(&argv, "--output=json");
	strv_addf(&argv, "archive/%s/%s", k->name, archive);
	if (keeper_run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	tree = keeper_parse(k, &said, e);
	if (!tree)
		return -1;
	json_object_foreach(tree, path, value) {
		const char *slash = strrchr(path, '/');

		strv_add(names, slash ? slash + 1 : path);
	}
	return 0;
}

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
	if (ask_names(k, repo, archive, &names, &e) < 0)
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

static void verify(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	char subject[32];

	for (size_t i = 0; i < l->n_repos; i++) {
		(void)snprintf(subject, sizeof(subject), "repo%u", l->repos[i]);
		verify_repo(k, l, l->repos[i], l->n_repos > 1 ? subject : "", st);
		verify_wal(k, l, l->repos[i], st);
	}
}

/* --- check ------------------------------------------------------------------------------------ */

/* src/common/error: what is wrong with the way of WAL, and not merely with asking. */
static bool is_finding(const char *said)
{
	static const char *const codes[] = { "[028]", "[044]", "[068]", "[082]", "[087]", NULL };

	for (const char *const *c = codes; *c; c++)
		if (strstr(said, *c))
			return true;
	return false;
}

/* It switches a segment on production and waits for it in the archive. That it ends with 0 is not
 * enough: it must have seen one arrive. */
static void check(const struct keeper *k, struct check *c, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	STRV_AUTO argv = { 0 };
	char status[64];

	command(k, "check", 0, "info", &argv);
	if (keeper_run(k, &argv, 0, &said, e) < 0)
		return;
	keeper_reason(said.err.s, &reason);
	if (reason.len)
		check_say(c, is_finding(said.err.s) ? V_CRITICAL : V_UNKNOWN, "pgBackRest: %s",
			  reason.s);
	else if (strstr(said.out.s, "successfully archived"))
		check_say(c, V_OK, "a WAL segment of production arrived in the archive");
	else
		check_say(c, V_UNKNOWN, "pgBackRest names no segment that was archived (%s)",
			  proc_status_text(said.status, status, sizeof(status)));
}

/* --- restore ---------------------------------------------------------------------------------- */

static int failed(const struct keeper *k, const char *what, const struct keeper_said *said,
		  struct err *e)
{
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	char status[64];

	keeper_reason(said->err.s, &reason);
	return err_set(e, pgbackrest_kind(said->err.s), "%s of %s by pgBackRest: %s", what, k->name,
		       reason.len ? reason.s
				  : proc_status_text(said->status, status, sizeof(status)));
}

static int restore(const struct keeper *k, const struct keeper_restore *r, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	command(k, "restore", r->repo, "off", &argv);
	strv_addf(&argv, "--set=%s", r->backup);
	strv_addf(&argv, "--pg1-path=%s", r->data);
	strv_addf(&argv, "--tablespace-map-all=%s/places", r->dir);
	strv_addf(&argv, "--lock-path=%s/lock", r->dir);
	strv_addf(&argv, "--process-max=%u", r->jobs);
	strv_add(&argv, "--type=none");
	strv_add(&argv, "--archive-mode=off");
	if (keeper_run(k, &argv, r->limit_s, &said, e) < 0)
		return -1;
	return said.status || said.err.len ? failed(k, "restore", &said, e) : 0;
}

static const char *newest_archive(const struct keeper_list *l)
{
	return l->n ? l->v[l->n - 1].archive : NULL;
}

static int wal_names(const struct keeper *k, struct strv *names, struct err *e)
{
	const struct keeper_filter all = { 0 };
	KEEPER_LIST_AUTO l = { 0 };

	if (keeper_list(k, &all, &l, e) < 0)
		return -1;
	if (!newest_archive(&l))
		return err_set(e, ERR_BACKUP, "list the WAL of %s: no backup says where it is",
			       k->name);
	for (size_t i = 0; i < l.n_repos; i++)
		if (ask_names(k, l.repos[i], newest_archive(&l), names, e) < 0)
			return -1;
	return 0;
}

/* Its exit status says that a file is not there, and nothing else does. */
static int wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	command(k, "archive-get", k->repo, "off", &argv);
	strv_addf(&argv, "--pg1-path=%s", data);
	strv_add(&argv, "--no-archive-async");
	strv_add(&argv, name);
	strv_addf(&argv, "%s/%s", dir, name);
	if (keeper_run(k, &argv, WAL_LIMIT_S, &said, e) < 0)
		return -1;
	if (said.status == 0 && said.err.len == 0)
		return 1;
	if (WIFEXITED(said.status) && WEXITSTATUS(said.status) == 1 && said.err.len == 0)
		return 0;
	return failed(k, "archive-get", &said, e);
}

const struct keeper_driver keeper_pgbackrest = {
	.scheme = "pgbackrest",
	.called = "pgBackRest",
	.form = "pgbackrest:STANZA, pgbackrest:STANZA?repo=2&config=/etc/pgbackrest.conf",
	.user = "postgres",
	.repositories = true,
	.list = list,
	.verify = verify,
	.restore = restore,
	.wal_names = wal_names,
	.wal_get = wal_get,
	.check = check,
};
