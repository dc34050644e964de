/* check-integrity: all that can be known of a base backup without starting it. */
#include "lib/base/stage.h"
#include "lib/base/xmem.h"
#include "lib/physical/integrity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 256 };

static uint64_t jobs;
static struct integrity_opts config;

/* clang-format off */
static const struct opt options[] = {
	{ OPT_COUNT, 'j', "jobs", "N", &jobs,
	  "read with N threads; default: one for each processor", NULL, false, NULL },
	{ OPT_FLAG, 0, "no-checksums", NULL, &config.no_sums,
	  "do not compute the files' checksums: names and sizes only", NULL, false, NULL },
	{ OPT_FLAG, 0, "no-pages", NULL, &config.no_pages,
	  "do not look at the pages of relations and WAL", NULL, false, NULL },
	{ OPT_FLAG, 'n', "no-wal", NULL, &config.no_wal,
	  "the WAL that the backup needs comes from elsewhere", NULL, false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "check-integrity",
	.what = "look at every byte of a base backup, without starting it",
	.operands = "[DIRECTORY]",
	.description =
		"check-integrity reads a physical base backup once, with all processors: a directory "
		"as pg_basebackup makes it, or its set of tar files, compressed or not, which need no "
		"unpacking. Without an operand it takes the backup that the records on its standard "
		"input name (\"newest\": true).\n"
		"\n"
		"It compares names, sizes and checksums with the backup's manifest and the manifest "
		"with its own checksum; verifies the checksum of every page and the CRC of "
		"pg_control; reads backup_label; and looks whether the WAL that makes the backup "
		"consistent is there and sound. Pages that were written while they were copied are "
		"not held against the backup: the WAL repairs them. Without a manifest it says what "
		"could not be known.\n"
		"\n"
		"What it does not prove is that the server starts and its data agree: restore it.",
	.examples = "check-integrity /srv/backups/base/20260217\n"
		    "look at one backup\n"
		    "fetch-latest /srv/backups/base | check-integrity | emit-report\n"
		    "look at the newest one, and report",
	.see_also = "fetch-latest(1), restore-to-temp(1)",
	.options = options,
};
/* clang-format on */

int main(int argc, char **argv)
{
	char *path __attribute__((cleanup(xfree_auto))) = NULL;
	const int first = tool_begin(&tool, argc, argv);
	struct record r;
	struct stage st;
	struct err e = { 0 };

	if (argc - first > 1)
		tool_usage("give one directory");
	if (jobs > JOBS_MAX)
		tool_usage("--jobs: give a number up to %d", JOBS_MAX);
	config.jobs = jobs ? (unsigned)jobs : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (first < argc)
		path = xstrdup(argv[first]);
	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		if (first == argc && strcmp(r.kind, "backup") == 0 &&
		    record_true(r.object, "newest") && record_text(r.object, "path")) {
			free(path);
			path = xstrdup(record_text(r.object, "path"));
		}
	if (path == NULL) {
		(void)err_set(&e, ERR_USAGE,
			      "find a backup: no record names one that is here; pipe "
			      "fetch-latest in, or give a directory");
		return stage_fail(&st, "backup-files", "", &e);
	}
	integrity_check(&st, path, &config);
	return stage_end(&st);
}
