/* fetch-latest: brings the newest backup here, hashed and checked as it streams. */
#include "lib/base/progress.h"
#include "lib/base/stage.h"
#include "lib/keeper/keeper.h"
#include "lib/physical/chainfetch.h"
#include "lib/physical/delivery.h"
#include "lib/physical/kind.h"
#include "lib/storage/describe.h"
#include "lib/storage/fetch.h"
#include "lib/storage/source.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GRACE_S = 5 };

static struct {
	struct source_config source;
	const char *dir, *user, *keyring;
	uint64_t connections, max_rate;
	bool copy, listed, stream;
} config = { .source = { SOURCE_DEFAULTS }, .connections = 8 };

/* clang-format off */
static const struct opt options[] = {
	SOURCE_OPTIONS(config.source),
	{ OPT_TEXT, 'd', "dir", "DIRECTORY", &config.dir,
	  "where to put the backup; needed unless SOURCE is on this machine", "WORK_DIR", false, NULL },
	{ OPT_FLAG, 0, "copy", NULL, &config.copy,
	  "copy a backup that is on this machine too, instead of using it where it is", NULL, false, NULL },
	{ OPT_FLAG, 0, "stream", NULL, &config.stream,
	  "let restore-to-temp begin while a script, or what is compressed or encrypted as a whole, is "
	  "still on its way; what comes of it counts only once the backup was proven", "FETCH_STREAM",
	  false, NULL },
	{ OPT_TEXT, 0, "user", "USER", &config.user,
	  "as root: who shall own the copy; default: postgres, else nobody", NULL, false, NULL },
	{ OPT_TEXT, 0, "signature-keyring", "FILE", &config.keyring,
	  "public keys as gpg exports them: check the signature of the backup, or of its digests, with "
	  "gpgv; a wrong one is critical, none a warning", "SIGNATURE_KEYRING", false, NULL },
	{ OPT_FLAG, 0, "listed", NULL, &config.listed,
	  "list-backups has judged SOURCE in this run: do not say again what is odd about names",
	  NULL, false, NULL },
	{ OPT_COUNT, 0, "connections", "N", &config.connections,
	  "at most so many connections at a time, for the ranges of a large file and for several files; "
	  "default 8", "FETCH_CONNECTIONS", false, NULL },
	{ OPT_SIZE, 0, "max-rate", "SIZE", &config.max_rate,
	  "at most so many bytes a second, together; default: no limit", "FETCH_MAX_RATE", false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "fetch-latest",
	.what = "bring the newest backup here, hashed and checked as it streams",
	.operands = "SOURCE",
	.description =
	"Finds the newest backup in SOURCE as list-backups(1) does, brings it into DIRECTORY, and "
	"writes its backup record, with its path, its SHA-256 and newest set, and the check "
	"backup-download.\n\n"
	"A file appears under its name only when all of it is there, as many bytes as the storage has, "
	"and on the disk. A directory-format dump is brought whole; its SHA-256 is that of the list "
	"which sha256sum(1) prints for its files, in byte order of their names. The bytes are compared "
	"with the digest that the storage keeps of them (x-amz-checksum-*, Content-MD5, an ETag that is "
	"an MD5), and with its sidecars (.sha256, .md5, SHA256SUMS ...): bytes that differ are critical. "
	"The sidecars, .counts.json, .sig and .asc too, come along. With --signature-keyring a detached "
	"OpenPGP signature by one of those keys is wanted: of the backup (.sig, .asc), or of the digests "
	"that all of it was compared with (.sha256.asc, .sha256.sig, SHA256SUMS.asc, .sig or .gpg).\n\n"
	"A large file comes in ranges of 8 MiB over several connections, and so do several files. One "
	"connection begins, and stays alone as long as not the network but this machine's processors "
	"are what is waited for. Each range that breaks is asked for again "
	"with growing pauses, and goes on where it broke, as long as the object is the same; one that "
	"was replaced meanwhile is begun again, once. When the program is killed or the network "
	"stays away, DIRECTORY/.NAME.partial keeps what is there: the next run in DIRECTORY goes on "
	"from it, if the object is still the same, or removes it.\n\n"
	"With --stream the record arrival tells of a large backup when its first bytes are here, so that "
	"restore-to-temp(1) restores it while the rest comes. An uncompressed archive, which must be "
	"there as a whole, is fetched first as ever. Should the backup turn out to be incomplete or "
	"altered, or the fetch break off, what was restored is thrown away, unknown or critical.\n\n"
	"A backup that only its own program can read (pgbackrest:STANZA, barman:SERVER, walg:) stays "
	"where it is: it is only chosen, for restore-to-temp(1) to have it restored.\n\n"
	"Of an incremental base backup all that it builds on is brought, too, into the same directory; it "
	"is looked for in all of SOURCE, by where it began.\n\n"
	"A backup on this machine is used where it is, and hashed there. An empty backup, and an HTML or "
	"XML page saved as one, are critical; what could not be fetched is unknown.",
	.examples =
	"fetch-latest /var/backups/shop | restore-to-temp | emit-report\n"
	"Restore the newest dump of a directory, where it is.\n"
	"fetch-latest --dir /var/tmp/verify s3://backups/shop/ | restore-to-temp | emit-report\n"
	"Download it first.",
	.see_also = "emit-report(1), list-backups(1), restore-to-temp(1)",
	.options = options,
	.source = true,
	.own_timeout = true,
	.grace_s = 2 * GRACE_S,
};
/* clang-format on */

/* The signal that asks to stop; the storage looks at it between two pieces. */
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	/* A second time, or no end within the grace: something hangs (a dead network mount). What
	 * is written so far has no name, or the next run goes on from it. */
	if (stop)
		_exit(V_UNKNOWN);
	stop = number;
	(void)alarm(GRACE_S);
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
	if (common.timeout_s > 0)
		(void)alarm(common.timeout_s > UINT_MAX ? UINT_MAX : (unsigned)common.timeout_s);
}

/* kept: the next run finds what is here. */
static void explain_stop(bool kept, struct err *e)
{
	const char *rest = kept ? "the next run goes on from what is here" : "nothing was kept";

	if (stop == SIGALRM)
		(void)err_set(e, ERR_SYSTEM,
			      "not finished within %" PRIu64 " s, %s; allow more with --timeout",
			      common.timeout_s, rest);
	else if (stop)
		(void)err_set(e, ERR_SYSTEM, "stopped by signal %d; %s", (int)stop, rest);
}

static void show_progress(void *ctx, uint64_t bytes, int64_t total)
{
	progress_show(ctx, bytes, total);
}

/* Who reads the backup while it arrives is told of it. */
struct early_reader {
	struct stage *st;
	const struct storage *s;
	struct backup *b;
	bool told;
};

static void tell_early(void *ctx, const char *path, const char *becomes)
{
	struct early_reader *r = ctx;
	json_t *fields = describe_backup(r->s, r->b);

	json_object_set_new(fields, "path", record_string(path, strlen(path)));
	json_object_set_new(fields, "becomes", record_string(becomes, strlen(becomes)));
	stage_record(r->st, "arrival", fields);
	r->told = true;
}

/* The newest backup and how it is brought here. */
static int plan_newest(struct stage *st, struct source *from, struct fetch_plan *plan,
		       struct backup **newest, struct err *e)
{
	BUF_AUTO text = BUF_INIT(2048);

	if (config.dir == NULL && !storage_path(from->storage, "", &text))
		return err_set(
			e, ERR_USAGE,
			"fetch from %s: name a directory for the backup with --dir or WORK_DIR",
			storage_shown(from->storage));
	buf_reset(&text);
	if (source_load(from, &config.source, e) < 0 ||
	    identity_unprivileged(config.user, &plan->owner, e) < 0)
		return -1;
	*newest = from->catalog.newest;
	if (*newest == NULL) {
		catalog_explain_none(&from->catalog, from->storage, &text);
		return err_set(e, ERR_BACKUP, "%s", text.s);
	}
	kind_ask(from->storage, *newest);
	if (!config.listed)
		describe_doubts(st, &from->catalog);
	if (config.copy || !storage_path(from->storage, (*newest)->name, &text))
		plan->dir = config.dir;
	return 0;
}

/* Finds, fetches, reports. -1 with *e when there is nothing to report but that; *kept: the next run
 * can go on from it. */
static int fetch_newest(struct stage *st, struct source *from, bool *kept, struct err *e)
{
	struct early_reader reader = { .st = st, .s = from->storage };
	struct progress progress;
	struct fetch_plan plan = { .connections = (unsigned)config.connections,
				   .max_rate = config.max_rate,
				   .keyring = config.keyring,
				   .progress = progress_wanted() ? show_progress : NULL,
				   .progress_ctx = &progress };
	struct fetched fetched = { 0 };
	struct chainfetch chain = { .bytes = 0 };
	struct delivery d = { .from = from->storage, .fetched = &fetched, .chain = &chain };
	int rc;

	if (plan_newest(st, from, &plan, &reader.b, e) < 0)
		return -1;
	if (config.stream) {
		plan.arriving = tell_early;
		plan.arriving_ctx = &reader;
	}
	progress_begin(&progress);
	rc = fetch_backup(from->storage, &from->catalog, reader.b, &plan, &fetched, e);
	if (rc == 0 && plan.dir != NULL && reader.b->files > 0)
		rc = chainfetch_run(from->storage, fetched.path, &plan, &chain, e);
	progress_end(&progress);
	d.backup = reader.b;
	d.here = plan.dir == NULL;
	d.early = reader.told;
	if (rc == 0)
		delivery_say(st, &d);
	*kept = fetched.kept;
	fetched_free(&fetched);
	chainfetch_free(&chain);
	return rc;
}

static void check_limits(void)
{
	if (config.keyring && access(config.keyring, R_OK) < 0)
		tool_usage("--signature-keyring %s: %s", config.keyring, strerror(errno));
	if (config.copy && config.dir == NULL)
		tool_usage("name a directory for the copy with --dir or WORK_DIR");
	if (config.connections < 1 || config.connections > FETCH_CONNECTIONS_MAX)
		tool_usage("--connections is 1 to %d", FETCH_CONNECTIONS_MAX);
	if (config.max_rate > 0 && config.max_rate < FETCH_RATE_MIN)
		tool_usage("--max-rate is at least %d kB: slower ones look like a stall",
			   FETCH_RATE_MIN / 1000);
}

/* Which one is to be restored, by the program that keeps it: nothing to fetch. */
static int choose(struct stage *st, const char *source)
{
	const struct source_config *c = &config.source;
	const struct keeper_filter filter = { &c->match, &c->exclude, c->as_of_ms, c->nth };
	KEEPER_LIST_AUTO l = { 0 };
	KEEPER_AUTO k = { 0 };
	struct err e = { 0 };
	struct check check;
	json_t *fields;

	if (keeper_open(&k, source, &e) < 0 || keeper_list(&k, &filter, &l, &e) < 0)
		return stage_fail(st, "backup-download", "", &e);
	if (l.n == 0) {
		(void)err_set(&e, ERR_BACKUP, "%s", keeper_none(&l));
		return stage_fail(st, "backup-download", "", &e);
	}
	if (!config.listed)
		keeper_say_troubles(st, &l);
	fields = keeper_describe(&k, &l.v[l.n - 1]);
	json_object_set_new(fields, "newest", json_true());
	stage_record(st, "backup", fields);
	check_init(&check, "backup-download", "");
	check_say(&check, V_OK, "%s stays in the repository, for its own program to restore",
		  l.v[l.n - 1].name);
	check_metric_real(&check, "fetch_seconds", 0, "s");
	stage_check(st, &check);
	return stage_end(st);
}

int main(int argc, char **argv)
{
	const int first = tool_begin(&tool, argc, argv);
	const char *source = describe_source(argc, argv, first, config.source.source);
	struct storage_tally tally = { 0 };
	const struct storage_options limits = { .stop = &stop, .tally = &tally };
	SOURCE_AUTO from = { 0 };
	bool kept = false;
	struct err e = { 0 };
	struct stage st;

	check_limits();
	stage_begin(&st, &tool);
	if (keeper_claims(source))
		return choose(&st, source);
	catch_signals();
	if (source_open(&from, &config.source, source, &limits, &e) < 0 ||
	    fetch_newest(&st, &from, &kept, &e) < 0) {
		explain_stop(kept, &e);
		return stage_fail(&st, "backup-download", "", &e);
	}
	return stage_end(&st);
}
