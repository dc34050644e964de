/* Barman: https://pgbarman.org, 3.x. */
#include "lib/keeper/barman.h"

#include "lib/base/human.h"
#include "lib/base/xmem.h"
#include "lib/keeper/driver.h"
#include "lib/keeper/segments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LIST_LIMIT_S = 300, REASON_MAX = 1500 };

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
	.check = check,
};
