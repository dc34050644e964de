#include "lib/restore/outcome.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>

static json_t *names(const struct strv *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(a, record_string(l->v[i], strlen(l->v[i])));
	return a;
}

static void say_instance(const struct outcome *o)
{
	const bool fast = o->job->durability == CLUSTER_FAST;
	BUF_AUTO conninfo = BUF_INIT(PATH_MAX + 1024);
	json_t *j = json_object();
	char at[UTC_SIZE];

	(void)cluster_conninfo(o->cluster, o->database, &conninfo);
	json_object_set_new(j, "conninfo", record_string(conninfo.s, conninfo.len));
	json_object_set_new(j, "server_version", json_string(o->cluster->opts.bin->version));
	json_object_set_new(j, "database", record_string(o->database, strlen(o->database)));
	json_object_set_new(j, "databases", names(o->databases));
	if (o->has_point) {
		json_object_set_new(j, "recovery_point", json_string(utc_format(o->point_ms, at)));
		json_object_set_new(j, "recovery_point_by", json_string(o->point_by));
	}
	json_object_set_new(j, "durability", json_string(fast ? "fast" : "faithful"));
	json_object_set_new(j, "depth", json_string(o->rows_only ? "data" : "full"));
	json_object_set_new(j, "data_directory",
			    record_string(o->cluster->data, strlen(o->cluster->data)));
	stage_record(o->st, "instance", j);
}

/* What sort of server it took that long. */
static const char *how(const struct outcome *o)
{
	if (o->job->durability == CLUSTER_FAST)
		return "without waiting for the disk";
	return o->job->settings ? "durably, with production's settings"
				: "durably, with a new server's settings";
}

static void say_time(const struct outcome *o)
{
	BUF_AUTO b = BUF_INIT(1024);
	struct check c;

	check_init(&c, "restore-time", "");
	phases_metrics(o->phases, &c);
	phases_text(o->phases, &b);
	buf_addf(&b, ", %s", how(o));
	if (o->rows_only)
		buf_adds(&b, "; tables and rows only: no measure of a recovery");
	check_say(&c, V_OK, "%s", b.s);
	stage_check(o->st, &c);
}

static void say_rto(const struct outcome *o)
{
	double rto_s = phases_total_s(o->phases);
	uint64_t target_s = o->job->rto_target_s;
	char took[HUMAN_SIZE], target[HUMAN_SIZE], crit[32];
	struct check c;

	check_init(&c, "verified-rto", "");
	check_metric_real(&c, "rto_seconds", rto_s, "s");
	(void)human_duration(rto_s, took);
	if (target_s) {
		(void)snprintf(crit, sizeof(crit), "%ju", (uintmax_t)target_s);
		check_metric_limits(&c, NULL, crit);
	}
	if (o->how == OUTCOME_FAILED)
		check_say(&c, V_UNKNOWN, "not verified: the restore did not succeed (it took %s)",
			  took);
	else if (o->how == OUTCOME_PART)
		check_say(&c, V_WARNING, "not verified: a part was left out (the rest took %s)",
			  took);
	else if (target_s == 0)
		check_say(&c, V_OK, "%s (no target), %s", took, how(o));
	else
		check_say(&c, rto_s > (double)target_s ? V_CRITICAL : V_OK, "%s (target %s), %s",
			  took, human_duration((double)target_s, target), how(o));
	stage_check(o->st, &c);
}

void outcome_say(const struct outcome *o)
{
	say_instance(o);
	say_time(o);
	if (!o->rows_only)
		say_rto(o);
}
