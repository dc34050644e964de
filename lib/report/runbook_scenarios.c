/* The four emergencies, from what runbook_side.c brings up. */
#include "lib/base/shellword.h"
#include "lib/report/runbook_parts.h"

#include <math.h>
#include <string.h>

static const double unmeasured = (double)NAN;

static void begin(struct writing *w, const char *title)
{
	w->step = 0;
	paper_heading(w->p, 2, "%s", title);
}

static void block(struct writing *w, const char *lines)
{
	paper_code(w->p, "sh", lines);
}

static void say_impossible(struct writing *w)
{
	paper_note(
		w->p, "Not prepared",
		"neither a source of dumps nor a directory of base backups (RUNBOOK_BASE_BACKUPS) "
		"with archived WAL (WAL_SOURCE, RUNBOOK_RESTORE_COMMAND) is configured for this "
		"database: there is nothing to restore from.");
}

/* The loss is that since the dump, and it had better be known before. */
static void say_no_replay(struct writing *w, enum side side)
{
	if (side == SIDE_DATABASE || side == SIDE_CLUSTER)
		paper_note(
			w->p, "Limit",
			"without a base backup and archived WAL (RUNBOOK_BASE_BACKUPS, WAL_SOURCE) "
			"the nearest state is the last dump before the incident; what was written "
			"between them is lost.");
}

static void remove_side(struct writing *w, enum side side)
{
	runbook_step(w, "Clean up, when all is well", unmeasured);
	block(w, side == SIDE_DATABASE
			 ? "dropdb --maintenance-db=postgres \"$SIDE\"\nrm -rf \"${WORK:?}\"\n"
			 : "pg_ctl -D \"$WORK/data\" -m fast -w -s stop\nrm -rf \"${WORK:?}\"\n");
}

/* psql must not read the list of tables. Rows that are there stay as they are. */
static const char bring_back[] =
	"printf '%s\\n' \"$TABLES\" | while IFS= read -r table; do\n"
	"    there=$(echo \"SELECT to_regclass(:'t') IS NOT NULL\" | live -At -v t=\"$table\")\n"
	"    if [ \"$there\" = f ]; then\n"
	"        side_dump --table=\"$table\" >\"$WORK/table.sql\" </dev/null\n"
	"        live -q -1 -f \"$WORK/table.sql\" </dev/null >/dev/null\n"
	"        continue\n"
	"    fi\n"
	"    columns=$(echo \"SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM "
	"pg_attribute\n"
	"        WHERE attrelid = to_regclass(:'t') AND attnum > 0 AND NOT attisdropped AND "
	"attgenerated = ''\" |\n"
	"        side -At -v t=\"$table\")\n"
	"    side -q -c \"COPY (SELECT $columns FROM $table) TO STDOUT\" >\"$WORK/rows\" "
	"</dev/null\n"
	"    live -1 -c \"CREATE TEMP TABLE back ON COMMIT DROP AS SELECT $columns FROM $table "
	"LIMIT "
	"0\" \\\n"
	"        -c \"COPY back FROM STDIN\" -c \"INSERT INTO $table ($columns) OVERRIDING SYSTEM "
	"VALUE\n"
	"            SELECT $columns FROM back ON CONFLICT DO NOTHING\" <\"$WORK/rows\"\n"
	"    rm \"$WORK/rows\"\n"
	"done\n";

static const char compare[] =
	"printf '%s\\n' \"$TABLES\" | while IFS= read -r table; do\n"
	"    echo \"$table: $(side -At -c \"SELECT count(*) FROM $table\" </dev/null) rows in the "
	"good "
	"copy, $(live -At -c \"SELECT count(*) FROM $table\" </dev/null) live\"\n"
	"done\n";

void runbook_deletion(struct writing *w)
{
	const enum until until =
		runbook_side(w, UNTIL_INCIDENT) == SIDE_REPLAY ? UNTIL_INCIDENT : UNTIL_END;
	const enum side side = runbook_side(w, until);

	begin(w, "1. Accidental deletion: bring tables back");
	paper_text(w->p,
		   "A good copy is brought up beside the live database, and the missing rows are "
		   "copied from it. The database stays in use.");
	if (side == SIDE_NONE) {
		say_impossible(w);
		return;
	}
	say_no_replay(w, side);
	runbook_set_up(w, side, true, until);
	runbook_open_side(w, side, until);
	runbook_step(w, "Look at the good copy", unmeasured);
	runbook_verify(w, "side", until);
	block(w, compare);
	paper_note(w->p, "Checkpoint", "the good copy holds the rows that are missing live.");
	runbook_step(w, "Bring the rows back (changes the live database)", unmeasured);
	paper_text(w->p,
		   "A table that is gone is made again with all that belongs to it; of one that "
		   "is there, rows whose key is missing are added and none is changed.");
	block(w, bring_back);
	runbook_step(w, "Verify", unmeasured);
	block(w, compare);
	paper_note(
		w->p, "Checkpoint",
		"of each table at least as many rows are live as in the good copy. Rows that were "
		"changed, and not deleted, are not brought back: compare them in the good copy.");
	remove_side(w, side);
}

static const char shut_out[] =
	"psql -X -q -v ON_ERROR_STOP=1 -d postgres -v db=\"$DATABASE\" <<'SQL'\n"
	"SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS false', datname) FROM pg_database\n"
	"WHERE datname = :'db' \\gexec\n"
	"SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity WHERE datname = "
	":'db';\n"
	"SQL\n";

static const char swap[] =
	"psql -X -q -v ON_ERROR_STOP=1 -d postgres -v db=\"$DATABASE\" -v side=\"$SIDE\" <<'SQL'\n"
	"SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity\n"
	"WHERE datname IN (:'db', :'side');\n"
	"SELECT format('ALTER DATABASE %I RENAME TO %I', datname, datname || '_damaged') FROM "
	"pg_database\n"
	"WHERE datname = :'db' \\gexec\n"
	"ALTER DATABASE :\"side\" RENAME TO :\"db\";\n"
	"SQL\n";

/* The recovered directory takes the place of the damaged one, which is kept. */
static void switch_directory(struct writing *w)
{
	const struct runbook *rb = w->rb;
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	if (rb->data_directory) {
		buf_adds(&b, "DATA=");
		shellword_add(&b, rb->data_directory);
		buf_addc(&b, '\n');
	} else {
		buf_adds(&b, "DATA=${PGDATA:?the data directory of the live server}\n");
	}
	buf_adds(&b, "pg_ctl -D \"$WORK/data\" -m fast -w -s stop\n");
	buf_addf(&b, "%s || true\n",
		 rb->stop ? rb->stop : "pg_ctl -D \"$DATA\" -m fast -w -s stop");
	buf_adds(
		&b,
		"[ ! -e \"$DATA/postmaster.pid\" ] || pg_ctl -D \"$DATA\" -m immediate -w -s stop\n"
		"mv \"$DATA\" \"$DATA.damaged\"\n"
		"mv \"$WORK/data\" \"$DATA\"\n");
	buf_addf(&b, "%s\n", rb->start ? rb->start : "pg_ctl -D \"$DATA\" -w -s start </dev/null");
	block(w, b.s);
}

static void switch_over(struct writing *w, enum side side, enum until until)
{
	runbook_step(w, "Put it in the place of the live one (ends all sessions)", unmeasured);
	if (side == SIDE_DATABASE) {
		paper_text(w->p, "The damaged database is kept, under the name with _damaged.");
		block(w, swap);
	} else {
		paper_text(w->p,
			   "The damaged data directory is kept, under the name with .damaged.");
		switch_directory(w);
	}
	runbook_step(w, "Verify", unmeasured);
	runbook_verify(w, "live", until);
	paper_note(
		w->p, "Checkpoint",
		"the answers are as expected, and the application's own test of its most important "
		"page passes. Only then let users in, and take a new backup at once.");
}

void runbook_corruption(struct writing *w)
{
	const enum side side = runbook_side(w, UNTIL_END);

	begin(w, "2. Corruption: full restore");
	if (side == SIDE_NONE) {
		say_impossible(w);
		return;
	}
	runbook_set_up(w, side, false, UNTIL_END);
	if (side == SIDE_DATABASE) {
		runbook_step(w, "Shut out the applications (changes the live server)", unmeasured);
		block(w, shut_out);
		paper_note(
			w->p, "Checkpoint",
			"the applications say that they have no connection. If the server does not "
			"even start, go on with scenario 4.");
	}
	runbook_open_side(w, side, UNTIL_END);
	runbook_step(w, "Look at the restored copy", unmeasured);
	runbook_verify(w, "side", UNTIL_END);
	paper_note(w->p, "Checkpoint", "the answers are as expected.");
	switch_over(w, side, UNTIL_END);
}

void runbook_point_in_time(struct writing *w)
{
	const enum side side = runbook_side(w, UNTIL_INCIDENT);

	begin(w, "3. A point in time: the state before an incident");
	if (side == SIDE_NONE) {
		say_impossible(w);
		return;
	}
	say_no_replay(w, side);
	runbook_set_up(w, side, false, UNTIL_INCIDENT);
	runbook_open_side(w, side, UNTIL_INCIDENT);
	runbook_step(w, "Look at the state before the incident", unmeasured);
	runbook_verify(w, "side", UNTIL_INCIDENT);
	paper_note(
		w->p, "Checkpoint",
		"what the incident did is not there. If it is, clean up, take an earlier INCIDENT, "
		"and begin again.");
	switch_over(w, side, UNTIL_INCIDENT);
}

static void promote(struct writing *w)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	runbook_step(w, "Make sure that the old primary cannot come back", unmeasured);
	paper_text(w->p, "Two primaries are worse than none: take its address, its power or its "
			 "network away first.");
	runbook_step(w, "Promote the standby", unmeasured);
	buf_adds(&b, "STANDBY=");
	shellword_add(&b, w->rb->standby);
	buf_adds(&b, "\npsql -X -At -h \"$STANDBY\" -d postgres -c 'SELECT "
		     "pg_last_xact_replay_timestamp(), "
		     "pg_promote()'\n"
		     "psql -X -At -h \"$STANDBY\" -d postgres -c 'SELECT pg_is_in_recovery()'\n");
	block(w, b.s);
	paper_note(w->p, "Checkpoint",
		   "the last answer is f; the first one says which moment the data shows.");
}

/* The owners that a dump expects: roles are not in it. */
static void make_roles(struct writing *w)
{
	runbook_step(w, "Make the roles that the dump expects", unmeasured);
	block(w,
	      w->drill.kind == DRILL_ARCHIVE
		      ? "pg_restore --schema-only -f - \"$FILE\" | sed -n 's/^ALTER .* OWNER TO "
			"\\(.*\\);$/\\1/p' |\n    sort -u | while IFS= read -r role; do\n    psql "
			"-X "
			"-q -d "
			"postgres -c \"CREATE ROLE $role\" </dev/null || true\ndone\n"
		      : "sed -n 's/^ALTER .* OWNER TO \\(.*\\);$/\\1/p' \"$FILE\" |\n    sort -u | "
			"while "
			"IFS= read -r role; do\n    psql -X -q -d postgres -c \"CREATE ROLE "
			"$role\" "
			"</dev/null || true\ndone\n");
	paper_note(
		w->p, "Checkpoint",
		"only roles that exist already were refused. Passwords and memberships come from "
		"where you keep them (pg_dumpall --globals-only).");
}

static void restore_elsewhere(struct writing *w, enum side side)
{
	struct runbook there = *w->rb;
	struct writing other = *w;
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	there.host = w->rb->elsewhere ? w->rb->elsewhere : w->rb->host;
	other.rb = &there;
	runbook_set_up(&other, side, false, UNTIL_END);
	if (side == SIDE_DATABASE) {
		runbook_fetch(&other, UNTIL_END);
		runbook_unpack(&other);
		make_roles(&other);
		runbook_step(&other, "Restore it", other.drill.restore_s);
		buf_adds(&b,
			 "createdb --maintenance-db=postgres --template=template0 \"$DATABASE\"\n");
		runbook_load(&other, "$DATABASE", &b);
		block(&other, b.s);
	} else {
		runbook_open_side(&other, side, UNTIL_END);
		paper_text(w->p,
			   "The recovered server runs in $WORK/data. Give it its configuration, "
			   "and let it listen where the applications look.");
	}
	runbook_step(&other, "Verify", unmeasured);
	runbook_verify(&other, side == SIDE_DATABASE ? "live" : "side", UNTIL_END);
	paper_note(w->p, "Checkpoint",
		   "the answers are as expected. Then change the address (DNS, connection "
		   "strings), let "
		   "users in, and take a new backup at once.");
}

void runbook_loss(struct writing *w)
{
	const enum side side = runbook_side(w, UNTIL_END);

	begin(w, "4. Loss of the host or region");
	if (w->rb->standby) {
		paper_heading(w->p, 3, "With the standby %s", w->rb->standby);
		promote(w);
		w->step = 0;
		paper_heading(w->p, 3, "If the standby is lost, too");
	} else {
		paper_note(w->p, "Note", "no standby is configured (RUNBOOK_STANDBY).");
	}
	if (side == SIDE_NONE) {
		say_impossible(w);
		return;
	}
	paper_text(w->p,
		   "On a machine elsewhere with PostgreSQL%s%s and backup-probes, that reaches the "
		   "backups:",
		   *w->drill.version ? " " : "", w->drill.version);
	restore_elsewhere(w, side);
}
