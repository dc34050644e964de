/* check-repository: what pgBackRest, Barman or WAL-G find in their own repository, and what they
 * pass over. */
#include "lib/base/stage.h"
#include "lib/keeper/keeper.h"
#include "lib/storage/describe.h"

static struct {
	const char *source;
	bool no_verify, production, listed;
} config;

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 0, "source", "SOURCE", &config.source,
	  "the repository, when it is no operand", "BACKUP_SOURCE", false, NULL },
	{ OPT_FLAG, 0, "no-verify", NULL, &config.no_verify,
	  "do not read the repository: only look at production", NULL, false, NULL },
	{ OPT_FLAG, 0, "listed", NULL, &config.listed,
	  "list-backups has judged SOURCE in this run: do not say again which backups failed", NULL,
	  false, NULL },
	{ OPT_FLAG, 0, "production", NULL, &config.production,
	  "look at production, too: pgbackrest check, which switches to a new WAL segment there and "
	  "waits for the old one in the archive; barman check and wal-g wal-verify, which only look",
	  NULL, false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "check-repository",
	.what = "let pgBackRest, Barman or WAL-G verify their repository, and see what they pass over",
	.operands = "SOURCE",
	.description =
	"SOURCE is pgbackrest:STANZA, barman:SERVER or walg:, as list-backups(1) takes it. The repository "
	"is read by its own program, which alone knows how (compression, encryption, S3): pgbackrest "
	"verify, which looks at each file and WAL segment; barman verify-backup, which runs "
	"pg_verifybackup on each backup; WAL-G, which has no such command, unpacks each part of each "
	"backup, and their sizes are compared with what was stored. What they print is believed, not that "
	"they end with status 0: pgBackRest does so whatever it found. A backup or a segment that is not "
	"whole is critical.\n\n"
	"None of them notices what is not there any more. So the catalogue is compared with what was "
	"verified (a backup that lost its manifest, or all of it; one that is in the repository, but not "
	"in an older catalogue), what pgBackRest only notes is said (a file that it keeps twice, and of "
	"which one is lost, damaged or another: a warning), and the names in the archive with "
	"the WAL that each backup needs, and with each other: a gap in it is critical when a backup or "
	"the time since the newest one cannot be recovered for it, a warning between older backups.\n\n"
	"All of the repository is read: once a day or a week will do. That a backup restores is for "
	"restore-to-temp(1) to prove.",
	.examples =
	"check-repository pgbackrest:shop | emit-report\n"
	"Verify a stanza.\n"
	"check-repository --nagios --no-verify --production barman:shop\n"
	"As a monitoring plugin: does WAL arrive?",
	.see_also = "emit-report(1), list-backups(1), restore-to-temp(1)",
	.options = options,
	.source = true,
};
/* clang-format on */

int main(int argc, char **argv)
{
	const int first = tool_begin(&tool, argc, argv);
	const char *source = describe_source(argc, argv, first, config.source);
	KEEPER_AUTO k = { 0 };
	struct err e = { 0 };
	struct stage st;

	if (config.no_verify && !config.production)
		tool_usage("--no-verify leaves nothing to do without --production");
	stage_begin(&st, &tool);
	if (!keeper_claims(source))
		(void)err_set(
			&e, ERR_USAGE,
			"use source %s: only the repositories of pgBackRest, Barman and WAL-G "
			"have a program of their own; write pgbackrest:STANZA, barman:SERVER or "
			"walg:",
			source);
	if (e.kind != ERR_NONE || keeper_open(&k, source, &e) < 0)
		return stage_fail(&st, "repository", "", &e);
	if (!config.no_verify)
		keeper_verify(&k, &st, config.listed);
	if (config.production)
		keeper_check(&k, &st);
	return stage_end(&st);
}
