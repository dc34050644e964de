#include "lib/pg/capture.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/query.h"
#include "lib/pg/schema.h"
#include "lib/pg/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5, SQL_MAX = 16 * 1024 * 1024 };

#define OUR_TABLES \
	" FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'" \
	" AND left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'"

static json_t *text(const char *s)
{
	return record_string(s, strlen(s));
}

static int begin(struct pg *pg, const char *snapshot, struct err *e)
{
	BUF_AUTO sql = BUF_INIT(512);

	/* The exporter idles for as long as the backup takes. */
	buf_adds(&sql, "SET idle_in_transaction_session_timeout = 0;"
		       "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;");
	if (*snapshot)
		buf_addf(&sql, "SET TRANSACTION SNAPSHOT '%s'", snapshot);
	return pg_run(pg, sql.s, e);
}

static int describe(struct pg_capture *c, const PGresult *rows, struct err *e)
{
	char at[UTC_SIZE], started[UTC_SIZE];
	int64_t at_ms = 0;

	/* It goes into a statement, so it must look like one. */
	if (strspn(PQgetvalue(rows, 0, 0), "0123456789ABCDEF-") !=
		    (size_t)PQgetlength(rows, 0, 0) ||
	    !pg_cell_int(rows, 0, 1, &at_ms))
		return err_set(e, ERR_REMOTE, "export a snapshot of %s: its name is none",
			       c->watch.where);
	(void)snprintf(c->snapshot, sizeof(c->snapshot), "%s", PQgetvalue(rows, 0, 0));
	json_decref(c->baseline);
	c->baseline = json_pack(
		"{s:s, s:i, s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:b}", "format",
		"backup-probes baseline", "v", 1, "version", VERSION, "database",
		text(PQdb(c->watch.link)), "encoding",
		text(PQparameterStatus(c->watch.link, "server_encoding")), "server_version",
		PQparameterStatus(c->watch.link, "server_version"), "snapshot", c->snapshot,
		"snapshot_at", utc_format(at_ms, at), "lsn", PQgetvalue(rows, 0, 2), "started_at",
		utc_format(utc_now_ms(), started), "exact", 1, "standby", c->watch.standby);
	return 0;
}

static int export_snapshot(struct pg_capture *c, struct err *e)
{
	PGRESULT_AUTO *rows = NULL;

	if (begin(&c->holder, "", e) < 0)
		return -1;
	rows = pg_query(
		&c->holder,
		c->watch.standby
			? "SELECT pg_export_snapshot(), floor(extract(epoch FROM now()) * 1000)"
			  "::bigint, coalesce(pg_last_wal_replay_lsn()::text, '')"
			: "SELECT pg_export_snapshot(), floor(extract(epoch FROM now()) * 1000)"
			  "::bigint, pg_current_wal_lsn()::text",
		NULL, 0, e);
	if (!rows)
		return -1;
	return describe(c, rows, e);
}

static int lock_tables(struct pg *pg, struct err *e)
{
	PGRESULT_AUTO *rows = pg_query(pg,
				       "SELECT string_agg(format('LOCK TABLE ONLY %I.%I IN ACCESS"
				       " SHARE MODE', n.nspname, c.relname), ';')" OUR_TABLES,
				       NULL, 0, e);
	const char *sql = rows ? pg_cell(rows, 0, 0) : NULL;

	if (!rows)
		return -1;
	return sql && pg_run(pg, sql, e) < 0
		       ? err_wrap(e, "keep the tables' definitions as they are")
		       : 0;
}

/* Which file each table has. */
static char *files_of(struct pg *pg, struct err *e)
{
	PGRESULT_AUTO *rows = pg_query(pg,
				       "SELECT coalesce(md5(string_agg(c.oid || ' ' ||"
				       " c.relfilenode, ',' ORDER BY c.oid)), '')" OUR_TABLES,
				       NULL, 0, e);

	return rows ? xstrdup(PQgetvalue(rows, 0, 0)) : NULL;
}

/* 1: the snapshot is good, 0: a table has changed under it. */
static int try_snapshot(struct pg_capture *c, struct err *e)
{
	AUTO_FREE char *inside = NULL, *outside = NULL;

	if (export_snapshot(c, e) < 0 || lock_tables(&c->holder, e) < 0)
		return -1;
	inside = files_of(&c->holder, e);
	outside = inside ? files_of(&c->watch, e) : NULL;
	if (!outside)
		return -1;
	if (strcmp(inside, outside) == 0)
		return 1;
	return pg_run(&c->holder, "ROLLBACK", e);
}

static int take_snapshot(struct pg_capture *c, struct err *e)
{
	for (int i = 0; i < TRIES; i++) {
		int rc = try_snapshot(c, e);

		if (rc != 0)
			return rc < 0 ? -1 : 0;
	}
	return err_set(e, ERR_REMOTE,
		       "take a snapshot of %s: its tables are being altered all the time",
		       c->watch.where);
}

int pg_capture_open(struct pg_capture *c, struct err *e)
{
	json_t *sequences;

	c->sessions = xcalloc(c->jobs, sizeof(*c->sessions));
	if (pg_open(&c->watch, &c->target, e) < 0 || pg_open(&c->holder, &c->target, e) < 0 ||
	    take_snapshot(c, e) < 0)
		return -1;
	for (; c->n < c->jobs; c->n++)
		if (pg_open(&c->sessions[c->n], &c->target, e) < 0 ||
		    begin(&c->sessions[c->n], c->snapshot, e) < 0)
			return -1;
	sequences = pg_state_sequences(&c->watch, e);
	if (!sequences)
		return -1;
	(void)json_object_set_new(c->baseline, "sequences", sequences);
	return 0;
}

/* One table that could not be read is enough: no baseline is better than one with holes. */
static int complain(json_t *tables, struct err *e)
{
	const char *name;
	json_t *entry;

	json_object_foreach(tables, name, entry) {
		const char *why = record_text(entry, "failed");

		if (why)
			return err_set(e, ERR_REMOTE, "%s; leave a table out with --exclude", why);
	}
	return -1;
}

int pg_capture_read(struct pg_capture *c, struct err *e)
{
	const struct pg_state_plan plan = { .sessions = c->sessions,
					    .n = c->n,
					    .checksum = c->checksum,
					    .only = c->only,
					    .exclude = c->exclude,
					    .progress = c->progress };
	size_t failures;
	JSON_AUTO *state = pg_state_read(&plan, &failures, e);

	if (!state)
		return -1;
	if (failures)
		return complain(json_object_get(state, "tables"), e);
	(void)json_object_update(c->baseline, state);
	(void)json_object_set_new(c->baseline, "checksum",
				  c->checksum ? json_string("copy") : json_null());
	return pg_state_mark_behind(&c->sessions[0], json_object_get(c->baseline, "sequences"), e);
}

/* A dump reads a sequence at some moment between our two readings. */
static void bound_sequences(json_t *before, const json_t *after)
{
	const char *name;
	json_t *entry;

	json_object_foreach(before, name, entry) {
		json_t *later = json_object_get(after, name);

		if (later &&
		    (!json_equal(json_object_get(entry, "last"), json_object_get(later, "last")) ||
		     !json_equal(json_object_get(entry, "called"),
				 json_object_get(later, "called"))))
			(void)json_object_set(entry, "later", later);
	}
}

/* Names of one side that the other has not, or otherwise. */
static void list_changed(json_t *from, const json_t *to, const char *kind, json_t *out)
{
	const char *name;
	json_t *def;

	json_object_foreach(from, name, def)
		if (!json_equal(def, json_object_get(to, name)))
			(void)json_array_append_new(out, json_sprintf("%s %s", kind, name));
}

static json_t *changes(json_t *before, const json_t *after)
{
	json_t *out = json_array(), *of;
	const char *kind;

	json_object_foreach(before, kind, of) {
		json_t *now = json_object_get(after, kind);

		list_changed(of, now, kind, out);
		list_changed(now, of, kind, out);
	}
	return out;
}

int pg_capture_finish(struct pg_capture *c, struct err *e)
{
	JSON_AUTO *sequences = pg_state_sequences(&c->watch, e);
	JSON_AUTO *schema = sequences ? pg_schema_read(&c->watch, e) : NULL;
	char at[UTC_SIZE];

	if (!schema)
		return -1;
	bound_sequences(json_object_get(c->baseline, "sequences"), sequences);
	(void)json_object_set_new(c->baseline, "ddl",
				  changes(json_object_get(c->baseline, "schema"), schema));
	(void)json_object_set_new(c->baseline, "finished_at",
				  json_string(utc_format(utc_now_ms(), at)));
	return 0;
}

void pg_capture_close(struct pg_capture *c)
{
	for (size_t i = 0; c->sessions && i < c->jobs; i++)
		pg_close(&c->sessions[i]);
	free(c->sessions);
	c->sessions = NULL;
	pg_close(&c->holder);
	pg_close(&c->watch);
	json_decref(c->baseline);
	c->baseline = NULL;
}

char *pg_capture_mark(const struct pg_target *target, struct err *e)
{
	PG_AUTO pg = { 0 };
	PGRESULT_AUTO *rows = NULL;
	const char *mark;

	if (pg_open(&pg, target, e) < 0)
		return NULL;
	rows = pg_query(&pg, "SELECT txid_current_snapshot()::text", NULL, 0, e);
	if (!rows)
		return NULL;
	/* XMIN:XMAX:RUNNING */
	mark = PQgetvalue(rows, 0, 0);
	return xstrdup(mark[strlen(mark) - 1] == ':' ? mark : "");
}
