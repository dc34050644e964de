/* check-wal: is the WAL archived, and is what is archived whole? */
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"
#include "lib/dump/keywork.h"
#include "lib/keeper/keeper.h"
#include "lib/physical/walneed.h"
#include "lib/physical/walserver.h"
#include "lib/physical/walverdict.h"
#include "lib/storage/access.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 256, STATEMENT_S = 60, LOCK_S = 10 };

struct given {
	struct stage *st;
	struct keys keys;
	struct known {             /* a backup that a record names */
		char *name, *path; /* owned; path NULL: it is nowhere here */
		bool said;         /* by the record, what it needs */
		struct walneed need;
	} * known;
	size_t n_known;
};

static struct {
	const char *archive, *production, *ledger, *from;
	uint64_t jobs, max_age_s, max_lag_s;
	struct storage_access access;
	struct keys_config keys;
	struct walserver_opts server;
} config = { .max_age_s = UINT64_C(30) * 24 * 3600,
	     .server = { .max_waiting = 16, .max_slot_b = UINT64_C(16) << 30 } };

/* clang-format off */
static const struct opt options[] = {
	{ OPT_TEXT, 'a', "archive", "SOURCE", &config.archive,
	  "where the WAL is archived: a directory, file://, http(s)://, s3://, gs://, azure://, sftp://",
	  "WAL_SOURCE", false, NULL },
	{ OPT_TEXT, 0, "from-backup", "SEGMENT", &config.from,
	  "look from this segment on; default: the oldest backup whose label is in the archive, or that "
	  "the records name (a base backup in files or tars, one of pgBackRest, Barman or WAL-G), else "
	  "the oldest segment", NULL, false, NULL },
	{ OPT_TEXT, 0, "ledger", "FILE", &config.ledger,
	  "remember in FILE what was verified, and read only what is new", "WAL_LEDGER", false, NULL },
	{ OPT_DURATION, 0, "max-age", "DURATION", &config.max_age_s,
	  "read a segment again when it was verified so long ago; default 30d", NULL, false, NULL },
	{ OPT_DURATION, 0, "max-lag", "DURATION", &config.max_lag_s,
	  "the newest commit in the archive may be so old; default: any age", "MAX_WAL_LAG", false, NULL },
	{ OPT_TEXT, 0, "production", "CONNINFO", &config.production,
	  "the server whose archiver to look at: a connection string or URI, without password; only ever "
	  "read", "PRODUCTION", false, NULL },
	{ OPT_COUNT, 0, "max-waiting", "N", &config.server.max_waiting,
	  "so many segments may wait there to be archived; default 16", NULL, false, NULL },
	{ OPT_SIZE, 0, "max-slot", "SIZE", &config.server.max_slot_b,
	  "a replication slot may hold back so much WAL; default 16GiB", NULL, false, NULL },
	{ OPT_DURATION, 0, "max-silence", "DURATION", &config.server.max_silent_s,
	  "the last segment may have been archived so long ago, while WAL is written; default: what "
	  "archive_timeout says", NULL, false, NULL },
	{ OPT_COUNT, 'j', "jobs", "N", &config.jobs,
	  "read with N threads; default: one for each processor", NULL, false, NULL },
	ACCESS_OPTIONS(config.access),
	KEYS_OPTIONS(config.keys),
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "check-wal",
	.what = "look whether WAL is archived, and whether all of it can be replayed",
	.operands = "",
	.description =
		"A recovery to a point in time needs every WAL segment from the start of a base backup on. "
		"The server that recovers takes a missing or damaged one for the end of the archive and "
		"opens without a word. check-wal reads the archive instead, with all processors and without "
		"a server: each segment (plain, packed by gzip, zstd, lz4, xz or bzip2, or encrypted by "
		"gpg, age or openssl enc) must be there, have its size, and be of this cluster, version, timeline and place; each record must have "
		"its checksum and follow the one before it, across pages and segments. What is missing or "
		"damaged is named with the time after which nothing can be recovered. For each backup whose "
		"label is in the archive it says from when to when it can be recovered.\n"
		"\n"
		"Directories below it are looked into: wals/ of Barman and the archive/STANZA/15-1 of "
		"pgBackRest are understood, unless pgBackRest encrypted it: check-repository asks them "
		"themselves.\n"
		"\n"
		"Histories of timelines are followed to the newest timeline. A segment that was not filled "
		"(.partial) counts as far as it goes, at the end only. With a ledger the daily cost is that "
		"of the day's WAL.\n"
		"\n"
		"On production it looks whether archiving fails, falls silent or piles up, and whether "
		"replication slots hold WAL back or have lost it.\n"
		"\n"
		"Formats of PostgreSQL 10 to 18 are known.",
	.examples = "check-wal --archive /srv/wal --ledger /var/lib/backup-probes/wal.ledger | emit-report\n"
		    "look at an archive, and only once at each segment\n"
		    "check-wal --nagios --production 'host=db1 user=monitor' --max-waiting 4\n"
		    "as a monitoring plugin: does WAL leave the server?",
	.see_also = "check-integrity(1), check-repository(1), restore-to-temp(1)",
	.options = options,
};
/* clang-format on */

/* ---- the archive -------------------------------------------------------------------- */

static void see(struct given *given, const json_t *record)
{
	const char *name = record_text(record, "name"), *path = record_text(record, "path");
	struct known k = { 0 };

	k.said = walneed_of_record(record, &k.need);
	if (!k.said && path == NULL)
		return;
	k.name = xstrdup(name ? name : path ? path : "");
	k.path = path ? xstrdup(path) : NULL;
	given->known = xrealloc(given->known, given->n_known + 1, sizeof(*given->known));
	given->known[given->n_known++] = k;
}

/* Backups that lie elsewhere, though the archive may have no label of them. */
static void add_known(struct walarchive *a, const struct given *given)
{
	for (size_t i = 0; i < given->n_known; i++) {
		struct known *k = &given->known[i];
		struct err e = { 0 };
		const int found =
			k->said ? 1 : walneed_of_path(k->path, &given->keys, &k->need, &e);
		const uint64_t cluster = k->need.system_identifier;

		if (found < 0)
			stage_error(given->st, "wal-window", k->name, &e);
		else if (found > 0 && (cluster == 0 || cluster == a->system_identifier))
			walarchive_add_backup(a, k->name, &k->need.label);
	}
}

static void forget(struct given *given)
{
	for (size_t i = 0; i < given->n_known; i++) {
		free(given->known[i].name);
		free(given->known[i].path);
	}
	free(given->known);
	keys_wipe(&given->keys);
}

static int where_from(const struct walarchive *a, uint64_t *from, struct err *e)
{
	uint32_t timeline;

	*from = a->n_backups ? a->backups[0].label.start : 0;
	if (config.from && !wal_of_name(config.from, a->segment_b, &timeline, from))
		return err_set(e, ERR_USAGE,
			       "begin at %s: this is no name of a segment of %u bytes, such as "
			       "0000000100000000000000A1",
			       config.from, a->segment_b);
	return 0;
}

/* What is sound and was read is remembered; what left the archive is forgotten. */
static int remember(const struct walarchive *a, const struct walchain *c, struct err *e)
{
	WALLEDGER_AUTO l = { 0 };
	char why[WALCHAIN_WHY];

	for (size_t i = 0; i < a->n_segs; i++) {
		const struct walseg *s = &a->segs[i];
		const struct walledger_entry entry = { .file = s->object,
						       .etag = s->etag,
						       .bytes = s->bytes,
						       .modified_ms = s->modified_ms,
						       .verified_ms = s->verified_ms,
						       .sum = s->sum };

		if (s->verified_ms != 0 && !s->partial && !walchain_fault(a, c, s, why))
			walledger_add(&l, &entry);
	}
	return walledger_save(&l, config.ledger, e);
}

static int look_at_archive(const struct given *given, struct err *e)
{
	const struct storage_options limits = {
		.retries = 4, .connect_s = 20, .stall_s = 60, .access = &config.access, .deep = true
	};
	WALLEDGER_AUTO known = { 0 };
	WALARCHIVE_AUTO a = { 0 };
	WALCHAIN_AUTO c = { 0 };
	struct walverdict_opts how = { .max_lag_s = config.max_lag_s,
				       .ledger = config.ledger != NULL,
				       .recheck_s = config.max_age_s };
	struct walarchive_read order = { .jobs = (unsigned)config.jobs, .known = &known };

	if (keeper_claims(config.archive))
		return err_set(e, ERR_USAGE,
			       "look at %s: check-repository has its program look at it",
			       config.archive);
	if (walarchive_open(&a, config.archive, &limits, &given->keys, e) < 0)
		return -1;
	add_known(&a, given);
	if (where_from(&a, &order.from, e) < 0 ||
	    (config.ledger && walledger_load(&known, config.ledger, e) < 0))
		return -1;
	order.from -= order.from % a.segment_b;
	order.read_before_ms = utc_now_ms() - (int64_t)config.max_age_s * 1000;
	if (walarchive_verify(&a, &order, e) < 0)
		return -1;
	how.ledger_damaged = known.damaged;
	walchain_judge(&a, order.from, &c);
	walverdict_say(given->st, &a, &c, &how);
	return config.ledger ? remember(&a, &c, e) : 0;
}

/* ---- production --------------------------------------------------------------------- */

static void look_at_production(struct stage *st)
{
	const struct pg_target target = { .what = "production",
					  .conninfo = config.production,
					  .env = PG_ENV_NO_ADDRESS,
					  .statement_s = STATEMENT_S,
					  .lock_s = LOCK_S };
	PG_AUTO pg = { 0 };
	struct err e = { 0 };

	if (pg_open(&pg, &target, &e) < 0)
		stage_error(st, "wal-archiver", "", &e);
	else
		walserver_check(st, &pg, &config.server);
}

static int look(void *ctx)
{
	const struct given *given = ctx;
	struct err e = { 0 };

	if (config.archive && look_at_archive(given, &e) < 0)
		stage_error(given->st, "wal-archive", "", &e);
	if (config.production)
		look_at_production(given->st);
	return stage_end(given->st);
}

static void check_usage(int operands)
{
	if (operands > 0)
		tool_usage("take no operand; the archive is named by --archive");
	if (!config.archive && !config.production)
		tool_usage("give --archive, --production, or both");
	if (config.jobs > JOBS_MAX)
		tool_usage("--jobs: give a number up to %d", JOBS_MAX);
	if (config.production && pg_has_password(config.production))
		tool_usage(
			"--production: leave out the password; ~/.pgpass or PGPASSFILE holds it");
}

int main(int argc, char **argv)
{
	const int first = tool_begin(&tool, argc, argv);
	struct stage st;
	struct given given = { .st = &st };
	struct err e = { 0 };
	struct record r;
	int status;

	check_usage(argc - first);
	if (config.jobs == 0)
		config.jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	stage_begin(&st, &tool);
	while (stage_next(&st, &r))
		if (strcmp(r.kind, "backup") == 0)
			see(&given, r.object);
	if (keys_load(&given.keys, &config.keys, &e) < 0 ||
	    keywork_run(tool.name, &given.keys, look, &given, &status, &e) < 0)
		status = stage_fail(&st, "wal-archive", "", &e);
	forget(&given);
	return status;
}
