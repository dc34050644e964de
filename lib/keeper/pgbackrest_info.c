#include "lib/keeper/pgbackrest.h"

#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* src/command/info/info.c */
enum { INFO_OK = 0, INFO_MISSING_STANZA = 1, INFO_NO_BACKUP = 2, INFO_MISSING_DATA = 3 };

static int64_t seconds(const json_t *o, const char *field)
{
	const int64_t s = keeper_whole(o, field);

	return s > 0 && s < INT64_MAX / 1000 ? s * 1000 : -1;
}

static const json_t *repo_of(const json_t *stanza, int64_t key)
{
	const json_t *repo;
	size_t i;

	json_array_foreach(json_object_get(stanza, "repo"), i, repo)
		if (keeper_whole(repo, "key") == key)
			return repo;
	return NULL;
}

/* The cluster that a backup is of: {"id", "repo-key", "system-id", "version"}. */
static const json_t *db_of(const json_t *stanza, const json_t *reference)
{
	const json_t *db;
	size_t i;

	json_array_foreach(json_object_get(stanza, "db"), i, db)
		if (keeper_whole(db, "id") == keeper_whole(reference, "id") &&
		    keeper_whole(db, "repo-key") == keeper_whole(reference, "repo-key"))
			return db;
	return NULL;
}

static void set_cluster(struct keeper_backup *b, const json_t *db)
{
	const int64_t id = keeper_whole(db, "system-id");

	if (id >= 0)
		b->system_identifier = xasprintf("%" PRId64, id);
	b->server_version = keeper_text(db, "version");
	if (b->server_version)
		b->archive = xasprintf("%s-%" PRId64, b->server_version, keeper_whole(db, "id"));
}

static const char page_fault[] = "pages with wrong checksums were found while it was made";

static int take_backup(const json_t *stanza, const json_t *o, struct keeper_list *out,
		       struct err *e)
{
	const json_t *times = json_object_get(o, "timestamp"), *sizes = json_object_get(o, "info");
	const json_t *lsn = json_object_get(o, "lsn"), *wal = json_object_get(o, "archive");
	const json_t *in_repo = json_object_get(sizes, "repository");
	const json_t *reference = json_object_get(o, "database");
	const json_t *repo = repo_of(stanza, keeper_whole(reference, "repo-key"));
	const char *cipher = record_text(repo, "cipher");
	struct keeper_backup *b;

	if (!record_text(o, "label") || seconds(times, "stop") < 0)
		return err_set(e, ERR_REMOTE,
			       "read pgbackrest info: a backup without a label or a time");
	b = keeper_list_add(out);
	b->name = keeper_text(o, "label");
	b->type = keeper_text(o, "type");
	b->prior = keeper_text(o, "prior");
	b->started_ms = seconds(times, "start");
	b->stopped_ms = seconds(times, "stop");
	b->start_lsn = keeper_text(lsn, "start");
	b->stop_lsn = keeper_text(lsn, "stop");
	b->start_wal = keeper_text(wal, "start");
	b->stop_wal = keeper_text(wal, "stop");
	b->database_bytes = keeper_whole(sizes, "size");
	b->bytes = keeper_whole(in_repo, "delta");
	b->set_bytes = keeper_whole(in_repo, "size");
	b->repo = repo ? (unsigned)keeper_whole(repo, "key") : 0;
	b->encryption = cipher && strcmp(cipher, "none") != 0 ? xstrdup(cipher) : NULL;
	b->fault = record_true(o, "error") ? xstrdup(page_fault) : NULL;
	set_cluster(b, db_of(stanza, reference));
	return 0;
}

enum err_kind pgbackrest_kind(const char *said)
{
	static const char *const bad[] = { "FileMissingError",
					   "FormatError",
					   "ChecksumError",
					   "ArchiveMismatchError",
					   "[026]",
					   "[029]",
					   "[044]",
					   "[055]",
					   NULL };

	for (const char *const *b = bad; *b; b++)
		if (strstr(said, *b))
			return ERR_BACKUP;
	return ERR_REMOTE;
}

/* "other" stands for all that went wrong while the files were read. */
static enum err_kind kind_of(int64_t code, const char *message)
{
	return code == INFO_MISSING_STANZA || code == INFO_MISSING_DATA ? ERR_BACKUP
									: pgbackrest_kind(message);
}

static void fault_of_repo(const char *stanza, const json_t *status, struct err *e)
{
	const char *message = record_text(status, "message");
	BUF_AUTO reason = BUF_INIT(600);

	if (!message)
		message = "no status";
	keeper_reason(message, &reason);
	(void)err_set(e, kind_of(keeper_whole(status, "code"), message),
		      "ask pgBackRest about %s: %s%s", stanza, reason.s,
		      keeper_whole(status, "code") == INFO_MISSING_STANZA
			      ? "; is that stanza in this repository?"
			      : "");
}

/* The repositories that answer; *e is the last one's fault that does not. */
static void take_repos(const json_t *stanza, const char *name, struct keeper_list *out,
		       struct err *e)
{
	const json_t *repo;
	char subject[32];
	size_t i;

	json_array_foreach(json_object_get(stanza, "repo"), i, repo) {
		const json_t *status = json_object_get(repo, "status");
		const int64_t code = keeper_whole(status, "code");

		if (code == INFO_OK || code == INFO_NO_BACKUP) {
			if (out->n_repos < KEEPER_REPOS)
				out->repos[out->n_repos++] = (unsigned)keeper_whole(repo, "key");
			continue;
		}
		fault_of_repo(name, status, e);
		(void)snprintf(subject, sizeof(subject), "repo%" PRId64, keeper_whole(repo, "key"));
		keeper_list_trouble(out, subject, err_status(e), "%s", e->msg);
	}
}

int pgbackrest_info(const json_t *info, const char *stanza, struct keeper_list *out, struct err *e)
{
	const json_t *s = json_array_get(info, 0), *backup;
	size_t i;

	if (json_array_size(info) != 1 || !record_text(s, "name") ||
	    strcmp(record_text(s, "name"), stanza) != 0)
		return err_set(e, ERR_REMOTE, "read pgbackrest info: it is not about stanza %s",
			       stanza);
	take_repos(s, stanza, out, e);
	if (out->n_repos == 0) {
		if (e->kind == ERR_NONE)
			(void)err_set(e, ERR_REMOTE,
				      "read pgbackrest info: it names no repository");
		return -1;
	}
	*e = (struct err){ 0 };
	json_array_foreach(json_object_get(s, "backup"), i, backup)
		if (take_backup(s, backup, out, e) < 0)
			return -1;
	return 0;
}
