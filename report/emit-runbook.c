/* emit-runbook: how to recover this database, from its configuration and its last measured drill.
 */
#include "lib/base/record.h"
#include "lib/base/tool.h"
#include "lib/base/utc.h"
#include "lib/keeper/driver.h"
#include "lib/pg/history.h"
#include "lib/report/outlet.h"
#include "lib/report/past.h"
#include "lib/report/runbook.h"

#include <libpq-fe.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMATS_MOST = 16, RUNS_LOOKED_AT = 5000 };

/* One document: as a page or as Markdown, into a file or (NULL) to standard output. */
struct document {
	bool html;
	const char *path;
};

static struct {
	struct document documents[FORMATS_MOST];
	size_t n;
	struct strv tables;
	const char *history, *production, *server;
	uint64_t rto_s, rpo_s;
} config;

static struct runbook runbook;

static int set_format(const char *value, void *to, struct err *e)
{
	const size_t len = strcspn(value, "=");
	const char *path = value[len] ? value + len + 1 : "-";
	const bool html = len == 4 && strncmp(value, "html", len) == 0;

	(void)to;
	if ((!html && !(len == 8 && strncmp(value, "markdown", len) == 0)) || *path == '\0')
		return err_set(
			e, ERR_USAGE,
			"'%.80s' is no format; write markdown or html, with =FILE where it is "
			"not for standard output",
			value);
	if (config.n == FORMATS_MOST)
		return err_set(e, ERR_USAGE, "it is given more than %d times", FORMATS_MOST);
	config.documents[config.n++] = (struct document){
		.html = html,
		.path = strcmp(path, "-") == 0 ? NULL : path,
	};
	return 0;
}

/* clang-format off */
static const struct opt options[] = {
	{ OPT_CALL, 'f', "format", "FORMAT[=FILE]", NULL,
	  "write it as markdown or html, to FILE or to standard output; may be given several times; "
	  "default: markdown", NULL, false, set_format },
	{ OPT_TEXT, 0, "history", "PATH|CONNINFO", &config.history,
	  "where the runs are remembered; the newest that restored a backup is the last drill",
	  "HISTORY", false, NULL },
	{ OPT_TEXT, 0, "source", "SOURCE", &runbook.source,
	  "where the backups are", "BACKUP_SOURCE", false, NULL },
	{ OPT_TEXT, 'p', "production", "CONNINFO", &config.production,
	  "the live database: its host, port and name are taken, its user and password are not",
	  "PRODUCTION", false, NULL },
	{ OPT_TEXT, 0, "server", "CONNINFO", &config.server,
	  "the same for an administrator who recovers: host, port, user and database; without a "
	  "password; default: as --production has them", "RUNBOOK_SERVER", false, NULL },
	{ OPT_TEXT, 0, "base-backups", "DIR", &runbook.base_backup,
	  "directory of base backups (pg_basebackup), for a recovery to a point in time",
	  "RUNBOOK_BASE_BACKUPS", false, NULL },
	{ OPT_TEXT, 0, "wal", "DIR", &runbook.wal,
	  "directory of archived WAL; one that is elsewhere needs --restore-command", "WAL_SOURCE", false, NULL },
	{ OPT_TEXT, 0, "restore-command", "COMMAND", &runbook.restore_command,
	  "restore_command for PostgreSQL; default: cp from --wal", "RUNBOOK_RESTORE_COMMAND", false,
	  NULL },
	{ OPT_TEXT, 0, "data-directory", "DIR", &runbook.data_directory,
	  "the live server's data directory", "RUNBOOK_DATA_DIRECTORY", false, NULL },
	{ OPT_TEXT, 0, "stop-command", "COMMAND", &runbook.stop,
	  "what stops the live server; default: pg_ctl", "RUNBOOK_STOP_COMMAND", false, NULL },
	{ OPT_TEXT, 0, "start-command", "COMMAND", &runbook.start,
	  "what starts it", "RUNBOOK_START_COMMAND", false, NULL },
	{ OPT_TEXT, 0, "standby", "HOST", &runbook.standby,
	  "the replica to promote when the host is lost", "RUNBOOK_STANDBY", false, NULL },
	{ OPT_TEXT, 0, "elsewhere", "HOST", &runbook.elsewhere,
	  "the server to restore to when the host is lost", "RUNBOOK_ELSEWHERE", false, NULL },
	{ OPT_TEXT, 0, "work", "DIR", &runbook.work,
	  "room for the recovery; default: /var/tmp/recovery-LABEL", "RUNBOOK_WORK_DIR", false, NULL },
	{ OPT_TEXT, 0, "contact", "TEXT", &runbook.contact,
	  "who is told, and who decides", "RUNBOOK_CONTACT", false, NULL },
	{ OPT_TEXT, 0, "incident", "TIME", &runbook.incident,
	  "in an emergency: the last moment at which all was well, for the commands", NULL, false, NULL },
	{ OPT_LIST, 0, "table", "TABLE", &config.tables,
	  "in an emergency: a table to bring back, as SQL has its name; may be given several times; "
	  "default: the largest", NULL, false, NULL },
	{ OPT_TEXT, 0, "pg-bindir", "DIR", &runbook.bin_dir,
	  "where the PostgreSQL programs are", "PG_BINDIR", false, NULL },
	{ OPT_TEXT, 0, "key-file", "FILE", &runbook.key_file,
	  "the key of encrypted backups", "DECRYPT_KEY_FILE", false, NULL },
	{ OPT_TEXT, 0, "passphrase-file", "FILE", &runbook.passphrase_file,
	  "their passphrase", "DECRYPT_PASSPHRASE_FILE", false, NULL },
	{ OPT_DURATION, 0, "rto-target", "DURATION", &config.rto_s,
	  "how long recovery may take", "RTO_TARGET", false, NULL },
	{ OPT_DURATION, 0, "rpo-target", "DURATION", &config.rpo_s,
	  "how much data may be lost, as time", "RPO_TARGET", false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "emit-runbook",
	.what = "write the recovery runbook of a database",
	.operands = "",
	.description =
		"emit-runbook writes how to recover: from accidental deletion, from corruption, to a "
		"point in time, after the loss of the host. The commands have the real names of the "
		"configuration; what each step takes was measured by the last drill, that is, the newest "
		"run in the history that restored a backup; so do the expected answers of its queries "
		"come from there. A message to stakeholders is at the end.\n"
		"\n"
		"Tables are brought back from a dump, or, where base backups and archived WAL are "
		"configured, or a repository of pgBackRest, Barman or WAL-G, from a point in time. What the "
		"configuration lacks is said in the place "
		"where it would be needed.\n"
		"\n"
		"Make it anew after each drill (verify-backup does, into REPORT_DIR), and keep a copy "
		"where the database's host is not needed. It holds no password.",
	.examples = "emit-runbook --label shop --history /var/lib/backup-probes/ --source /srv/backups "
		    "--production 'host=db1 dbname=shop'\nshow it\n"
		    "emit-runbook --format html=runbook.html --format markdown=runbook.md\n"
		    "with the configuration in the environment, as verify-backup has it\n"
		    "emit-runbook --incident '2026-02-17 05:59:00+00' --table public.orders\n"
		    "in an emergency: with the moment and the table in the commands",
	.see_also = "emit-report(1), fetch-latest(1), verify-backup(1)",
	.options = options,
	.source = true,
};
/* clang-format on */

/* libpq's own words may repeat a password, so they are not. */
static PQconninfoOption *parse(const char *conninfo, const char *option)
{
	PQconninfoOption *list = PQconninfoParse(conninfo, NULL);

	if (list == NULL)
		tool_usage("--%s: it is no connection string", option);
	return list;
}

static const char *value_of(const PQconninfoOption *list, const char *keyword)
{
	for (; list && list->keyword; list++)
		if (strcmp(list->keyword, keyword) == 0 && list->val && list->val[0])
			return list->val;
	return NULL;
}

static const char *either(const char *first, const char *second)
{
	return first ? first : second;
}

/* What is borrowed from the two lists, which therefore stay until the end. */
static void find_server(const PQconninfoOption *server, const PQconninfoOption *production)
{
	if (value_of(server, "password"))
		tool_usage("--server: leave the password out; a runbook is for many to read");
	runbook.host = either(value_of(server, "host"), value_of(production, "host"));
	runbook.port = either(value_of(server, "port"), value_of(production, "port"));
	runbook.user = value_of(server, "user");
	runbook.database = either(value_of(server, "dbname"), value_of(production, "dbname"));
}

/* The newest run that restored a backup, preferring one that ended well. */
struct search {
	json_t *drill;
	unsigned looked_at;
};

static bool take(json_t *run, void *to)
{
	struct search *search = to;
	struct past_run figures;

	if (!past_run_of(run, &figures) || !figures.restored)
		return ++search->looked_at < RUNS_LOOKED_AT;
	if (search->drill == NULL || figures.verified) {
		json_decref(search->drill);
		search->drill = json_incref(run);
	}
	return !figures.verified && ++search->looked_at < RUNS_LOOKED_AT;
}

static json_t *last_drill(void)
{
	HISTORY_AUTO *history = NULL;
	struct search search = { 0 };
	struct err e = { 0 };

	if (config.history)
		history = pg_history_open(config.history);
	if (history && history_walk(history, runbook.label, take, &search, NULL, &e) < 0)
		tool_die("%s", e.msg);
	return search.drill;
}

/* Its name and configuration are borrowed from k. A directory of base backups that is named for the
 * runbook goes before it; what it has no commands for is no source. */
static void find_keeper(struct keeper *k)
{
	static const char *const programs[] = { [KEEPER_PGBACKREST] = "pgbackrest",
						[KEEPER_BARMAN] = "barman",
						[KEEPER_WALG] = "walg" };
	struct runbook_keeper *rk = &runbook.keeper;
	struct err e = { 0 };

	if (!runbook.base_backup && keeper_open(k, runbook.source, &e) == 0)
		for (int i = KEEPER_PGBACKREST; i <= KEEPER_WALG; i++)
			if (strcmp(k->driver->scheme, programs[i]) == 0)
				rk->program = (enum runbook_program)i;
	if (rk->program == KEEPER_NONE)
		runbook.source = NULL;
	rk->name = k->name;
	rk->config = k->config;
	rk->repo = k->repo;
}

/* What was not said, and can be known. */
static void fill_in(struct buf *work, struct keeper *k)
{
	const char *database = record_text(json_object_get(runbook.drill, "instance"), "database");
	const json_t *databases =
		json_object_get(json_object_get(runbook.drill, "instance"), "databases");

	if (runbook.database == NULL)
		runbook.database = database;
	if (runbook.database == NULL && json_array_size(databases) == 1)
		runbook.database = json_string_value(json_array_get(databases, 0));
	if (runbook.database == NULL)
		runbook.database = runbook.label;
	buf_addf(work, "/var/tmp/recovery-%s", runbook.label);
	runbook.work = either(runbook.work, work->s);
	if (runbook.source && keeper_claims(runbook.source))
		find_keeper(k);
	if (runbook.wal && keeper_claims(runbook.wal))
		runbook.wal = NULL;
	/* cp reads directories alone. */
	if (runbook.wal && strncmp(runbook.wal, "file://", 7) == 0)
		runbook.wal += 7;
	if (runbook.wal && strstr(runbook.wal, "://"))
		runbook.wal = NULL;
	runbook.rto_target_s = config.rto_s ? (double)config.rto_s : (double)NAN;
	runbook.rpo_target_s = config.rpo_s ? (double)config.rpo_s : (double)NAN;
	runbook.tables = (const char *const *)config.tables.v;
	runbook.now_ms = utc_now_ms();
}

static int write_all(void)
{
	struct err e = { 0 };

	for (size_t i = 0; i < config.n; i++) {
		BUF_AUTO b = BUF_INIT(OUTLET_MAX);
		struct paper paper = { .out = &b, .html = config.documents[i].html };

		runbook_write(&runbook, &paper);
		if (outlet_put(config.documents[i].path, STDOUT_FILENO, &b, &e) < 0) {
			tool_warn("%s", e.msg);
			return V_UNKNOWN;
		}
	}
	return V_OK;
}

int main(int argc, char **argv)
{
	PQconninfoOption *server = NULL, *production = NULL;
	BUF_AUTO work = BUF_INIT(4096);
	KEEPER_AUTO k = { 0 };
	JSON_AUTO *drill = NULL;
	int status;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (common.output == OUTPUT_NAGIOS)
		tool_usage("--nagios: a runbook is no check");
	if (common.label == NULL || common.label[0] == '\0')
		tool_usage("say which database it is for: --label NAME, or LABEL");
	runbook.label = common.label;
	if (config.production)
		production = parse(config.production, "production");
	if (config.server)
		server = parse(config.server, "server");
	find_server(server, production);
	drill = last_drill();
	runbook.drill = drill;
	fill_in(&work, &k);
	if (config.n == 0)
		config.documents[config.n++] = (struct document){ .html = false };
	status = write_all();
	PQconninfoFree(production);
	PQconninfoFree(server);
	strv_free(&config.tables);
	return status;
}
