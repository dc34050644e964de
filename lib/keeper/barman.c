/* Barman: https://pgbarman.org, 3.x. */
#include "lib/keeper/barman.h"

#include "lib/base/human.h"
#include "lib/base/proc.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "lib/keeper/driver.h"
#include "lib/keeper/segments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_LIMIT_S = 300, WAL_LIMIT_S = 600, REASON_MAX = 1500 };

static void command(const struct keeper *k, bool json, const char *name, struct strv *out)
{
	strv_add(out, "barman");
	if (k->config) {
		strv_add(out, "--config");
		strv_add(out, k->config);
	}
	if (json) {
		strv_add(out, "--format");
		strv_add(out, "json");
	}
	strv_add(out, name);
}

/* barman NAME SERVER [BACKUP]: its answer; the caller's. */
static json_t *ask(const struct keeper *k, const char *name, const char *backup, uint64_t limit_s,
		   struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	command(k, true, name, &argv);
	strv_add(&argv, k->name);
	if (backup)
		strv_add(&argv, backup);
	if (keeper_run(k, &argv, limit_s, &said, e) < 0)
		return NULL;
	return keeper_parse(k, &said, e);
}

static int list(const struct keeper *k, struct keeper_list *out, struct err *e)
{
	JSON_AUTO *answer = ask(k, "list-backups", NULL, LIST_LIMIT_S, e);
	STRV_AUTO names = { 0 };

	if (!answer || barman_names(answer, k->name, &names, out, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		JSON_AUTO *one = ask(k, "show-backup", names.v[i], LIST_LIMIT_S, e);

		if (!one || barman_backup(one, k->name, out, e) < 0)
			return -1;
	}
	return 0;
}

/* --- verify ----------------------------------------------------------------------------------- */

static enum verdict verify_backup(const struct keeper *k, const struct keeper_backup *b,
				  struct stage *st)
{
	BUF_AUTO text = BUF_INIT(REASON_MAX);
	struct err e = { 0 };
	JSON_AUTO *answer = ask(k, "verify-backup", b->name, 0, &e);
	enum verdict verdict;
	struct check c;

	if (!answer) {
		stage_error(st, "repository-backup", b->name, &e);
		return V_UNKNOWN;
	}
	verdict = barman_verified(answer, &text);
	if (verdict == V_OK)
		return V_OK;
	check_init(&c, "repository-backup", b->name);
	check_say(&c, verdict, "%s", text.s);
	stage_check(st, &c);
	return verdict;
}

static void verify_backups(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	size_t good = 0, damaged = 0;
	struct check c;

	for (size_t i = 0; i < l->n; i++) {
		const enum verdict v = verify_backup(k, &l->v[i], st);

		good += v == V_OK;
		damaged += v == V_CRITICAL;
	}
	check_init(&c, "repository-verify", "");
	check_metric_int(&c, "backups", (int64_t)l->n, "");
	if (damaged)
		check_say(&c, V_CRITICAL, "pg_verifybackup found damage in %zu of %zu backups",
			  damaged, l->n);
	else if (good < l->n)
		check_say(&c, V_WARNING, "%zu of %zu backups could not be verified", l->n - good,
			  l->n);
	else
		check_say(&c, V_OK, "pg_verifybackup found %zu backups whole", l->n);
	stage_check(st, &c);
}

/* The catalogue names a segment that somebody removed like any other. We are, or may do more than,
 * the user whose files these are. */
static void take_path(const char *path, struct strv *names)
{
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (path[0] == '/' && slash && (lstat(path, &st) == 0 || errno != ENOENT))
		strv_add(names, slash + 1);
}

static int ask_names(const struct keeper *k, const char *backup, struct strv *names, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	STRV_AUTO argv = { 0 };

	command(k, false, "list-files", &argv);
	strv_add(&argv, "--target");
	strv_add(&argv, "wal");
	strv_add(&argv, k->name);
	strv_add(&argv, backup);
	if (keeper_run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	keeper_reason(said.err.s, &reason);
	if (reason.len)
		return err_set(e, ERR_REMOTE, "ask Barman for the WAL of %s: %s", backup, reason.s);
	for (char *rest = said.out.s, *line; (line = strsep(&rest, "\n")) != NULL;)
		take_path(line, names);
	return 0;
}

static void verify_wal(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	struct segments_need *needs = xcalloc(l->n + 1, sizeof(*needs));
	STRV_AUTO names = { 0 };
	struct err e = { 0 };
	bool known = true;

	for (size_t i = 0; i < l->n && known; i++) {
		const struct keeper_backup *b = &l->v[i];

		needs[i] =
			(struct segments_need){ b->name, b->start_wal, b->stop_wal, b->start_lsn };
		known = ask_names(k, b->name, &names, &e) == 0;
	}
	if (known)
		segments_check(st, k->name, &names, needs, l->n);
	else
		stage_error(st, "repository-wal-gaps", k->name, &e);
	free(needs);
}

static void verify(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	verify_backups(k, l, st);
	verify_wal(k, l, st);
}

/* --- restore ---------------------------------------------------------------------------------- */

/* Places of its own for the tablespaces, which else would go where those of production are. */
static int map_tablespaces(const struct keeper *k, const struct keeper_restore *r,
			   struct strv *argv, struct err *e)
{
	JSON_AUTO *answer = ask(k, "show-backup", r->backup, LIST_LIMIT_S, e);
	const json_t *one;
	size_t i;

	if (!answer || barman_error(answer, e))
		return -1;
	json_array_foreach(json_object_get(json_object_get(answer, k->name), "tablespaces"), i,
			   one) {
		const char *name = record_text(one, "name");

		if (!name)
			return err_set(e, ERR_REMOTE,
				       "read Barman's description of %s: a "
				       "tablespace without a name",
				       r->backup);
		strv_add(argv, "--tablespace");
		strv_addf(argv, "%s:%s/places/%zu", name, r->dir, i);
	}
	return 0;
}

/* It sets the manifest aside under a name of its own. */
static void restore_manifest(const struct keeper_restore *r)
{
	AUTO_FREE char *theirs = xasprintf("%s/backup_manifest.%s", r->data, r->backup);
	AUTO_FREE char *usual = xasprintf("%s/backup_manifest", r->data);

	(void)rename(theirs, usual);
}

/* With get-wal it brings no WAL along, and says where some could be got. */
static int restore(const struct keeper *k, const struct keeper_restore *r, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *answer = NULL;
	char status[64];

	command(k, true, "recover", &argv);
	strv_add(&argv, "--get-wal");
	strv_addf(&argv, "--jobs=%u", r->jobs);
	if (map_tablespaces(k, r, &argv, e) < 0)
		return -1;
	strv_add(&argv, k->name);
	strv_add(&argv, r->backup);
	strv_add(&argv, r->data);
	if (keeper_run(k, &argv, r->limit_s, &said, e) < 0)
		return -1;
	answer = keeper_parse(k, &said, e);
	if (!answer || barman_error(answer, e))
		return -1;
	if (said.status)
		return err_set(e, ERR_SYSTEM, "restore of %s by Barman: it %s", k->name,
			       proc_status_text(said.status, status, sizeof(status)));
	restore_manifest(r);
	return 0;
}

static int wal_names(const struct keeper *k, struct strv *names, struct err *e)
{
	JSON_AUTO *answer = ask(k, "list-backups", NULL, LIST_LIMIT_S, e);
	KEEPER_LIST_AUTO ignored = { 0 };
	STRV_AUTO backups = { 0 };

	if (!answer || barman_names(answer, k->name, &backups, &ignored, e) < 0)
		return -1;
	for (size_t i = 0; i < backups.n; i++)
		if (ask_names(k, backups.v[i], names, e) < 0)
			return -1;
	return 0;
}

static int wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	STRV_AUTO argv = { 0 };

	(void)data;
	command(k, false, "get-wal", &argv);
	strv_add(&argv, "--output-directory");
	strv_add(&argv, dir);
	strv_add(&argv, k->name);
	strv_add(&argv, name);
	if (keeper_run(k, &argv, WAL_LIMIT_S, &said, e) < 0)
		return -1;
	if (said.status == 0 && access(path, F_OK) == 0)
		return 1;
	keeper_reason(said.err.s, &reason);
	if (strstr(said.err.s, "not found"))
		return 0;
	return err_set(e, ERR_REMOTE, "get %s from Barman: %s", name,
		       reason.len ? reason.s : "no file came");
}

/* --- check ------------------------------------------------------------------------------------ */

static void check(const struct keeper *k, struct check *c, struct err *e)
{
	JSON_AUTO *answer = ask(k, "check", NULL, 0, e);

	if (answer)
		barman_checked(answer, k->name, c);
}

const struct keeper_driver keeper_barman = {
	.scheme = "barman",
	.called = "Barman",
	.form = "barman:SERVER, barman:SERVER?config=/etc/barman.conf",
	.user = "barman",
	.list = list,
	.verify = verify,
	.restore = restore,
	.wal_names = wal_names,
	.wal_get = wal_get,
	.check = check,
};
