#include "lib/pg/setup.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/pg/bindir.h"

#include <inttypes.h>
#include <string.h>

enum { NAMED = 5, MONTH_AFTER = 12, FIRST_YEARLY = 10, FIRST_YEAR = 2017, YEARS = 5 };

/* The settings that are asked for, by their place in the answer. */
enum setting {
	DATA_CHECKSUMS,
	FSYNC,
	FULL_PAGE_WRITES,
	WAL_LEVEL,
	ARCHIVE_MODE,
	ARCHIVE_COMMAND,
	ARCHIVE_LIBRARY,
	SERVER_VERSION,
};

/* NULL, which the check then says, when it could not be asked. A setting is NULL where the server
 * does not know it (archive_library, before 15), or does not tell us. */
static PGresult *ask_settings(struct stage *st, struct pg *pg, const char *check)
{
	struct err e = { 0 };
	PGresult *r = pg_query(
		pg,
		"SELECT current_setting('data_checksums', true), current_setting('fsync', true), "
		"current_setting('full_page_writes', true), current_setting('wal_level', true), "
		"current_setting('archive_mode', true), current_setting('archive_command', true), "
		"current_setting('archive_library', true), current_setting('server_version', true)",
		NULL, 0, &e);

	if (r == NULL)
		stage_error(st, check, "", &e);
	return r;
}

static const char *setting(const PGresult *r, enum setting which)
{
	const char *text = pg_cell(r, 0, (int)which);

	return text ? text : "";
}

void setup_say_checksums(struct stage *st, struct pg *pg)
{
	PGRESULT_AUTO *r = ask_settings(st, pg, "page-checksums");
	struct check c;

	if (r == NULL)
		return;
	check_init(&c, "page-checksums", "");
	if (strcmp(setting(r, DATA_CHECKSUMS), "on") == 0)
		check_say(&c, V_OK, "pages have checksums");
	else
		check_say(&c, V_WARNING,
			  "pages have no checksums: damage on disk is copied into every backup, "
			  "and nobody is told; pg_checksums --enable adds them while the server is "
			  "stopped");
	stage_check(st, &c);
}

void setup_say_crash_safety(struct stage *st, struct pg *pg)
{
	PGRESULT_AUTO *r = ask_settings(st, pg, "crash-safety");
	struct check c;

	if (r == NULL)
		return;
	check_init(&c, "crash-safety", "");
	if (strcmp(setting(r, FSYNC), "off") == 0)
		check_say(&c, V_CRITICAL,
			  "fsync is off: a crash of the machine can destroy the cluster");
	if (strcmp(setting(r, FULL_PAGE_WRITES), "off") == 0)
		check_say(&c, V_CRITICAL,
			  "full_page_writes is off: pages that a crash tears stay torn");
	if (!c.said)
		check_say(&c, V_OK, "fsync and full_page_writes are on");
	stage_check(st, &c);
}

bool setup_archives_nothing(const char *command)
{
	static const char *const nothing[] = { "/bin/true", "/usr/bin/true", "true", ":",
					       "exit 0",    "cd .",          "echo", "test 1" };
	size_t from = strspn(command, " \t"), to = strlen(command);

	while (to > from && strchr(" \t;", command[to - 1]))
		to--;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		if (to - from == strlen(nothing[i]) &&
		    strncmp(command + from, nothing[i], to - from) == 0)
			return true;
	return false;
}

/* Does a program like pg_receivewal take the WAL away? A standby does not count: it follows. */
static bool streams(struct pg *pg)
{
	struct err ignored = { 0 };
	PGRESULT_AUTO *r = pg_query(pg,
				    "SELECT FROM pg_stat_replication WHERE application_name IN "
				    "('pg_receivewal', 'barman_receive_wal', 'pgbackrest') LIMIT 1",
				    NULL, 0, &ignored);

	return r && PQntuples(r) > 0;
}

static void judge_archiving(struct check *c, struct pg *pg, const PGresult *r)
{
	const char *command = setting(r, ARCHIVE_COMMAND), *mode = setting(r, ARCHIVE_MODE);
	bool library = setting(r, ARCHIVE_LIBRARY)[0];

	if (strcmp(setting(r, WAL_LEVEL), "minimal") == 0)
		check_say(c, V_WARNING,
			  "wal_level is minimal: no base backup can be taken of it, and all that "
			  "comes after the newest dump is lost with the server");
	else if (strcmp(mode, "off") != 0 && !library && setup_archives_nothing(command))
		check_say(c, V_CRITICAL,
			  "archive_command is '%s': WAL counts as archived and is thrown away",
			  command);
	else if (strcmp(mode, "off") != 0 && !library && command[0] == '\0')
		check_say(c, V_CRITICAL,
			  "archive_mode is %s but there is no archive_command: WAL piles up until "
			  "the disk is full",
			  mode);
	else if (strcmp(mode, "off") != 0)
		check_say(c, V_OK, "WAL is archived; check-wal tells whether it arrives");
	else if (streams(pg))
		check_say(c, V_OK, "WAL is streamed to an archive");
	else
		check_say(c, V_WARNING,
			  "WAL is not archived: all that comes after the newest backup is lost "
			  "with the server; set archive_mode and archive_command");
}

void setup_say_archiving(struct stage *st, struct pg *pg)
{
	PGRESULT_AUTO *r = ask_settings(st, pg, "point-in-time");
	struct check c;

	if (r == NULL)
		return;
	check_init(&c, "point-in-time", "");
	if (pg->standby)
		check_say(&c, V_OK, "this is a standby: whether WAL is archived its primary knows");
	else
		judge_archiving(&c, pg, r);
	stage_check(st, &c);
}

int64_t setup_last_mended_ms(int major)
{
	char text[UTC_SIZE];
	int64_t ms;

	if (major < FIRST_YEARLY)
		return 0;
	(void)snprintf(text, sizeof(text), "%04d-%02d-01T00:00:00Z",
		       FIRST_YEAR + YEARS + major - FIRST_YEARLY, MONTH_AFTER);
	return utc_parse(text, &ms) ? ms : 0;
}

void setup_say_version(struct stage *st, struct pg *pg, int64_t now_ms, int *major)
{
	PGRESULT_AUTO *r = ask_settings(st, pg, "supported-version");
	struct check c;

	*major = r ? pg_major(setting(r, SERVER_VERSION)) : 0;
	if (r == NULL)
		return;
	check_init(&c, "supported-version", "");
	check_observed_text(&c, setting(r, SERVER_VERSION));
	if (*major == 0)
		check_say(&c, V_UNKNOWN, "the server says its version is '%s'",
			  setting(r, SERVER_VERSION));
	else if (now_ms >= setup_last_mended_ms(*major))
		check_say(&c, V_WARNING,
			  "PostgreSQL %s is no longer mended: faults that lose data stay",
			  setting(r, SERVER_VERSION));
	else
		check_say(&c, V_OK, "PostgreSQL %s", setting(r, SERVER_VERSION));
	stage_check(st, &c);
}

/* "public.session, public.cache and 3 more (1.2 GB)"; false: there are none. */
static bool name_relations(const PGresult *r, char kind, struct buf *out)
{
	char size[HUMAN_SIZE];
	int64_t bytes, all = 0;
	int n = 0;

	for (int i = 0; i < PQntuples(r); i++) {
		const char *of = pg_cell(r, i, 0), *name = pg_cell(r, i, 1);

		if (of == NULL || name == NULL || of[0] != kind)
			continue;
		if (n++ < NAMED)
			buf_addf(out, "%s%s", n > 1 ? ", " : "", name);
		if (pg_cell_int(r, i, 2, &bytes))
			all += bytes;
	}
	if (n > NAMED)
		buf_addf(out, " and %d more", n - NAMED);
	if (all > 0)
		buf_addf(out, " (%s)", human_bytes((uint64_t)all, size));
	return n > 0;
}

void setup_say_left_out(struct stage *st, struct pg *pg, const char *database)
{
	static const char query[] =
		"SELECT CASE WHEN c.relkind = 'f' THEN 'f' ELSE 'u' END, "
		"format('%I.%I', n.nspname, c.relname), "
		"CASE WHEN c.relkind = 'f' THEN 0 ELSE pg_table_size(c.oid) END "
		"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
		"WHERE (c.relkind = 'f' OR c.relpersistence = 'u' AND c.relkind IN ('r', 'm')) "
		"AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' "
		"ORDER BY 3 DESC, 2";
	BUF_AUTO unlogged = BUF_INIT(2048);
	BUF_AUTO foreign = BUF_INIT(2048);
	struct err e = { 0 };
	PGRESULT_AUTO *r = pg_query(pg, query, NULL, 0, &e);
	struct check c;

	if (r == NULL) {
		stage_error(st, "left-out", database, &e);
		return;
	}
	check_init(&c, "left-out", database);
	check_metric_int(&c, "relations", PQntuples(r), "");
	if (name_relations(r, 'u', &unlogged))
		check_say(&c, V_WARNING,
			  "unlogged, so empty after a crash, on standbys and in physical backups: "
			  "%s",
			  unlogged.s);
	if (name_relations(r, 'f', &foreign))
		check_say(&c, V_WARNING,
			  "foreign tables, whose rows lie elsewhere and need a backup there: %s",
			  foreign.s);
	if (!c.said)
		check_say(&c, V_OK, "no unlogged and no foreign tables");
	stage_check(st, &c);
}

int setup_databases(struct pg *pg, const struct strv *without, struct covering *c, struct err *e)
{
	static const char query[] =
		"SELECT d.datname, CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR "
		"pg_has_role('pg_read_all_stats', 'MEMBER') THEN pg_database_size(d.oid) END "
		"FROM pg_database d WHERE d.datallowconn AND NOT d.datistemplate AND "
		"CASE WHEN d.datname <> 'postgres' THEN true "
		"WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) > "
		"(SELECT 1000000 + CASE WHEN has_database_privilege(t.oid, 'CONNECT') THEN "
		"pg_database_size(t.oid) END FROM pg_database t WHERE t.datname = 'template1') "
		"END ORDER BY 1";
	PGRESULT_AUTO *r = pg_query(pg, query, NULL, 0, e);

	if (r == NULL)
		return -1;
	for (int i = 0; i < PQntuples(r); i++) {
		int64_t bytes = -1;

		(void)pg_cell_int(r, i, 1, &bytes);
		if (!strv_has(without, pg_cell(r, i, 0)))
			covering_add_database(c, pg_cell(r, i, 0), bytes);
	}
	return 0;
}

int setup_roles(struct pg *pg, int64_t *n, struct err *e)
{
	/* Those that a new cluster has are pg_* and the superuser that initdb makes, 10. */
	PGRESULT_AUTO *r = pg_query(pg,
				    "SELECT count(*) FROM pg_roles WHERE oid <> 10 AND rolname "
				    "NOT LIKE 'pg\\_%'",
				    NULL, 0, e);

	if (r == NULL)
		return -1;
	if (!pg_cell_int(r, 0, 0, n))
		return err_set(e, ERR_REMOTE, "count the roles: the server gave no number");
	return 0;
}
