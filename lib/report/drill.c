#include "lib/report/drill.h"

#include "lib/base/record.h"
#include "lib/report/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum drill_kind kind_of(const char *format)
{
	static const struct {
		const char *format;
		enum drill_kind kind;
	} kinds[] = {
		{ "plain", DRILL_SQL },          { "sql", DRILL_SQL },
		{ "pg_dumpall", DRILL_CLUSTER }, { "custom", DRILL_ARCHIVE },
		{ "directory", DRILL_ARCHIVE },  { "tar", DRILL_ARCHIVE },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(format, kinds[i].format) == 0)
			return kinds[i].kind;
	return *format ? DRILL_PHYSICAL : DRILL_ARCHIVE;
}

/* NAN when none of them was measured. */
static double sum_of(const json_t *run, const char *check, const char *const *metrics)
{
	double sum = (double)NAN;

	for (; *metrics; metrics++) {
		const double v = past_metric(run, check, *metrics);

		if (isfinite(v))
			sum = isfinite(sum) ? sum + v : v;
	}
	return sum;
}

static void take_times(struct drill *d, const json_t *run)
{
	static const char *const unpack[] = { "decrypt_seconds", "unpack_seconds", NULL };
	static const char *const restore[] = { "repository_seconds", "combine_seconds",
					       "consistent_seconds", "pre_data_seconds",
					       "data_seconds",       "post_data_seconds",
					       "replay_seconds",     NULL };

	d->fetch_s = past_metric(run, "backup-download", "fetch_seconds");
	d->unpack_s = sum_of(run, "restore-time", unpack);
	d->restore_s = sum_of(run, "restore-time", restore);
}

void drill_of(const json_t *run, struct drill *out)
{
	const json_t *backup = json_object_get(run, "backup");
	struct past_run figures = { .at_ms = 0 };

	*out = (struct drill){
		.known = run && past_run_of(run, &figures),
		.kind = kind_of(record_word(backup, "format")),
		.serial = strcmp(record_word(backup, "format"), "tar") == 0,
		.name = record_word(backup, "name"),
		.compression = record_word(backup, "compression"),
		.encryption = record_word(backup, "encryption"),
		.version = record_word(json_object_get(run, "instance"), "server_version"),
		.fetch_s = (double)NAN,
		.unpack_s = (double)NAN,
		.restore_s = (double)NAN,
		.rto_s = (double)NAN,
		.rpo_s = (double)NAN,
		.taken_ms = INT64_MIN,
	};
	if (!out->known)
		return;
	out->at_ms = figures.at_ms;
	out->verified = figures.verified;
	out->major = (int)strtol(out->version, NULL, 10);
	take_times(out, run);
	out->rto_s = figures.rto_s;
	out->rpo_s = figures.rpo_s;
	if (!record_time(backup, "taken_at", &out->taken_ms))
		(void)record_time(backup, "modified_at", &out->taken_ms);
	out->n_tables = tables_largest(json_object_get(run, "checks"), out->tables);
}
