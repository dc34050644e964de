/* pgBackRest: https://pgbackrest.org, from 2.33 on (repositories told apart by numbers), verify
 * from 2.39 on (--output). */
#include "lib/keeper/pgbackrest.h"

#include "lib/base/proc.h"
#include "lib/base/xmem.h"
#include "lib/keeper/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* An S3 repository over a bad line still answers within that. */
enum { LIST_LIMIT_S = 600, WAL_LIMIT_S = 600, REASON_MAX = 600 };

void pgbackrest_command(const struct keeper *k, const char *name, unsigned repo,
			const char *console, const char *log, struct strv *out)
{
	strv_add(out, "pgbackrest");
	if (k->config)
		strv_addf(out, "--config=%s", k->config);
	strv_addf(out, "--stanza=%s", k->name);
	if (repo)
		strv_addf(out, "--repo=%u", repo);
	strv_add(out, "--log-level-file=off");
	strv_addf(out, "--log-level-console=%s", console);
	strv_addf(out, "--log-level-stderr=%s", log);
	strv_add(out, name);
}

static int list(const struct keeper *k, struct keeper_list *out, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *info = NULL;

	pgbackrest_command(k, "info", k->repo, "off", "error", &argv);
	strv_add(&argv, "--output=json");
	if (keeper_run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	info = keeper_parse(k, &said, e);
	return info ? pgbackrest_info(info, k->name, out, e) : -1;
}

/* --- WAL ------------------------------------------------------------------------------------- */

int pgbackrest_wal_names(const struct keeper *k, unsigned repo, const char *archive,
			 struct strv *names, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *tree = NULL;
	const char *path;
	json_t *value;

	pgbackrest_command(k, "repo-ls", repo, "off", "error", &argv);
	strv_add(&argv, "--recurse");
	strv_add(&argv, "--output=json");
	strv_addf(&argv, "archive/%s/%s", k->name, archive);
	if (keeper_run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	tree = keeper_parse(k, &said, e);
	if (!tree)
		return -1;
	json_object_foreach(tree, path, value) {
		const char *slash = strchr(path, '/');

		/* It looks for a segment in the folder of its name alone. */
		if (!slash || strncmp(path, slash + 1, (size_t)(slash - path)) == 0)
			strv_add(names, slash ? slash + 1 : path);
	}
	return 0;
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

	pgbackrest_command(k, "check", 0, "info", "error", &argv);
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

	pgbackrest_command(k, "restore", r->repo, "off", "error", &argv);
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
	const char *archive;

	if (keeper_list(k, &all, &l, e) < 0)
		return -1;
	archive = k->archive ? k->archive : newest_archive(&l);
	if (!archive)
		return err_set(e, ERR_BACKUP, "list the WAL of %s: no backup says where it is",
			       k->name);
	for (size_t i = 0; i < l.n_repos; i++)
		if (pgbackrest_wal_names(k, l.repos[i], archive, names, e) < 0)
			return -1;
	return 0;
}

/* Its exit status says that a file is not there, and nothing else does. */
static int wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	pgbackrest_command(k, "archive-get", k->repo, "off", "error", &argv);
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

static const char *const passes[] = { "PGBACKREST_", NULL };

const struct keeper_driver keeper_pgbackrest = {
	.scheme = "pgbackrest",
	.called = "pgBackRest",
	.form = "pgbackrest:STANZA, pgbackrest:STANZA?repo=2&config=/etc/pgbackrest.conf",
	.user = "postgres",
	.repositories = true,
	.passes = passes,
	.list = list,
	.verify = pgbackrest_verify,
	.restore = restore,
	.wal_names = wal_names,
	.wal_get = wal_get,
	.check = check,
};
