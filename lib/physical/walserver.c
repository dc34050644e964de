#include "lib/physical/walserver.h"

#include "lib/base/human.h"
#include "lib/pg/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The archiver is told at a segment's end, and tries once a minute at least. */
enum { ARCHIVER_GRACE_S = 120 };

static bool failed(struct stage *st, const char *check, const PGresult *r, const struct err *e)
{
	if (r == NULL)
		stage_error(st, check, "", e);
	return r == NULL;
}

/* ---- settings ----------------------------------------------------------------------- */

static void check_level(struct stage *st, struct pg *pg)
{
	static const char sql[] =
		"SELECT current_setting('wal_level'), current_setting('archive_mode'), "
		"EXISTS (SELECT FROM pg_stat_replication WHERE application_name IN "
		"('pg_receivewal', 'barman_receive_wal'))";
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, &e);
	struct check c;

	if (failed(st, "wal-level", r, &e))
		return;
	check_init(&c, "wal-level", "");
	if (strcmp(pg_cell(r, 0, 0), "minimal") == 0)
		check_say(
			&c, V_CRITICAL,
			"wal_level is minimal: neither a base backup nor its WAL can be recovered");
	if (strcmp(pg_cell(r, 0, 1), "off") != 0)
		check_say(&c, V_OK, "wal_level is %s, archive_mode %s", pg_cell(r, 0, 0),
			  pg_cell(r, 0, 1));
	else if (pg_cell_true(r, 0, 2))
		check_say(&c, V_OK, "wal_level is %s; a receiver streams WAL", pg_cell(r, 0, 0));
	else
		check_say(&c, V_CRITICAL,
			  "archive_mode is off and no receiver streams WAL: nothing is archived");
	stage_check(st, &c);
}

/* ---- pg_stat_archiver --------------------------------------------------------------- */

static int64_t number(const PGresult *r, int column)
{
	int64_t v;

	return pg_cell_int(r, 0, column, &v) ? v : -1;
}

static void judge_silence(struct check *c, int64_t since_s, int64_t timeout_s, bool written,
			  const struct walserver_opts *opts)
{
	const int64_t asked_s = (int64_t)opts->max_silent_s;
	const int64_t by_itself_s = timeout_s > 0 ? timeout_s + ARCHIVER_GRACE_S : 0;
	const int64_t limit_s = asked_s > 0 ? asked_s : by_itself_s;
	char age[HUMAN_SIZE], limit[HUMAN_SIZE];

	check_metric_int(c, "archived_age_seconds", since_s, "s");
	(void)human_duration((double)since_s, age);
	if (limit_s == 0)
		check_say(c, V_OK,
			  "the last segment was archived %s ago; archive_timeout is 0: on a quiet "
			  "server it may stay away for as long as nothing fills a segment",
			  age);
	else if (since_s > limit_s && written)
		check_say(c, V_CRITICAL, "the last segment was archived %s ago (limit %s)", age,
			  human_duration((double)limit_s, limit));
	else
		check_say(c, V_OK, "the last segment was archived %s ago", age);
}

static void check_archiver(struct stage *st, struct pg *pg, const struct walserver_opts *opts)
{
	/* written: there is WAL behind the last archived segment, so that there is something to
	 * archive: a segment that was ended, or more of one than a quiet server writes into it. It
	 * ends none with archive_timeout in which there is no change. The name's size is that of
	 * any segment. */
	static const char sql[] =
		"SELECT archived_count, failed_count, "
		"extract(epoch FROM now() - last_archived_time)::bigint, "
		"extract(epoch FROM now() - last_failed_time)::bigint, "
		"coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL), "
		"last_archived_wal, last_failed_wal, "
		"(SELECT setting::bigint FROM pg_settings WHERE name = 'archive_timeout'), "
		"CASE WHEN NOT pg_is_in_recovery() AND last_archived_wal ~ '^[0-9A-F]{24}' THEN "
		"pg_current_wal_insert_lsn() - '0/0' - 8192 > segment_b * (1 + "
		"('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * "
		"(4294967296 / segment_b) + "
		"('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint) ELSE true END, "
		"current_setting('archive_mode') <> 'off' AND "
		"(NOT pg_is_in_recovery() OR current_setting('archive_mode') = 'always') "
		"FROM pg_stat_archiver, LATERAL (SELECT pg_size_bytes(current_setting("
		"'wal_segment_size')) AS segment_b) AS s";
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg->standby ? NULL : pg_query(pg, sql, NULL, 0, &e);
	char age[HUMAN_SIZE];
	struct check c;

	if (pg->standby)
		(void)err_set(&e, ERR_REMOTE,
			      "look at the archiver: this server is a standby; name the primary");
	if (failed(st, "wal-archiver", r, &e) || !pg_cell_true(r, 0, 9))
		return;
	check_init(&c, "wal-archiver", "");
	check_metric_int(&c, "archived_segments", number(r, 0), "");
	check_metric_int(&c, "failed_attempts", number(r, 1), "");
	if (pg_cell_true(r, 0, 4))
		check_say(
			&c, V_CRITICAL,
			"archiving fails: the last attempt, %s ago, of %s did not succeed; %" PRId64
			" failed so far",
			human_duration((double)number(r, 3), age), pg_cell(r, 0, 6), number(r, 1));
	else if (number(r, 2) < 0)
		check_say(&c, V_WARNING, "no segment was archived yet: that it works is not known");
	if (number(r, 2) >= 0)
		judge_silence(&c, number(r, 2), number(r, 7), pg_cell_true(r, 0, 8), opts);
	stage_check(st, &c);
}

/* ---- .ready ------------------------------------------------------------------------- */

static void check_waiting(struct stage *st, struct pg *pg, const struct walserver_opts *opts)
{
	static const char sql[] = "SELECT count(*), coalesce(extract(epoch FROM now() - "
				  "min(modification))::bigint, 0) "
				  "FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, &e);
	char n[HUMAN_SIZE], age[HUMAN_SIZE];
	struct check c;

	check_init(&c, "wal-waiting", "");
	if (r == NULL) {
		check_say(&c, V_UNKNOWN,
			  "how many segments wait to be archived is not known: %s; grant "
			  "pg_monitor to this role (PostgreSQL 12 or later)",
			  e.msg);
		stage_check(st, &c);
		return;
	}
	if (number(r, 0) == 0)
		check_say(&c, V_OK, "no segment waits to be archived");
	else
		check_say(&c, (uint64_t)number(r, 0) > opts->max_waiting ? V_CRITICAL : V_OK,
			  "%s segments wait to be archived, the oldest for %s (limit %" PRIu64
			  " segments)",
			  human_count(number(r, 0), n), human_duration((double)number(r, 1), age),
			  opts->max_waiting);
	check_metric_int(&c, "waiting_segments", number(r, 0), "");
	stage_check(st, &c);
}

/* ---- slots -------------------------------------------------------------------------- */

static void check_slot(struct stage *st, const PGresult *r, int row,
		       const struct walserver_opts *opts)
{
	const char *name = pg_cell(r, row, 0), *state = pg_cell(r, row, 2);
	char size[HUMAN_SIZE], limit[HUMAN_SIZE];
	int64_t held = 0;
	struct check c;

	check_init(&c, "wal-slot", name);
	if (pg_cell_int(r, row, 1, &held))
		check_metric_int(&c, "held_bytes", held, "B");
	(void)human_bytes(held > 0 ? (uint64_t)held : 0, size);
	if (strcmp(state, "lost") == 0)
		check_say(&c, V_CRITICAL,
			  "the WAL that its receiver needs is gone: whatever it feeds must be made "
			  "anew");
	else if (strcmp(state, "unreserved") == 0)
		check_say(&c, V_CRITICAL,
			  "it is about to lose the WAL that its receiver needs: beyond "
			  "max_slot_wal_keep_size");
	if (held > 0 && (uint64_t)held > opts->max_slot_b)
		check_say(&c, V_WARNING, "it holds back %s of WAL (limit %s)%s", size,
			  human_bytes(opts->max_slot_b, limit),
			  pg_cell_true(r, row, 3) ? "" : ", and nobody is connected to it");
	else
		check_say(&c, V_OK, "it holds back %s of WAL%s", size,
			  pg_cell_true(r, row, 3) ? "" : "; nobody is connected to it");
	stage_check(st, &c);
}

static void check_slots(struct stage *st, struct pg *pg, const struct walserver_opts *opts)
{
	/* wal_status is there since PostgreSQL 13. */
	static const char sql[] =
		"SELECT slot_name, (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() "
		"ELSE pg_current_wal_lsn() END - restart_lsn)::bigint, "
		"coalesce(to_jsonb(s) ->> 'wal_status', ''), active "
		"FROM pg_replication_slots s ORDER BY slot_name";
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, sql, NULL, 0, &e);

	if (failed(st, "wal-slot", r, &e))
		return;
	for (int row = 0; row < PQntuples(r); row++)
		check_slot(st, r, row, opts);
}

void walserver_check(struct stage *st, struct pg *pg, const struct walserver_opts *opts)
{
	check_level(st, pg);
	check_archiver(st, pg, opts);
	check_waiting(st, pg, opts);
	check_slots(st, pg, opts);
}
