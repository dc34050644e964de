/* Bringing up a good copy beside the damaged database: from a dump, or from a base backup and WAL.
 */
#include "lib/base/shellword.h"
#include "lib/report/runbook_parts.h"

#include <math.h>
#include <string.h>

enum { SIDE_PORT = 5499 };

/* What a file's name says was done to it, last thing first. */
static const struct {
	const char *ending, *word, *command;
} layers[] = {
	{ ".gz", "gzip", "gzip -dc" },  { ".tgz", "gzip", "gzip -dc" },
	{ ".zst", "zstd", "zstd -dc" }, { ".lz4", "lz4", "lz4 -dc" },
	{ ".xz", "xz", "xz -dc" },      { ".bz2", "bzip2", "bzip2 -dc" },
};

static bool cut_ending(char *name, const char *ending)
{
	const size_t n = strlen(name), e = strlen(ending);

	if (n <= e || strcmp(name + n - e, ending) != 0)
		return false;
	name[n - e] = '\0';
	return true;
}

static void add_decrypt(const struct runbook *rb, const char *how, struct buf *out)
{
	BUF_AUTO key = BUF_INIT(RUNBOOK_BLOCK), phrase = BUF_INIT(RUNBOOK_BLOCK);

	shellword_add(&key, rb->key_file ? rb->key_file : "KEY_FILE");
	shellword_add(&phrase, rb->passphrase_file ? rb->passphrase_file : "PASSPHRASE_FILE");
	if (strcmp(how, "age") == 0)
		buf_addf(out, "age --decrypt --identity %s", key.s);
	else if (strcmp(how, "openssl") == 0)
		buf_addf(out, "openssl enc -d -aes-256-cbc -pbkdf2 -pass file:%s", phrase.s);
	else if (rb->key_file)
		buf_addf(out, "gpg --batch --import %s && gpg --batch --decrypt", key.s);
	else
		buf_addf(out, "gpg --batch --pinentry-mode loopback --passphrase-file %s --decrypt",
			 phrase.s);
}

/* The commands that take the layers off, joined by pipes; nothing when there are none. */
static void add_layers(const struct writing *w, struct buf *out)
{
	static const char *const secret[] = { ".gpg", ".pgp", ".age", ".enc" };
	const char *encryption = w->drill.encryption;
	char name[4096];
	bool again = true, packed = false;

	(void)snprintf(name, sizeof(name), "%s", w->drill.name);
	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		(void)cut_ending(name, secret[i]);
	if (*encryption && strcmp(encryption, "none") != 0)
		add_decrypt(w->rb, encryption, out);
	while (again) {
		again = false;
		for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
			if (!cut_ending(name, layers[i].ending))
				continue;
			buf_addf(out, "%s%s", out->len ? " | " : "", layers[i].command);
			again = packed = true;
		}
	}
	/* An archive may be compressed inside, which pg_restore knows; text cannot. */
	for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]) && !packed; i++)
		if (w->drill.kind != DRILL_ARCHIVE &&
		    strcmp(w->drill.compression, layers[i].word) == 0) {
			buf_addf(out, "%s%s", out->len ? " | " : "", layers[i].command);
			packed = true;
		}
}

void runbook_fetch(struct writing *w, enum until until)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	runbook_step(w, "Fetch the backup", w->drill.fetch_s);
	if (until == UNTIL_INCIDENT)
		buf_adds(&b, "FILE=$(fetch-latest --records --copy --dir \"$WORK\" --as-of "
			     "\"$(date -u -d "
			     "\"$INCIDENT\" +%Y-%m-%dT%H:%M:%SZ)\" \"$SOURCE\" |\n");
	else
		buf_adds(&b,
			 "FILE=$(fetch-latest --records --copy --dir \"$WORK\" --match \"$BACKUP\" "
			 "\"$SOURCE\" |\n");
	buf_adds(&b, "    sed -n 's/.*\"path\":\"\\([^\"]*\\)\".*/\\1/p' | tail -n 1)\n"
		     "ls -ld \"$FILE\"\n");
	paper_code(w->p, "sh", b.s);
	paper_note(w->p, "Checkpoint",
		   until == UNTIL_INCIDENT
			   ? "the file is older than the incident."
			   : "it is the file that the drill restored, or a newer one "
			     "that you chose on purpose: set BACKUP.");
}

void runbook_unpack(struct writing *w)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK), commands = BUF_INIT(RUNBOOK_BLOCK);

	add_layers(w, &commands);
	if (commands.len == 0)
		return;
	runbook_step(w, "Unpack it", w->drill.unpack_s);
	buf_addf(&b, "cat \"$FILE\" | { %s; } >\"$WORK/unpacked\"\nFILE=$WORK/unpacked\n",
		 commands.s);
	paper_code(w->p, "sh", b.s);
}

void runbook_load(const struct writing *w, const char *database, struct buf *out)
{
	if (w->drill.kind == DRILL_ARCHIVE)
		buf_addf(out, "pg_restore --exit-on-error%s -d \"%s\" \"$FILE\"\n",
			 w->drill.serial ? "" : " --jobs=4", database);
	else
		buf_addf(out, "psql -X -q -v ON_ERROR_STOP=1 -d \"%s\" -f \"$FILE\" >/dev/null\n",
			 database);
	buf_addf(out, "vacuumdb --quiet --analyze-only --jobs=4 -d \"%s\"\n", database);
}

static void open_database(struct writing *w, enum until until)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	runbook_fetch(w, until);
	runbook_unpack(w);
	runbook_step(w, "Restore it beside the live database", w->drill.restore_s);
	buf_adds(&b, "createdb --maintenance-db=postgres --template=template0 \"$SIDE\"\n");
	runbook_load(w, "$SIDE", &b);
	paper_code(w->p, "sh", b.s);
	paper_note(w->p, "Checkpoint",
		   "the commands printed no error. If they name a missing role or extension, "
		   "create it, "
		   "drop the database $SIDE and do this step again.");
}

/* A server of our own starts in $WORK. What stands on its command line beats postgresql.auto.conf.
 */
static void add_start(const char *settings, struct buf *out)
{
	buf_addf(out,
		 "pg_ctl -D \"$WORK/data\" -l \"$WORK/server.log\" -w -t 86400 -s -o \"-p %d \\\n"
		 "    -c listen_addresses= -c unix_socket_directories='$WORK'%s\" start "
		 "</dev/null\n",
		 SIDE_PORT, settings);
}

static void open_cluster(struct writing *w, enum until until)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	runbook_fetch(w, until);
	runbook_unpack(w);
	runbook_step(w, "Restore it into a server of its own", w->drill.restore_s);
	buf_adds(&b, "initdb -D \"$WORK/data\" --username=postgres --encoding=UTF8 >/dev/null\n");
	add_start("", &b);
	/* It creates the role postgres, which is there. */
	buf_addf(&b,
		 "psql -X -q -h \"$WORK\" -p %d -U postgres -d postgres -f \"$FILE\" >/dev/null "
		 "2>\"$WORK/errors\"\ngrep ERROR \"$WORK/errors\" | grep -v 'already exists' || "
		 "echo "
		 "restored\n",
		 SIDE_PORT);
	paper_code(w->p, "sh", b.s);
	paper_note(w->p, "Checkpoint", "the last line says: restored");
}

static void add_base_backup(enum until until, struct buf *out)
{
	buf_addf(out,
		 "BASE=$(find \"$BASE_BACKUPS\" -maxdepth 2 -name backup_manifest%s -printf '%%T@ "
		 "%%h\\n' |\n    sort -n | tail -n 1 | cut -d ' ' -f 2-)\necho \"${BASE:?no base "
		 "backup is that old}\"\n",
		 until == UNTIL_INCIDENT ? " ! -newermt \"$INCIDENT\"" : "");
	buf_adds(out, "mkdir -m 700 \"$WORK/data\"\n"
		      "if [ -e \"$BASE/PG_VERSION\" ]; then\n"
		      "    cp -a \"$BASE/.\" \"$WORK/data/\"\n"
		      "else\n"
		      "    cat \"$BASE\"/base.tar* | { if [ -e \"$BASE/base.tar.gz\" ]; then gzip "
		      "-dc; else "
		      "cat; fi; } | tar -xf - -C \"$WORK/data\"\n"
		      "fi\n"
		      "chmod 700 \"$WORK/data\"\n"
		      "rm -rf \"$WORK/data/postmaster.pid\" \"$WORK\"/data/pg_wal/0*\n");
}

/* The newest that ended before: a program that is given a time may take a later one. */
static void add_choice(enum until until, struct buf *out)
{
	buf_adds(out, "SET=$(list-backups --records --nth 1");
	if (until == UNTIL_INCIDENT)
		buf_adds(out, " --as-of \"$(date -u -d \"$INCIDENT\" +%Y-%m-%dT%H:%M:%SZ)\"");
	buf_adds(out, " \"$SOURCE\" |\n    sed -n "
		      "'/\"record\":\"backup\"/s/.*\"name\":\"\\([^\"]*\\)\".*/\\1/p')\n"
		      "echo \"${SET:?no backup is that old}\"\n");
}

static void add_option(const char *option, const char *value, struct buf *out)
{
	if (value == NULL)
		return;
	buf_adds(out, option);
	shellword_add(out, value);
}

static void add_barman(const struct runbook_keeper *k, enum until until, struct buf *out)
{
	buf_adds(out, "barman");
	add_option(" -c ", k->config, out);
	buf_adds(out, " recover --no-get-wal");
	if (until == UNTIL_INCIDENT)
		buf_adds(out, " --target-time \"$INCIDENT\" --exclusive --target-action promote");
	add_option(" \\\n    ", k->name, out);
	buf_adds(out, " \"$SET\" \"$WORK/data\"\n");
}

static void add_walg(const struct runbook_keeper *k, struct buf *out)
{
	buf_adds(out, "wal-g");
	add_option(" --config=", k->config, out);
}

/* It puts a tablespace's files into a directory in pg_tblspc, where a server wants a link; left in,
 * tablespace_map would lead the server to where production's are. */
static void add_walg_restore(const struct runbook_keeper *k, struct buf *out)
{
	add_walg(k, out);
	buf_adds(out, " backup-fetch \"$WORK/data\" \"$SET\"\n"
		      "# tablespaces come into $WORK/places, and stay there\n"
		      "for place in \"$WORK\"/data/pg_tblspc/*; do\n"
		      "    [ -d \"$place\" ] && [ ! -L \"$place\" ] || continue\n"
		      "    mv \"$place\" \"$WORK/places/\"\n"
		      "    ln -s \"$WORK/places/${place##*/}\" \"$place\"\n"
		      "done\n"
		      "rm -f \"$WORK/data/tablespace_map\"\n");
}

static void add_pgbackrest(const struct runbook_keeper *k, enum until until, struct buf *out)
{
	buf_adds(out, "# tablespaces come into $WORK/places, and stay there\npgbackrest");
	add_option(" --config=", k->config, out);
	add_option(" --stanza=", k->name, out);
	if (k->repo)
		buf_addf(out, " --repo=%u", k->repo);
	buf_adds(out, " --set=\"$SET\" \\\n    --pg1-path=\"$WORK/data\" "
		      "--tablespace-map-all=\"$WORK/places\" \\\n    ");
	buf_adds(out, until == UNTIL_INCIDENT
			      ? "--type=time --target=\"$INCIDENT\" --target-exclusive "
				"--target-action=promote restore\n"
			      : "--type=default restore\n");
}

/* The first two write what the recovery needs into postgresql.auto.conf, and not that WAL is not
 * archived: the recovered directory may come to stay. */
static void add_keeper_restore(const struct runbook_keeper *k, enum until until, struct buf *out)
{
	add_choice(until, out);
	buf_adds(out, "mkdir -m 700 \"$WORK/data\" \"$WORK/places\"\n");
	if (k->program == KEEPER_BARMAN)
		add_barman(k, until, out);
	else if (k->program == KEEPER_WALG)
		add_walg_restore(k, out);
	else
		add_pgbackrest(k, until, out);
}

static void say_keeper(struct writing *w)
{
	if (w->rb->keeper.program == KEEPER_WALG && w->rb->keeper.config == NULL)
		paper_text(w->p, "WAL-G must find its own environment (WALG_..., AWS_... and its "
				 "like), or ~/.walg.json, here and in the server that is started.");
	if (w->rb->keeper.program == KEEPER_BARMAN)
		paper_text(
			w->p,
			"Barman runs as a user of its own, mostly on a host of its own. Where that "
			"is so, run its command there, with --remote-ssh-command \"ssh "
			"postgres@HOST\" for this machine. In the restored postgresql.conf it has "
			"turned archive_command off: turn it on again when the server stays.");
}

/* A line of postgresql.conf. */
static void add_restore_command(const struct runbook *rb, struct buf *out)
{
	BUF_AUTO command = BUF_INIT(RUNBOOK_BLOCK);

	if (rb->restore_command) {
		buf_adds(&command, rb->restore_command);
	} else if (rb->keeper.program == KEEPER_WALG) {
		add_walg(&rb->keeper, &command);
		buf_adds(&command, " wal-fetch %f \"%p\"");
	} else {
		buf_adds(&command, "cp ");
		shellword_add(&command, rb->wal);
		buf_adds(&command, "/%f \"%p\"");
	}
	buf_adds(out, "restore_command = '");
	for (const char *c = command.s; *c; c++)
		if (*c == '\'')
			buf_adds(out, "''");
		else
			buf_addc(out, (char)((unsigned char)*c < ' ' ? '?' : *c));
	buf_adds(out, "'\n");
}

/* Settings of our own, beside the data: the recovered directory stays as the base backup has it. */
static void add_recovery(const struct runbook *rb, enum until until, struct buf *out)
{
	const bool kept = rb->keeper.program == KEEPER_PGBACKREST ||
			  rb->keeper.program == KEEPER_BARMAN; /* it has said all that */

	buf_adds(out, "echo 'local all all peer' >\"$WORK/pg_hba.conf\"\n"
		      "cat >\"$WORK/postgresql.conf\" <<'CONF'\n");
	if (!kept)
		add_restore_command(rb, out);
	buf_adds(out, "recovery_target_timeline = latest\nmax_prepared_transactions = 100\n");
	if (until == UNTIL_INCIDENT && !kept)
		buf_adds(out, "recovery_target_inclusive = off\n"
			      "recovery_target_action = promote\n");
	buf_adds(out, "CONF\n");
	if (until == UNTIL_INCIDENT && !kept)
		buf_adds(out, "echo \"recovery_target_time = '$INCIDENT'\" "
			      ">>\"$WORK/postgresql.conf\"\n");
	if (!kept)
		buf_adds(out, "touch \"$WORK/data/recovery.signal\"\n");
	add_start(" -c config_file='$WORK/postgresql.conf' \\\n    -c hba_file='$WORK/pg_hba.conf' "
		  "-c archive_mode=off -c hot_standby=off -c ssl=off \\\n    -c "
		  "shared_preload_libraries=''",
		  out);
}

static void open_replay(struct writing *w, enum until until)
{
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);
	const double measured = w->drill.kind == DRILL_PHYSICAL ? w->drill.restore_s : (double)NAN;

	runbook_step(w, "Lay out the newest base backup that is old enough", (double)NAN);
	if (w->rb->keeper.program)
		add_keeper_restore(&w->rb->keeper, until, &b);
	else
		add_base_backup(until, &b);
	say_keeper(w);
	paper_code(w->p, "sh", b.s);
	buf_reset(&b);
	runbook_step(w,
		     until == UNTIL_INCIDENT ? "Replay the WAL up to the incident"
					     : "Replay all WAL that there is",
		     measured);
	add_recovery(w->rb, until, &b);
	/* pg_ctl does not wait for the end of recovery. */
	buf_addf(&b,
		 "until psql -X -At -h \"$WORK\" -p %d -d postgres -c 'SELECT pg_is_in_recovery()' "
		 "2>/dev/null; do\n    pg_ctl -D \"$WORK/data\" status >/dev/null || break\n    "
		 "sleep "
		 "1\ndone\n",
		 SIDE_PORT);
	paper_code(w->p, "sh", b.s);
	paper_note(
		w->p, "Checkpoint",
		"the answer is f. If the server did not start, the end of $WORK/server.log says "
		"why: "
		"\"recovery ended before configured recovery target was reached\" means that the "
		"archive lacks WAL, or that the incident is later than its end.");
}

/* Where the side is, as functions: "side" asks it, "side_dump" dumps from it. */
static void add_side_functions(enum side side, struct buf *out)
{
	BUF_AUTO where = BUF_INIT(RUNBOOK_BLOCK);

	if (side == SIDE_DATABASE)
		buf_adds(&where, "-d \"$SIDE\"");
	else
		buf_addf(&where, "-h \"$WORK\" -p %d -d \"$DATABASE\"", SIDE_PORT);
	buf_addf(out,
		 "side() { psql -X -v ON_ERROR_STOP=1 %s \"$@\"; }\n"
		 "side_dump() { pg_dump %s \"$@\"; }\n"
		 "live() { psql -X -v ON_ERROR_STOP=1 -d \"$DATABASE\" \"$@\"; }\n",
		 where.s, where.s);
}

static void add_variable(const char *name, const char *value, struct buf *out)
{
	if (value == NULL || *value == '\0')
		return;
	buf_addf(out, "%s=", name);
	shellword_add(out, value);
	buf_addc(out, '\n');
}

static void add_path(const struct writing *w, struct buf *out)
{
	BUF_AUTO dir = BUF_INIT(RUNBOOK_BLOCK);

	if (w->rb->bin_dir)
		shellword_add(&dir, w->rb->bin_dir);
	else if (w->drill.major)
		buf_addf(&dir, "/usr/lib/postgresql/%d/bin", w->drill.major);
	if (dir.len)
		buf_addf(out, "export PATH=%s:\"$PATH\"\n", dir.s);
}

static void add_tables(const struct writing *w, struct buf *out)
{
	BUF_AUTO list = BUF_INIT(RUNBOOK_BLOCK);

	for (size_t i = 0; w->rb->tables && w->rb->tables[i]; i++)
		buf_addf(&list, "%s%s", list.len ? "\n" : "", w->rb->tables[i]);
	for (size_t i = 0; w->rb->tables == NULL && i < w->drill.n_tables; i++) {
		buf_adds(&list, list.len ? "\n" : "");
		runbook_table(&list, w->drill.tables[i].name);
	}
	buf_adds(out, "# the tables to bring back, one a line, as SQL has their names; what others "
		      "refer to first\nTABLES=${TABLES:-$(cat <<'LIST'\n");
	buf_addf(out, "%s\nLIST\n)}\n", list.s);
}

void runbook_set_up(struct writing *w, enum side side, bool tables, enum until until)
{
	const struct runbook *rb = w->rb;
	BUF_AUTO b = BUF_INIT(RUNBOOK_BLOCK);

	runbook_step(w, "Open a shell for all of this, and set the names", (double)NAN);
	if (until == UNTIL_INCIDENT && rb->incident)
		add_variable("INCIDENT", rb->incident, &b);
	else if (until == UNTIL_INCIDENT)
		buf_adds(&b,
			 "# the last moment at which all was well, with its zone\n"
			 "INCIDENT=${INCIDENT:?set it first: INCIDENT='2026-02-17 05:59:00+00'}\n");
	if (tables)
		add_tables(w, &b);
	add_path(w, &b);
	add_variable("export PGHOST", rb->host, &b);
	add_variable("export PGPORT", rb->port, &b);
	add_variable("export PGUSER", rb->user, &b);
	add_variable("DATABASE", rb->database, &b);
	add_variable("WORK", rb->work, &b);
	if (side == SIDE_REPLAY && !rb->keeper.program) {
		add_variable("BASE_BACKUPS", rb->base_backup, &b);
	} else {
		add_variable("SOURCE", rb->source, &b);
		add_variable("BACKUP",
			     until == UNTIL_END && !rb->keeper.program ? w->drill.name : NULL, &b);
	}
	if (side == SIDE_DATABASE)
		buf_adds(&b, "SIDE=${DATABASE}_recovery\n");
	buf_adds(&b, "mkdir -p -m 700 \"$WORK\"\n");
	add_side_functions(side, &b);
	paper_code(w->p, "sh", b.s);
}

void runbook_open_side(struct writing *w, enum side side, enum until until)
{
	if (side == SIDE_DATABASE)
		open_database(w, until);
	else if (side == SIDE_CLUSTER)
		open_cluster(w, until);
	else
		open_replay(w, until);
}
