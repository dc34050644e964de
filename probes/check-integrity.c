/* check-integrity: all that can be known of a base backup without starting it. */
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/pg/restored.h"
#include "lib/physical/amcheck.h"
#include "lib/physical/integrity.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 256 };

static uint64_t jobs;
static uint64_t max_s;
static struct integrity_opts config;
static struct amcheck_opts amcheck;

/* clang-format off */
static const struct opt options[] = {
	{ OPT_COUNT, 'j', "jobs", "N", &jobs,
	  "look at N things at a time; default: one for each processor", NULL, false, NULL },
	{ OPT_FLAG, 0, "no-checksums", NULL, &config.no_sums,
	  "do not compute the files' checksums: names and sizes only", NULL, false, NULL },
	{ OPT_FLAG, 0, "no-pages", NULL, &config.no_pages,
	  "do not look at the pages of relations and WAL", NULL, false, NULL },
	{ OPT_FLAG, 'n', "no-wal", NULL, &config.no_wal,
	  "the WAL that the backup needs comes from elsewhere", NULL, false, NULL },
	{ OPT_FLAG, 0, "alone", NULL, &config.alone,
	  "of an incremental backup: do not look at those that it builds on", NULL, false, NULL },
	{ OPT_FLAG, 0, "deep", NULL, &amcheck.deep,
	  "in a restored server: every row has its index entries, and parents fit their children",
	  NULL, false, NULL },
	{ OPT_DURATION, 0, "max-seconds", "DURATION", &max_s,
	  "in a restored server: end after it, the largest first; default: look at all",
	  "INTEGRITY_TIME", false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "check-integrity",
	.what = "look at every byte of a base backup, without starting it",
	.operands = "[BACKUP]",
	.description =
		"check-integrity reads a physical base backup once, with all processors: a directory "
		"as pg_basebackup makes it, its set of tar files, or one tar that holds it all, "
		"compressed or not, which need no unpacking. Without an operand it takes the backup that the records on its standard "
		"input name (\"newest\": true).\n"
		"\n"
		"It compares names, sizes and checksums with the backup's manifest and the manifest "
		"with its own checksum; verifies the checksum of every page and the CRC of "
		"pg_control; reads backup_label; and looks whether the WAL that makes the backup "
		"consistent is there and sound. Pages that were written while they were copied are "
		"not held against the backup: the WAL repairs them. Without a manifest it says what "
		"could not be known.\n"
		"\n"
		"Of an incremental backup (PostgreSQL 17) it also looks at each of those that it builds "
		"on, which it finds beside it by where they began, at the headers of files that are there "
		"in part, and whether each of them goes back to a whole one.\n"
		"\n"
		"As the COMMAND of restore-to-temp, where the records name a restored server, it looks "
		"at that instead: at every table and B-tree index, by PostgreSQL's extension amcheck, "
		"for indexes that are not valid, and for relations whose file is missing or cut short.\n"
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

static void look_inside(struct stage *st, const struct restored *r)
{
	amcheck.jobs = config.jobs;
	amcheck.until_ms = max_s ? mono_ms() + (int64_t)max_s * 1000 : 0;
	for (size_t i = 0; i < (r->databases.n ? r->databases.n : 1); i++) {
		PG_AUTO pg = { 0 };
		struct pg_target target;
		struct err e = { 0 };

		if (restored_target(r, NULL, &target, &e) == 0) {
			target.writable = true;
			if (r->databases.n)
				target.dbname = r->databases.v[i];
			if (pg_open(&pg, &target, &e) == 0) {
				amcheck_run(st, &pg, &amcheck);
				continue;
			}
		}
		stage_error(st, "index-integrity", r->databases.n ? r->databases.v[i] : "", &e);
	}
}

int main(int argc, char **argv)
{
	char *path __attribute__((cleanup(xfree_auto))) = NULL;
	const int first = tool_begin(&tool, argc, argv);
	RESTORED_AUTO restored = { 0 };
	struct record r;
	struct stage st;
	struct err e = { 0 };

	if (argc - first > 1)
		tool_usage("give one backup");
	if (jobs > JOBS_MAX)
		tool_usage("--jobs: give a number up to %d", JOBS_MAX);
	config.jobs = jobs ? (unsigned)jobs : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	if (first < argc)
		path = xstrdup(argv[first]);
	stage_begin(&st, &tool);
	while (stage_next(&st, &r)) {
		restored_see(&restored, &r);
		if (first == argc && strcmp(r.kind, "backup") == 0 &&
		    record_true(r.object, "newest") && record_text(r.object, "path")) {
			free(path);
			path = xstrdup(record_text(r.object, "path"));
		}
	}
	if (first == argc && restored.instance) {
		look_inside(&st, &restored);
		return stage_end(&st);
	}
	if (path == NULL) {
		(void)err_set(&e, ERR_USAGE,
			      "find a backup: no record names one that is here; pipe "
			      "fetch-latest in, or give a directory or tar");
		return stage_fail(&st, "backup-files", "", &e);
	}
	integrity_check(&st, path, &config);
	return stage_end(&st);
}
