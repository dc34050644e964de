#include "lib/report/prometheus.h"

#include "lib/base/record.h"
#include "lib/base/text.h"
#include "lib/report/rows.h"

#include <math.h>
#include <string.h>

enum { PIECE_MAX = 256 * 1024 };

static void add_label(const char *name, const char *value, struct buf *out)
{
	BUF_AUTO safe = BUF_INIT(PIECE_MAX);

	text_safe(&safe, value);
	buf_addf(out, "%s=\"", name);
	for (const char *p = safe.s; *p; p++) {
		if (*p == '\\' || *p == '"')
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	buf_addc(out, '"');
}

static void add_head(const char *family, const char *help, struct buf *out)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n", family, help, family);
}

/* family{database="...": what follows is the caller's. */
static void open_sample(const struct summary *s, const char *family, struct buf *out)
{
	buf_addf(out, "%s{", family);
	add_label("database", s->label, out);
}

/* A family of one sample; none where there is no value. */
static void add_one(const struct summary *s, const char *family, const char *help, double value,
		    struct buf *out)
{
	if (!isfinite(value))
		return;
	add_head(family, help, out);
	open_sample(s, family, out);
	buf_addf(out, "} %.15g\n", value);
}

static double seconds_of(const json_t *object, const char *field)
{
	int64_t ms;

	return record_time(object, field, &ms) ? (double)ms / 1000 : (double)NAN;
}

static double last_verified(const struct summary *s, const struct past *past)
{
	if (summary_verified(s))
		return (double)s->ended_ms / 1000;
	/* Never, as far as is known: an alert on its age must go off. */
	return past->verified_ms == INT64_MIN ? 0 : (double)past->verified_ms / 1000;
}

static void add_run(const struct summary *s, const struct past *past, struct buf *out)
{
	double bytes = (double)NAN;

	(void)record_real(s->backup, "bytes", &bytes);
	add_one(s, "backup_run_timestamp_seconds", "Unix time at which the last run ended.",
		(double)s->ended_ms / 1000, out);
	add_one(s, "backup_run_duration_seconds", "Duration of the last run.",
		(double)(s->ended_ms - s->started_ms) / 1000, out);
	add_one(s, "backup_run_status",
		"Verdict of the last run: 0 ok, 1 warning, 2 critical, 3 unknown.",
		(double)s->status, out);
	add_one(s, "backup_verified",
		"Whether the last run restored and verified a backup (1) or not (0).",
		summary_verified(s), out);
	add_one(s, "backup_last_verified_timestamp_seconds",
		"Unix time of the last run that verified a backup; 0 when none is known.",
		last_verified(s, past), out);
	add_one(s, "backup_size_bytes", "Size of the backup that the last run was about.", bytes,
		out);
	add_one(s, "backup_taken_timestamp_seconds", "Unix time in the name of that backup.",
		seconds_of(s->backup, "taken_at"), out);
	add_one(s, "backup_recovery_point_timestamp_seconds",
		"Unix time of the moment that the restored backup shows.",
		seconds_of(s->instance, "recovery_point"), out);
}

static void add_counts(const struct summary *s, struct buf *out)
{
	static const char family[] = "backup_checks";

	add_head(family, "Checks of the last run by their status.", out);
	for (int v = V_OK; v <= V_UNKNOWN; v++) {
		open_sample(s, family, out);
		buf_addf(out, ",status=\"%s\"} %zu\n", verdict_name((enum verdict)v), s->counts[v]);
	}
}

static void add_tools(const struct summary *s, struct buf *out)
{
	static const char family[] = "backup_tool_duration_seconds";

	add_head(family, "Duration of each tool of the last run that ended.", out);
	for (size_t i = 0; i < s->n_tools; i++) {
		const struct summary_tool *t = &s->tools[i];

		if (t->ended == 0 || t->ended < t->begun)
			continue;
		open_sample(s, family, out);
		buf_addc(out, ',');
		add_label("tool", t->name, out);
		buf_addf(out, "} %.15g\n", t->seconds);
	}
}

/* family{database,check,subject}, which is the key of a sample. */
static void key_of(const struct summary *s, const char *family, const json_t *check,
		   struct buf *out)
{
	open_sample(s, family, out);
	buf_addc(out, ',');
	add_label("check", record_word(check, "check"), out);
	buf_addc(out, ',');
	add_label("subject", record_word(check, "subject"), out);
	buf_addc(out, '}');
}

static bool ends_in(const char *s, const char *end)
{
	const size_t len = strlen(s), n = strlen(end);

	return len >= n && strcmp(s + len - n, end) == 0;
}

/* What promtool takes for another type of metric, or for a unit cut short. */
static bool is_reserved(const char *name)
{
	static const char *const ends[] = { "_total",   "_count", "_sum",       "_bucket",  "_info",
					    "_counter", "_gauge", "_histogram", "_summary", "_s",
					    "_ms",      "_us",    "_ns",        "_sec",     "_b",
					    "_kb",      "_mb",    "_gb",        "_tb",      "_pb",
					    "_m",       "_h",     "_d" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_in(name, ends[i]))
			return true;
	return false;
}

void prometheus_name(const char *metric, const char *unit, struct buf *out)
{
	static const struct {
		const char *unit, *end;
	} units[] = { { "s", "_seconds" }, { "B", "_bytes" }, { "ratio", "_ratio" } };
	BUF_AUTO name = BUF_INIT(PIECE_MAX);

	buf_adds(&name, "backup_probe_");
	for (const char *p = metric; *p; p++) {
		const char small = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
		const bool plain = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');

		buf_addc(&name, (char)(plain ? small : '_'));
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].unit) == 0 && !ends_in(name.s, units[i].end))
			buf_adds(&name, units[i].end);
	if (is_reserved(name.s))
		buf_adds(&name, "_value");
	buf_add(out, name.s, name.len);
}

/* Takes the sample into family -> key -> value; of two with the same key the first stays. */
static void take_metric(const struct summary *s, const json_t *check, const json_t *metric,
			json_t *families)
{
	BUF_AUTO family = BUF_INIT(PIECE_MAX), key = BUF_INIT(PIECE_MAX);
	json_t *samples;
	double v;

	if (!record_real(metric, "value", &v))
		return;
	prometheus_name(record_word(metric, "name"), record_word(metric, "unit"), &family);
	key_of(s, family.s, check, &key);
	samples = json_object_get(families, family.s);
	if (samples == NULL) {
		samples = json_object();
		json_object_set_new(families, family.s, samples);
	}
	if (json_object_get(samples, key.s) == NULL)
		json_object_set_new(samples, key.s, json_real(v));
}

/* The worst status of a key. */
static void take_status(const struct summary *s, const struct row *row, json_t *samples)
{
	BUF_AUTO key = BUF_INIT(PIECE_MAX);
	const json_t *known;
	enum verdict v = row->status;

	key_of(s, "backup_check_status", row->check, &key);
	known = json_object_get(samples, key.s);
	if (known)
		v = verdict_worst(v, (enum verdict)json_integer_value(known));
	json_object_set_new(samples, key.s, json_integer(v));
}

static void add_samples(json_t *samples, struct buf *out)
{
	const char *key;
	json_t *v;

	json_object_foreach(samples, key, v)
		buf_addf(out, "%s %.15g\n", key, json_number_value(v));
}

static void add_checks(const struct summary *s, struct buf *out)
{
	JSON_AUTO *families = json_object(), *statuses = json_object();
	struct rows rows;
	const char *family;
	json_t *samples, *metric;
	size_t m;

	rows_table(s, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		if (rows.v[i].check == NULL)
			continue;
		take_status(s, &rows.v[i], statuses);
		json_array_foreach(json_object_get(rows.v[i].check, "metrics"), m, metric)
			take_metric(s, rows.v[i].check, metric, families);
	}
	rows_free(&rows);
	add_head("backup_check_status",
		 "Status of a check of the last run: 0 ok, 1 warning, 2 critical, 3 unknown.", out);
	add_samples(statuses, out);
	json_object_foreach(families, family, samples) {
		add_head(family, "What a check of the last run measured.", out);
		add_samples(samples, out);
	}
}

void prometheus_report(const struct summary *s, const struct past *past, struct buf *out)
{
	add_run(s, past, out);
	add_counts(s, out);
	add_tools(s, out);
	add_checks(s, out);
}
