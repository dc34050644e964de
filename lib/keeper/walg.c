/* WAL-G: https://github.com/wal-g/wal-g, 3.x (2.x can be listed and restored). It keeps one
 * cluster, where its configuration or its environment says. */
#include "lib/keeper/walg.h"

#include "lib/base/atomic.h"
#include "lib/base/human.h"
#include "lib/base/io.h"
#include "lib/base/proc.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"
#include "lib/keeper/driver.h"
#include "lib/keeper/segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An S3 repository over a bad line still answers within that. */
enum { LIST_LIMIT_S = 600, WAL_LIMIT_S = 600, REASON_MAX = 600, CHAIN_MAX = 1000 };

/* cmd/pg/wal_fetch.go: the file is not in the archive. */
enum { NOT_THERE = 74 };

#define BACKUPS "basebackups_005" /* utility.BaseBackupPath */

static void command(const struct keeper *k, const char *name, struct strv *out)
{
	strv_add(out, "wal-g");
	strv_add(out, name);
	if (k->config)
		strv_addf(out, "--config=%s", k->config);
}

/* A configuration that it cannot read is a warning to it: it goes on with what else it finds. */
static int run(const struct keeper *k, const struct strv *argv, uint64_t limit_s,
	       struct keeper_said *said, struct err *e)
{
	if (keeper_run(k, argv, limit_s, said, e) < 0)
		return -1;
	if (strstr(said->err.s, "Failed to parse config file"))
		return err_set(e, ERR_USAGE,
			       "ask WAL-G as user %s: it cannot read the configuration %s: name "
			       "one that is JSON, YAML or TOML by its name, and readable",
			       k->who.name, k->config ? k->config : "in its home");
	return 0;
}

static int failed(const char *what, const struct keeper_said *said, struct err *e)
{
	const char *from = strstr(said->err.s, "ERROR: ");
	BUF_AUTO reason = BUF_INIT(REASON_MAX);
	char status[64];

	keeper_reason(from ? from : said->err.s, &reason);
	return err_set(e, walg_kind(said->err.s), "%s by WAL-G: %s", what,
		       reason.len ? reason.s
				  : proc_status_text(said->status, status, sizeof(status)));
}

static json_t *ask(const struct keeper *k, const struct strv *argv, const char *what, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;

	if (run(k, argv, LIST_LIMIT_S, &said, e) < 0)
		return NULL;
	if (said.status) {
		(void)failed(what, &said, e);
		return NULL;
	}
	return keeper_parse(k, &said, e);
}

/* --- what a backup consists of ---------------------------------------------------------------- */

/* The answer, which *out borrows from; the caller's. */
static json_t *ask_sentinel(const struct keeper *k, const char *backup, struct walg_sentinel *out,
			    struct err *e)
{
	AUTO_FREE char *what = xasprintf("reading the sentinel of %s", backup);
	STRV_AUTO argv = { 0 };
	json_t *answer;

	*out = (struct walg_sentinel){ .bytes = -1, .data_bytes = -1 };
	command(k, "st", &argv);
	strv_add(&argv, "cat");
	strv_addf(&argv, BACKUPS "/%s_backup_stop_sentinel.json", backup);
	answer = ask(k, &argv, what, e);
	if (answer && walg_sentinel(answer, backup, out, e) < 0) {
		json_decref(answer);
		return NULL;
	}
	return answer;
}

static int ask_parts(const struct keeper *k, const char *backup, struct walg_parts *out,
		     struct err *e)
{
	AUTO_FREE char *what = xasprintf("listing the parts of %s", backup);
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	*out = (struct walg_parts){ 0 };
	command(k, "st", &argv);
	strv_add(&argv, "ls");
	strv_addf(&argv, BACKUPS "/%s/tar_partitions/", backup);
	if (run(k, &argv, LIST_LIMIT_S, &said, e) < 0)
		return -1;
	if (said.status)
		return failed(what, &said, e);
	walg_parts(said.out.s, out);
	return 0;
}

static int list(const struct keeper *k, struct keeper_list *out, struct err *e)
{
	STRV_AUTO argv = { 0 };
	JSON_AUTO *answer = NULL;

	command(k, "backup-list", &argv);
	strv_add(&argv, "--detail");
	strv_add(&argv, "--json");
	answer = ask(k, &argv, "backup-list", e);
	if (!answer || walg_list(answer, out, e) < 0)
		return -1;
	/* How large a delta's database is, is said there only, and by some versions nowhere. */
	for (size_t i = 0; i < out->n; i++) {
		struct keeper_backup *b = &out->v[i];
		WALG_SENTINEL_AUTO sentinel = { 0 };
		struct err why = { 0 };
		JSON_AUTO *one = NULL;

		if (!b->prior)
			continue;
		one = ask_sentinel(k, b->name, &sentinel, &why);
		b->database_bytes = one ? sentinel.data_bytes : -1;
	}
	return 0;
}

/* --- verify ----------------------------------------------------------------------------------- */

/* Its own decryption and decompression, to the last byte and the checksum behind it. */
static int read_part(const struct keeper *k, const char *backup, const char *part, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	said.drop = true;
	command(k, "st", &argv);
	strv_add(&argv, "cat");
	strv_add(&argv, "--decrypt");
	strv_add(&argv, "--decompress");
	strv_addf(&argv, BACKUPS "/%s/tar_partitions/%s", backup, part);
	if (run(k, &argv, 0, &said, e) < 0)
		return -1;
	return said.status ? failed(part, &said, e) : 0;
}

static int read_backup(const struct keeper *k, const struct keeper_backup *b, size_t *read,
		       struct err *e)
{
	BUF_AUTO why = BUF_INIT(REASON_MAX);
	WALG_PARTS_AUTO parts = { 0 };

	if (ask_parts(k, b->name, &parts, e) < 0)
		return -1;
	if (!walg_parts_whole(&parts, b->bytes, &why))
		return err_set(e, ERR_BACKUP, "%s", why.s);
	for (size_t i = 0; i < parts.names.n; i++)
		if (read_part(k, b->name, parts.names.v[i], e) < 0)
			return -1;
	*read += parts.names.n;
	return 0;
}

static void verify_backups(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	size_t damaged = 0, unread = 0, parts = 0;
	char n[HUMAN_SIZE];
	struct check c;

	for (size_t i = 0; i < l->n; i++) {
		struct err e = { 0 };

		if (read_backup(k, &l->v[i], &parts, &e) == 0)
			continue;
		damaged += e.kind == ERR_BACKUP;
		unread += e.kind != ERR_BACKUP;
		stage_error(st, "repository-backup", l->v[i].name, &e);
	}
	check_init(&c, "repository-verify", "");
	check_metric_int(&c, "backups", (int64_t)l->n, "");
	check_metric_int(&c, "parts", (int64_t)parts, "");
	if (l->n == 0)
		check_say(&c, V_CRITICAL, "no backup in the repository");
	else if (damaged)
		check_say(&c, V_CRITICAL, "%zu of %zu backups are damaged", damaged, l->n);
	else if (unread)
		check_say(&c, V_UNKNOWN, "%zu of %zu backups could not be read", unread, l->n);
	else
		check_say(&c, V_OK, "WAL-G could read %zu backups (%s parts)", l->n,
			  human_count((int64_t)parts, n));
	stage_check(st, &c);
}

static struct segments_need need_of(const struct keeper_backup *b)
{
	return (struct segments_need){ b->name, b->start_wal, b->stop_wal, b->start_lsn };
}

static int ask_names(const struct keeper *k, const struct keeper_list *l, struct strv *names,
		     struct err *e)
{
	const struct segments_need need =
		l->n ? need_of(&l->v[l->n - 1]) : (struct segments_need){ 0 };
	const uint32_t segment_b = segments_size(&need);
	STRV_AUTO argv = { 0 };
	JSON_AUTO *answer = NULL;

	if (segment_b == 0)
		return err_set(e, ERR_BACKUP,
			       "list the WAL of WAL-G: no backup says how large a segment is");
	command(k, "wal-show", &argv);
	strv_add(&argv, "--detailed-json");
	strv_add(&argv, "--without-backups");
	answer = ask(k, &argv, "wal-show", e);
	return answer ? walg_wal(answer, segment_b, names, e) : -1;
}

static void verify_wal(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	struct segments_need *needs = xcalloc(l->n + 1, sizeof(*needs));
	STRV_AUTO names = { 0 };
	struct err e = { 0 };

	for (size_t i = 0; i < l->n; i++)
		needs[i] = need_of(&l->v[i]);
	if (ask_names(k, l, &names, &e) < 0)
		stage_error(st, "repository-wal-gaps", "", &e);
	else
		segments_check(st, "", &names, needs, l->n);
	free(needs);
}

static void verify(const struct keeper *k, const struct keeper_list *l, struct stage *st)
{
	verify_backups(k, l, st);
	if (l->n)
		verify_wal(k, l, st);
}

/* --- restore ---------------------------------------------------------------------------------- */

/* It restores what it finds, and misses no part: so each of the chain is looked at before. Writes
 * the file that says where tablespaces go, which else would go where those of production are. */
static int look_before(const struct keeper *k, const struct keeper_restore *r, const char *spec,
		       struct err *e)
{
	AUTO_FREE char *places = xasprintf("%s/places", r->dir);
	AUTO_FREE char *name = xstrdup(r->backup);

	for (unsigned depth = 0; name; depth++) {
		const bool first = depth == 0;
		BUF_AUTO why = BUF_INIT(REASON_MAX);
		WALG_SENTINEL_AUTO sentinel = { 0 };
		WALG_PARTS_AUTO parts = { 0 };
		JSON_AUTO *answer = ask_sentinel(k, name, &sentinel, e);
		AUTO_FREE char *text = NULL;

		if (!answer || ask_parts(k, name, &parts, e) < 0)
			return -1;
		if (depth == CHAIN_MAX)
			return err_set(e, ERR_BACKUP, "%s: damaged: its deltas have no end", name);
		if (!walg_parts_whole(&parts, sentinel.bytes, &why))
			return err_set(e, ERR_BACKUP, "%s: damaged: %s", name, why.s);
		if (!walg_spec_harmless(sentinel.spec, name, e))
			return -1;
		text = first ? walg_spec(sentinel.spec, r->data, places, e) : NULL;
		if (first && (!text || atomic_write(spec, text, strlen(text), 0644, e) < 0))
			return -1;
		free(name);
		name = sentinel.from ? xstrdup(sentinel.from) : NULL;
	}
	return 0;
}

static int restore(const struct keeper *k, const struct keeper_restore *r, struct err *e)
{
	AUTO_FREE char *spec = xasprintf("%s/restore-spec.json", r->dir);
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };

	if (look_before(k, r, spec, e) < 0)
		return -1;
	command(k, "backup-fetch", &argv);
	strv_addf(&argv, "--walg-download-concurrency=%u", r->jobs);
	strv_addf(&argv, "--restore-spec=%s", spec);
	strv_add(&argv, r->data);
	strv_add(&argv, r->backup);
	if (run(k, &argv, r->limit_s, &said, e) < 0)
		return -1;
	return said.status || !strstr(said.err.s, "Backup extraction complete")
		       ? failed("backup-fetch", &said, e)
		       : 0;
}

static int wal_names(const struct keeper *k, struct strv *names, struct err *e)
{
	const struct keeper_filter all = { 0 };
	KEEPER_LIST_AUTO l = { 0 };

	return keeper_list(k, &all, &l, e) < 0 ? -1 : ask_names(k, &l, names, e);
}

/* With a concurrency of one it fetches nothing ahead, in processes that go on behind our back. */
static int wal_get(const struct keeper *k, const char *name, const char *dir, const char *data,
		   struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	STRV_AUTO argv = { 0 };

	(void)data;
	command(k, "wal-fetch", &argv);
	strv_add(&argv, "--walg-download-concurrency=1");
	strv_add(&argv, name);
	strv_add(&argv, path);
	if (run(k, &argv, WAL_LIMIT_S, &said, e) < 0)
		return -1;
	if (said.status == 0 && access(path, F_OK) == 0)
		return 1;
	if (WIFEXITED(said.status) && WEXITSTATUS(said.status) == NOT_THERE)
		return 0;
	return failed(name, &said, e);
}

/* --- check ------------------------------------------------------------------------------------ */

/* Ends with 0 whatever it finds; and when it does not reach the production that it was told of, it
 * compares with what listens on localhost. */
static void check(const struct keeper *k, struct check *c, struct err *e)
{
	KEEPER_SAID_AUTO said = KEEPER_SAID_INIT;
	STRV_AUTO argv = { 0 };
	JSON_AUTO *answer = NULL;

	command(k, "wal-verify", &argv);
	strv_add(&argv, "integrity");
	strv_add(&argv, "timeline");
	strv_add(&argv, "--json");
	if (run(k, &argv, 0, &said, e) < 0)
		return;
	if (said.status || strstr(said.err.s, "trying localhost")) {
		BUF_AUTO reason = BUF_INIT(REASON_MAX);

		keeper_reason(said.err.s, &reason);
		check_say(c, V_UNKNOWN, "WAL-G could not compare with production: %s",
			  reason.len ? reason.s : "it does not say why");
		return;
	}
	answer = keeper_parse(k, &said, e);
	if (answer)
		walg_verified(answer, c);
}

/* What cmd and internal/config read: of itself, of storages, and of its connection. */
static const char *const passes[] = {
	"WALG_",        "WALE_",       "AWS_",        "S3_",          "GOOGLE_",     "GCS_",
	"AZURE_",       "OS_",         "SSH_",        "YC_",          "PGHOST=",     "PGPORT=",
	"PGUSER=",      "PGDATABASE=", "PGPASSWORD=", "GNUPGHOME=",   "GOMAXPROCS=", "HTTP_PROXY=",
	"HTTPS_PROXY=", "NO_PROXY=",   "http_proxy=", "https_proxy=", "no_proxy=",   NULL
};

/* What is restored is looked at and removed. A part that is broken stays so; what a bad line breaks
 * is tried again further down. */
static const char *const settings[] = { "WALG_TAR_DISABLE_FSYNC=true",
					"WALG_DOWNLOAD_FILE_RETRIES=0", "WALG_LOG_LEVEL=NORMAL",
					NULL };

const struct keeper_driver keeper_walg = {
	.scheme = "walg",
	.called = "WAL-G",
	.form = "walg:, walg:/etc/wal-g/walg.json",
	.user = "postgres",
	.nameless = true,
	.passes = passes,
	.settings = settings,
	.list = list,
	.verify = verify,
	.restore = restore,
	.wal_names = wal_names,
	.wal_get = wal_get,
	.check = check,
};
