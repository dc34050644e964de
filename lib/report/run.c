#include "lib/report/run.h"

#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/report/performer.h"

#include <string.h>

enum { FORMAT_VERSION = 1 };

/* The named fields of from, where it has them. */
static json_t *pick(const json_t *from, const char *const *fields)
{
	json_t *out = json_object();

	for (; *fields; fields++) {
		json_t *v = json_object_get(from, *fields);

		if (v)
			json_object_set(out, *fields, v);
	}
	return out;
}

static json_t *check_fields(const json_t *check)
{
	static const char *const fields[] = { "tool",     "check",   "subject",
					      "status",   "summary", "observed",
					      "expected", "metrics", NULL };

	return pick(check, fields);
}

static json_t *backup_fields(const json_t *backup)
{
	static const char *const fields[] = { "source",      "name",           "format",
					      "compression", "encryption",     "bytes",
					      "sha256",      "taken_at",       "modified_at",
					      "type",        "database_bytes", NULL };

	return pick(backup, fields);
}

static json_t *instance_fields(const json_t *instance)
{
	static const char *const fields[] = { "server_version", "databases", "recovery_point",
					      "durability", NULL };

	return pick(instance, fields);
}

static size_t size_of(const json_t *v)
{
	return json_dumpb(v, NULL, 0, JSON_COMPACT) + 1;
}

static bool is_ok(const json_t *check)
{
	const char *status = record_text(check, "status");

	return status && strcmp(status, verdict_name(V_OK)) == 0;
}

/* The checks in stream order, or as many as fit with those that are not ok first. */
static json_t *checks_of(const struct summary *s, size_t max, size_t *left_out)
{
	json_t *all = json_array(), *fitting = json_array(), *check;
	size_t i, size = 0;

	json_array_foreach(s->checks, i, check) {
		json_t *fields = check_fields(check);

		size += size_of(fields);
		json_array_append_new(all, fields);
	}
	*left_out = summary_checks(s) - json_array_size(all);
	if (size <= max) {
		json_decref(fitting);
		return all;
	}
	size = 0;
	for (int ok = 0; ok <= 1; ok++) {
		json_array_foreach(all, i, check) {
			if (is_ok(check) != ok)
				continue;
			size += size_of(check);
			if (size <= max)
				json_array_append(fitting, check);
			else
				++*left_out;
		}
	}
	json_decref(all);
	return fitting;
}

static json_t *stages_of(const struct summary *s)
{
	json_t *out = json_array();

	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];
		json_t *o = json_object();

		if (t->begun + t->ended == 0) {
			json_decref(o);
			continue;
		}
		json_object_set_new(o, "tool", json_string(t->name));
		if (t->ended >= t->begun) {
			json_object_set_new(o, "status", json_string(verdict_name(t->said)));
			json_object_set_new(o, "seconds", json_real(t->seconds));
		}
		json_array_append_new(out, o);
	}
	return out;
}

static void set_time(json_t *o, const char *field, int64_t ms)
{
	char text[UTC_SIZE];

	json_object_set_new(o, field, json_string(utc_format(ms, text)));
}

static void set_metric(json_t *o, const char *field, const struct summary *s, const char *check)
{
	double v;

	if (summary_metric(s, check, field, &v))
		json_object_set_new(o, field, json_real(v));
}

static json_t *drill_fields(const struct summary_drill *drill)
{
	json_t *o = json_object();

	record_set_text(o, "performed_by", drill->performed_by);
	record_set_text(o, "note", drill->note);
	return o;
}

static void set_head(json_t *o, const struct summary *s)
{
	json_object_set_new(o, "record", json_string("run"));
	json_object_set_new(o, "v", json_integer(FORMAT_VERSION));
	json_object_set_new(o, "run", json_string(s->run));
	if (s->label[0])
		json_object_set_new(o, "label", json_string(s->label));
	set_time(o, "at", s->ended_ms);
	set_time(o, "started_at", s->started_ms);
	json_object_set_new(o, "seconds", json_real((double)(s->ended_ms - s->started_ms) / 1000));
	json_object_set_new(o, "status", json_string(verdict_name(s->status)));
	json_object_set_new(o, "verified", json_boolean(summary_verified(s)));
	if (s->host[0])
		json_object_set_new(o, "host", record_string(s->host, strlen(s->host)));
	json_object_set_new(o, "performed", performer_object(s->host));
	if (s->drill.is)
		json_object_set_new(o, "drill", drill_fields(&s->drill));
}

json_t *run_object(const struct summary *s, size_t max)
{
	json_t *o = json_object();
	json_t *counts = json_object();
	size_t left_out;

	set_head(o, s);
	for (int v = V_OK; v <= V_UNKNOWN; v++)
		json_object_set_new(counts, verdict_name((enum verdict)v),
				    json_integer((json_int_t)s->counts[v]));
	json_object_set_new(o, "counts", counts);
	set_metric(o, "rto_seconds", s, "verified-rto");
	set_metric(o, "rpo_seconds", s, "verified-rpo");
	if (s->backup)
		json_object_set_new(o, "backup", backup_fields(s->backup));
	if (s->instance)
		json_object_set_new(o, "instance", instance_fields(s->instance));
	json_object_set_new(o, "stages", stages_of(s));
	json_object_set_new(o, "checks", checks_of(s, max, &left_out));
	if (left_out)
		json_object_set_new(o, "checks_left_out", json_integer((json_int_t)left_out));
	return o;
}
