/* list-backups: what backups a source holds, oldest first. */
#include "lib/base/human.h"
#include "lib/base/stage.h"
#include "lib/base/utc.h"
#include "lib/dump/sniff.h"
#include "lib/keeper/keeper.h"
#include "lib/physical/kind.h"
#include "lib/storage/describe.h"
#include "lib/storage/source.h"

#include <inttypes.h>

static struct source_config config = { SOURCE_DEFAULTS };
static struct range warning, critical;

/* clang-format off */
static const struct opt options[] = {
	SOURCE_OPTIONS(config),
	{ OPT_RANGE, 'w', "warning", "RANGE", &warning,
	  "Nagios range for the age of the newest in seconds: a warning outside it", NULL, false, NULL },
	{ OPT_RANGE, 'c', "critical", "RANGE", &critical,
	  "the same: critical outside it", NULL, false, NULL },
	OPT_TABLE_END,
};

static const struct tool tool = {
	.name = "list-backups",
	.what = "list the backups that a source holds, oldest first",
	.operands = "SOURCE",
	.description =
	"SOURCE is a file, a directory, a quoted glob, file:///PATH, http(s)://HOST/FILE, the index "
	"page of nginx or Apache https://HOST/DIRECTORY/, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX "
	"(endpoint, region and keys come from the usual AWS variables, profiles, roles and instances), "
	"azure://ACCOUNT/CONTAINER/PREFIX (AZURE_STORAGE_KEY and its like), or sftp://USER@HOST/PATH "
	"(below the home directory: /~/PATH), whose host key must be known; or a repository that only its "
	"own program can read: pgbackrest:STANZA or barman:SERVER, behind which ?config=FILE names its "
	"configuration, ?repo=N one of several repositories of pgBackRest; walg:FILE, or walg: for what "
	"the WALG_ variables or ~/.walg.json say; and, for root, ?user=NAME whom it is run as (postgres, "
	"barman); several of these are joined by &.\n\n"
	"One backup record is written for each. A directory that holds a directory-format dump or a "
	"base backup is one backup. Unfinished files (.tmp, .part, a leading dot ...), sidecars "
	"(.sha256, .asc, .json, .txt ...) and WAL are none. They are ordered by the time in their "
	"names, read as UTC, and where a name has none by modification time; when the two disagree by "
	"more than a day that is a warning (check name-time).\n\n"
	"Of a directory its own level is listed, and directories in it that have a date for a name; of "
	"S3 every key that begins with the prefix, or, where the prefix is a folder, all that lies in "
	"it.\n\n"
	"What is called latest, current or newest only stands for a backup when it is a symbolic link "
	"beside it, a copy of it, or a text with its name: it is not listed, but followed where it is "
	"the SOURCE, and when it stands for an old backup or for none, that is a warning (check "
	"latest-pointer).\n\n"
	"A base backup that builds on another one (pg_basebackup --incremental) has the type incr; of a "
	"set of tars the beginning of backup_manifest tells.\n\n"
	"Of a repository the program's own catalogue is listed: type (full, diff, incr) and the backup "
	"it builds on, bytes as what it takes in the repository, database_bytes as what it restores to. "
	"A backup that failed is not listed, but is a warning when it is the last one (check "
	"repository).\n\n"
	"Looked and found no backup: critical. Could not look: unknown.",
	.examples =
	"list-backups /var/backups/shop\n"
	"What is in a directory.\n"
	"list-backups --match '*.dump' s3://backups/shop/ | size-trend | emit-report\n"
	"Have the sizes grown as they should?\n"
	"list-backups --nagios -c 93600 https://backup.example.com/shop/\n"
	"As a monitoring plugin: critical when the newest is older than 26 hours.\n"
	"list-backups pgbackrest:shop | check-freshness --max-age 26h\n"
	"Is there a backup of today in pgBackRest's repository?",
	.see_also = "check-repository(1), emit-report(1), fetch-latest(1), size-trend(1)",
	.options = options,
	.source = true,
};
/* clang-format on */

/* What a listing comes to. */
struct overview {
	uint64_t n;
	int64_t total;      /* bytes */
	const char *newest; /* borrowed; NULL: there is none */
	int64_t at_ms;      /* the moment of the newest; -1: not known */
};

static void add_bytes(struct overview *o, int64_t bytes)
{
	o->n++;
	if (bytes > 0 && __builtin_add_overflow(o->total, bytes, &o->total))
		o->total = INT64_MAX;
}

/* none: why there is no backup. */
static void judge(struct stage *st, const struct overview *o, const char *none)
{
	char count[HUMAN_SIZE], moment[UTC_SIZE] = "an unknown time";
	struct check check;

	check_init(&check, "listing", "");
	check_metric_int(&check, "backups", (int64_t)o->n, "");
	check_metric_int(&check, "total_bytes", o->total, "B");
	if (o->newest == NULL) {
		check_say(&check, V_CRITICAL, "%s", none);
		stage_check(st, &check);
		return;
	}
	if (o->at_ms >= 0)
		(void)utc_human(o->at_ms, moment);
	check_say(&check, V_OK, "%s %s, newest %s of %s", human_count((int64_t)o->n, count),
		  o->n == 1 ? "backup" : "backups", o->newest, moment);
	if (o->at_ms >= 0) {
		double age_s = (double)(utc_now_ms() - o->at_ms) / 1000;

		check_metric_real(&check, "newest_age_seconds", age_s, "s");
		check_ranges(&check, &warning, &critical, age_s);
	} else if (warning.set || critical.set) {
		check_say(&check, V_UNKNOWN, "nothing tells the age of %s", o->newest);
	}
	stage_check(st, &check);
}

/* One backup after the other. */
struct listing {
	struct stage *st;
	struct storage *s;
	struct overview overview;
};

/* Next to nothing is read of it: how it is encrypted is what its name says. */
static int list(void *ctx, struct backup *b, struct err *e)
{
	struct listing *l = ctx;
	const char *encryption = sniff_encryption_named(b->name);
	struct storage_stat now;
	json_t *fields;

	/* Index pages may round sizes: the server knows them. */
	if (b->bytes < 0 && b->files == 0) {
		if (storage_stat(l->s, b->name, &now, e) < 0)
			return -1;
		b->bytes = now.bytes;
	}
	kind_ask(l->s, b);
	add_bytes(&l->overview, b->bytes);
	fields = describe_backup(l->s, b);
	if (encryption)
		json_object_set_new(fields, "encryption", json_string(encryption));
	stage_record(l->st, "backup", fields);
	return 0;
}

static int list_storage(struct stage *st, const char *source)
{
	const struct storage_options limits = { 0 };
	struct listing l = { .st = st, .overview = { .at_ms = -1 } };
	BUF_AUTO none = BUF_INIT(2048);
	SOURCE_AUTO from = { 0 };
	struct err e = { 0 };

	if (source_open(&from, &config, source, &limits, &e) < 0 ||
	    source_load(&from, &config, &e) < 0)
		return stage_fail(st, "listing", "", &e);
	l.s = from.storage;
	if (catalog_each(&from.catalog, list, &l, &e) < 0)
		return stage_fail(st, "listing", "", &e);
	if (from.catalog.newest) {
		l.overview.newest = from.catalog.newest->name;
		l.overview.at_ms = select_moment(from.catalog.newest);
	} else {
		catalog_explain_none(&from.catalog, from.storage, &none);
	}
	judge(st, &l.overview, none.s);
	describe_doubts(st, &from.catalog);
	return stage_end(st);
}

static int list_keeper(struct stage *st, const char *source)
{
	const struct keeper_filter filter = { &config.match, &config.exclude, config.as_of_ms,
					      config.nth };
	struct overview o = { .at_ms = -1 };
	KEEPER_LIST_AUTO l = { 0 };
	KEEPER_AUTO k = { 0 };
	struct err e = { 0 };

	if (keeper_open(&k, source, &e) < 0 || keeper_list(&k, &filter, &l, &e) < 0)
		return stage_fail(st, "listing", "", &e);
	for (size_t i = 0; i < l.n; i++) {
		add_bytes(&o, l.v[i].bytes);
		o.newest = l.v[i].name;
		o.at_ms = l.v[i].stopped_ms;
		stage_record(st, "backup", keeper_describe(&k, &l.v[i]));
	}
	judge(st, &o, keeper_none(&l));
	keeper_say_troubles(st, &l);
	return stage_end(st);
}

int main(int argc, char **argv)
{
	const int first = tool_begin(&tool, argc, argv);
	const char *source = describe_source(argc, argv, first, config.source);
	struct stage st;

	stage_begin(&st, &tool);
	return keeper_claims(source) ? list_keeper(&st, source) : list_storage(&st, source);
}
