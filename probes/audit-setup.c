/* audit-setup: one look at a server and its backups, before a disaster looks. */
#include "lib/base/human.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/dump/sniff.h"
#include "lib/keeper/keeper.h"
#include "lib/pg/bindir.h"
#include "lib/pg/covering.h"
#include "lib/pg/setup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

enum { STATEMENT_S = 60, LOCK_S = 10, DAY_S = 24 * 60 * 60 };

static struct {
	const char *production, *pg_bindir;
	struct strv without;
	uint64_t max_age_s;
} config = { .max_age_s = 8 * DAY_S };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "production", "CONNINFO", &config.production,
	  "the server to look at: a connection string or URI, without password; only ever read",
	  "PRODUCTION", false, NULL },
	{ OPT_LIST, 0, "without", "DATABASE", &config.without,
	  "a database that needs no backup; may be given several times", NULL, false, NULL },
	{ OPT_DURATION, 0, "max-age", "DURATION", &config.max_age_s,
	  "the newest backup of each database may be so old; default 8d", NULL, false, NULL },
	{ OPT_TEXT, 0, "pg-bindir", "DIRECTORY", &config.pg_bindir,
	  "the directory of PostgreSQL's programs here; default: found by the server's version",
	  "PG_BINDIR", false, NULL },
	OPT_TABLE_END,
};
/* clang-format on */

static const struct tool tool = {
	.name = "audit-setup",
	.what = "look once at a server and its backups for what a disaster would show",
	.operands = "",
	.description =
		"For the day on which verification is set up, and now and then after it. Reads the "
		"\"backup\" "
		"records of listings, asks the server, and says what is missing:\n"
		"\n"
		"database-covered: a database of which no listed backup is, or no recent one (by "
		"the backup's "
		"header, else by the name of the database in the backup's name)\n"
		"roles-kept: roles and passwords that pg_dump leaves out, while nothing else holds "
		"them\n"
		"point-in-time: WAL that is archived nowhere, or by a command that does nothing\n"
		"page-checksums, crash-safety, supported-version: settings that let damage in\n"
		"left-out: unlogged and foreign tables\n"
		"restore-host: can this machine restore it: PostgreSQL of that version, space in "
		"$TMPDIR\n"
		"\n"
		"That backups can be restored is not asked here: restore-to-temp does that.",
	.examples = "list-backups s3://backups/shop/ | audit-setup --production 'host=db1 "
		    "user=monitor' | "
		    "emit-report\n"
		    "What is missing?\n\n"
		    "{ list-backups /srv/dumps; list-backups pgbackrest:main; } | audit-setup "
		    "--production "
		    "service=db1 --text\n"
		    "Backups of two kinds together.",
	.see_also = "check-copies(1), check-retention(1), check-wal(1), list-backups(1), "
		    "restore-to-temp(1)",
	.options = options,
};

/* --- databases and backups ------------------------------------------------------------------ */

/* What lies here is looked into; of what lies elsewhere there is the name. */
static enum covering_of kind_of(const json_t *backup, const char *name, struct sniffed *s)
{
	const char *path = record_text(backup, "path"), *source = record_text(backup, "source");
	struct err ignored = { 0 };

	s->database[0] = '\0';
	if (source && keeper_claims(source))
		return COVERING_CLUSTER;
	if (path && sniff_path(path, NULL, s, &ignored) == 0) {
		if (s->kind == DUMP_BASE_DIRECTORY || s->kind == DUMP_BASE_TAR)
			return COVERING_CLUSTER;
		if (s->kind != DUMP_CLUSTER && s->database[0])
			return COVERING_DATABASE;
		if (s->kind == DUMP_CLUSTER && covering_by_name(name) != COVERING_ROLES)
			return COVERING_CLUSTER;
	}
	return covering_by_name(name);
}

static void see(struct covering *c, const struct record *r)
{
	const char *name;
	struct sniffed s;
	int64_t at_ms;
	enum covering_of of;

	if (strcmp(r->kind, "backup") != 0)
		return;
	name = record_text(r->object, "name");
	if (name == NULL || (!record_time(r->object, "taken_at", &at_ms) &&
			     !record_time(r->object, "modified_at", &at_ms)))
		return;
	of = kind_of(r->object, name, &s);
	covering_take(c, name, at_ms, of, s.database);
}

static void say_covered(struct stage *st, const struct covering *all, const struct covered *d,
			int64_t now_ms)
{
	char size[HUMAN_SIZE] = "unknown size", age[HUMAN_SIZE];
	double age_s = (double)(now_ms - d->at_ms) / 1000;
	struct check c;

	if (d->bytes >= 0)
		(void)human_bytes((uint64_t)d->bytes, size);
	check_init(&c, "database-covered", d->name);
	if (d->backup == NULL) {
		check_say(&c, V_CRITICAL,
			  "none of the %" PRIu64 " listed backups is of it (%s); back it up, or "
			  "say that it needs none with --without",
			  all->backups, size);
	} else {
		check_metric_real(&c, "backup_age_seconds", age_s, "s");
		check_say(&c, age_s > (double)config.max_age_s ? V_CRITICAL : V_OK,
			  "%s, its newest backup is %s, %s old", size, d->backup,
			  human_duration(age_s, age));
	}
	stage_check(st, &c);
}

static void say_roles(struct stage *st, struct pg *pg, const struct covering *all)
{
	struct err e = { 0 };
	struct check c;
	int64_t roles;

	if (setup_roles(pg, &roles, &e) < 0) {
		stage_error(st, "roles-kept", "", &e);
		return;
	}
	check_init(&c, "roles-kept", "");
	check_metric_int(&c, "roles", roles, "");
	if (roles == 0)
		check_say(&c, V_OK, "there are no roles but the superuser");
	else if (all->roles)
		check_say(&c, V_OK, "a listed backup holds the roles");
	else
		check_say(&c, V_WARNING,
			  "pg_dump leaves roles, their passwords and memberships out, and no "
			  "listed backup holds the %" PRId64 " there are; keep the output of "
			  "pg_dumpall --globals-only too",
			  roles);
	stage_check(st, &c);
}

static void say_coverage(struct stage *st, struct pg *pg, const struct covering *all)
{
	struct check c;

	if (all->backups > 0) {
		for (size_t i = 0; i < all->n; i++)
			say_covered(st, all, &all->v[i], utc_now_ms());
		say_roles(st, pg, all);
		return;
	}
	check_init(&c, "database-covered", "");
	check_say(&c, V_WARNING,
		  "no backup was listed, so none of the %zu databases was looked for; pipe the "
		  "records of list-backups in",
		  all->n);
	stage_check(st, &c);
}

/* --- this machine ---------------------------------------------------------------------------- */

static void say_host(struct stage *st, int major, const struct covering *all)
{
	const char *dir = getenv("TMPDIR");
	char need[HUMAN_SIZE], there[HUMAN_SIZE];
	struct pg_bindir bin;
	struct identity who;
	struct statvfs fs;
	struct err e = { 0 };
	int64_t largest = 0;
	uint64_t left;
	struct check c;

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].bytes > largest)
			largest = all->v[i].bytes;
	check_init(&c, "restore-host", "");
	if (identity_unprivileged(NULL, &who, &e) < 0 ||
	    pg_bindir_find(config.pg_bindir, major, &who, &bin, &e) < 0)
		check_say(&c, V_WARNING, "this machine cannot restore it: %s", e.msg);
	else
		check_say(&c, V_OK, "PostgreSQL %s is installed here", bin.version);
	dir = dir && *dir ? dir : "/tmp";
	if (statvfs(dir, &fs) == 0) {
		left = (uint64_t)fs.f_bavail * fs.f_frsize;
		check_metric_int(&c, "free_bytes", (int64_t)left, "B");
		if (left < (uint64_t)largest)
			check_say(&c, V_WARNING,
				  "%s has %s left, the largest database is %s; set TMPDIR to a "
				  "larger place",
				  dir, human_bytes(left, there),
				  human_bytes((uint64_t)largest, need));
	}
	stage_check(st, &c);
}

/* --- the server ------------------------------------------------------------------------------ */

/* database NULL: the one that the connection string names. */
static int enter(struct pg *pg, const char *database, struct err *e)
{
	const struct pg_target target = { .what = "production",
					  .conninfo = config.production,
					  .dbname = database,
					  .env = PG_ENV_NO_ADDRESS,
					  .statement_s = STATEMENT_S,
					  .lock_s = LOCK_S };

	return pg_open(pg, &target, e);
}

static void look_into(struct stage *st, const char *database)
{
	PG_AUTO pg = { 0 };
	struct err e = { 0 };

	if (enter(&pg, database, &e) < 0)
		stage_error(st, "left-out", database, &e);
	else
		setup_say_left_out(st, &pg, database);
}

static void look_at_server(struct stage *st, struct pg *pg, const struct covering *all)
{
	int major;

	setup_say_archiving(st, pg);
	setup_say_checksums(st, pg);
	setup_say_crash_safety(st, pg);
	setup_say_version(st, pg, utc_now_ms(), &major);
	for (size_t i = 0; i < all->n; i++)
		look_into(st, all->v[i].name);
	say_host(st, major, all);
}

int main(int argc, char **argv)
{
	COVERING_AUTO all = { 0 };
	PG_AUTO pg = { 0 };
	struct err e = { 0 };
	struct record r;
	struct stage st;

	if (tool_begin(&tool, argc, argv) < argc)
		tool_usage("no operands are taken");
	if (config.production == NULL)
		tool_usage("name the server with --production or PRODUCTION");
	if (pg_has_password(config.production))
		tool_usage(
			"--production: leave out the password; ~/.pgpass or PGPASSFILE holds it");
	stage_begin(&st, &tool);
	if (enter(&pg, NULL, &e) < 0 || setup_databases(&pg, &config.without, &all, &e) < 0)
		return stage_fail(&st, "database-covered", "", &e);
	while (stage_next(&st, &r))
		see(&all, &r);
	say_coverage(&st, &pg, &all);
	look_at_server(&st, &pg, &all);
	return stage_end(&st);
}
