#include "lib/keeper/barman.h"

#include "lib/base/num.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <inttypes.h>
#include <string.h>

enum { REASON_MAX = 600 };

/* Are some of its messages like this? */
static bool says(const json_t *answer, const char *level, const char *words)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(answer, level), i, line)
		if (strstr(json_string_value(line) ? json_string_value(line) : "", words))
			return true;
	return false;
}

static void errors(const json_t *answer, struct buf *out)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(answer, "_ERROR"), i, line) {
		if (json_string_value(line) == NULL || out->len >= REASON_MAX / 2)
			continue;
		if (out->len)
			buf_adds(out, ": ");
		keeper_reason(json_string_value(line), out);
	}
}

bool barman_error(const json_t *answer, struct err *e)
{
	BUF_AUTO text = BUF_INIT(2 * REASON_MAX);

	if (json_array_size(json_object_get(answer, "_ERROR")) == 0)
		return false;
	errors(answer, &text);
	(void)err_set(e, says(answer, "_ERROR", "Unknown ") ? ERR_BACKUP : ERR_REMOTE,
		      "ask Barman: %s", text.s);
	return true;
}

/* --- list-backups, show-backup ---------------------------------------------------------------- */

static bool is(const json_t *o, const char *field, const char *value)
{
	const char *s = record_text(o, field);

	return s && strcmp(s, value) == 0;
}

/* Barman lists the newest first. A newer one that is whole makes up for one that failed. */
static void take_broken(const json_t *o, bool newer_is_whole, struct keeper_list *l)
{
	const char *id = record_text(o, "backup_id"), *status = record_text(o, "status");

	if (is(o, "status", "FAILED"))
		keeper_list_trouble(l, id, newer_is_whole ? V_OK : V_WARNING,
				    "this backup failed%s",
				    newer_is_whole ? ", a newer one is whole" : "");
	else if (is(o, "status", "WAITING_FOR_WALS"))
		keeper_list_trouble(l, id, newer_is_whole ? V_OK : V_WARNING,
				    "it waits for WAL, and cannot be restored without it");
	else
		keeper_list_trouble(l, id, V_OK, "unfinished: %s", status ? status : "no status");
}

int barman_names(const json_t *answer, const char *server, struct strv *names,
		 struct keeper_list *troubles, struct err *e)
{
	const json_t *list = json_object_get(answer, server), *o;
	bool newer_is_whole = false;
	size_t i;

	if (barman_error(answer, e))
		return -1;
	if (!json_is_array(list))
		return err_set(e, ERR_REMOTE, "read Barman's list: it is not about server %s",
			       server);
	json_array_foreach(list, i, o) {
		if (!record_text(o, "backup_id"))
			return err_set(e, ERR_REMOTE,
				       "read Barman's list: a backup without a name");
		if (is(o, "status", "DONE")) {
			newer_is_whole = true;
			strv_add(names, record_text(o, "backup_id"));
		} else {
			take_broken(o, newer_is_whole, troubles);
		}
	}
	return 0;
}

/* "1795256085" */
static int64_t moment(const json_t *o, const char *field)
{
	const char *text = record_text(o, field);
	struct err ignored;
	int64_t s;

	return text && num_i64(text, 1, INT64_MAX / 1000, &s, &ignored) == 0 ? s * 1000 : -1;
}

/* 150020: as server_version_num */
static char *version(const json_t *o)
{
	const int64_t v = keeper_whole(o, "postgresql_version");

	if (v < 90000)
		return NULL;
	if (v < 100000)
		return xasprintf("%" PRId64 ".%" PRId64 ".%" PRId64, v / 10000, v / 100 % 100,
				 v % 100);
	return xasprintf("%" PRId64 ".%" PRId64, v / 10000, v % 10000);
}

/* Sizes and kind: up to 3.10 all is a full backup, for files that a newer one shares with it are
 * hard links; later ones tell of those that PostgreSQL 17 makes against another. */
static void take_sizes(const json_t *o, const json_t *base, struct keeper_backup *b)
{
	const json_t *catalog = json_object_get(o, "catalog_information");
	const char *type = record_text(o, "backup_type");
	const bool incremental = type && strcmp(type, "incremental") == 0;
	int64_t copied = keeper_whole(base, "incremental_size_bytes");

	if (copied < 0)
		copied = keeper_whole(base, "backup_size_bytes");
	b->database_bytes = keeper_whole(base, "disk_usage_bytes");
	if (b->database_bytes < 0)
		b->database_bytes = keeper_whole(o, "cluster_size_bytes");
	b->set_bytes = incremental ? -1 : b->database_bytes;
	b->bytes = copied >= 0 ? copied : b->set_bytes;
	b->type = xstrdup(incremental ? "incr" : "full");
	if (incremental)
		b->prior = keeper_text(catalog, "parent_backup_id");
}

int barman_backup(const json_t *answer, const char *server, struct keeper_list *out, struct err *e)
{
	const json_t *o = json_object_get(answer, server);
	const json_t *base = json_object_get(o, "base_backup_information");
	struct keeper_backup *b;

	if (barman_error(answer, e))
		return -1;
	if (!record_text(o, "backup_id") || moment(base, "end_time_timestamp") < 0)
		return err_set(e, ERR_REMOTE,
			       "read Barman's description of a backup: it has no name or no time");
	b = keeper_list_add(out);
	b->name = keeper_text(o, "backup_id");
	b->started_ms = moment(base, "begin_time_timestamp");
	b->stopped_ms = moment(base, "end_time_timestamp");
	take_sizes(o, base, b);
	b->start_lsn = keeper_text(base, "begin_lsn");
	b->stop_lsn = keeper_text(base, "end_lsn");
	b->start_wal = keeper_text(base, "begin_wal");
	b->stop_wal = keeper_text(base, "end_wal");
	b->system_identifier = keeper_text(o, "system_id");
	b->server_version = version(o);
	return 0;
}

/* --- verify-backup, check --------------------------------------------------------------------- */

enum verdict barman_verified(const json_t *answer, struct buf *text)
{
	errors(answer, text);
	if (says(answer, "_ERROR", "backup_manifest")) {
		buf_adds(text, ": only backup_method=postgres writes a manifest, without which "
			       "its files cannot be verified");
		return V_WARNING;
	}
	if (says(answer, "_ERROR", "verify backup failure"))
		return V_CRITICAL;
	if (text->len == 0 && says(answer, "_INFO", "successfully verified"))
		return V_OK;
	if (text->len == 0)
		buf_adds(text, "Barman does not say that it verified it");
	return V_UNKNOWN;
}

void barman_checked(const json_t *answer, const char *server, struct check *c)
{
	json_t *all = json_object_get(answer, server), *one;
	const char *name;
	struct err e;
	size_t n = 0;

	if (barman_error(answer, &e)) {
		check_say(c, V_UNKNOWN, "%s", e.msg);
		return;
	}
	json_object_foreach(all, name, one) {
		const char *hint = record_text(one, "hint");

		n++;
		if (!is(one, "status", "OK"))
			check_say(c, V_CRITICAL, "%s%s%s", name, hint && *hint ? ": " : "",
				  hint ? hint : "");
	}
	if (n == 0)
		check_say(c, V_UNKNOWN, "Barman says nothing of server %s", server);
	else
		check_say(c, V_OK, "Barman's %zu checks of %s are all OK", n, server);
}
