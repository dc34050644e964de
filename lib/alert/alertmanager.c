#include "lib/alert/alertmanager.h"

#include "lib/base/utc.h"

#include <string.h>

enum { LABEL_MOST = 256, SUMMARY_MOST = 1024, LISTED = 20 };

static json_t *one_line(const char *s, size_t most)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);

	alert_text(&b, s, most);
	return json_string(b.s);
}

/* The failing checks, a line each. */
static json_t *description(const struct alert *a)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);
	size_t i, n = json_array_size(a->failing);
	const json_t *check;

	json_array_foreach(a->failing, i, check) {
		if (i == LISTED) {
			buf_addf(&b, "and %zu more\n", n - i);
			break;
		}
		alert_line(&b, check);
		buf_addc(&b, '\n');
	}
	return json_stringn(b.s, b.len);
}

static json_t *annotations(const struct alert *a)
{
	json_t *o = json_object();

	json_object_set_new(o, "summary", one_line(a->headline, SUMMARY_MOST));
	if (json_array_size(a->failing) > 0)
		json_object_set_new(o, "description", description(a));
	if (a->runbook_url)
		json_object_set_new(o, "runbook_url", json_string(a->runbook_url));
	return o;
}

static json_t *alert_of(const struct alert *a, enum verdict severity, int64_t ends_ms)
{
	int64_t starts_ms = a->since_ms && a->since_ms < a->at_ms ? a->since_ms : a->at_ms;
	char at[UTC_SIZE];
	json_t *o = json_pack(
		"{s:{s:s, s:o, s:o, s:s}, s:o}", "labels", "alertname",
		a->kind == ALERT_TEST ? "BackupProbesTest" : "BackupVerificationFailed", "database",
		one_line(a->label, LABEL_MOST), "check", one_line(a->topic, LABEL_MOST), "severity",
		verdict_name(severity), "annotations", annotations(a));

	json_object_set_new(o, "startsAt", json_string(utc_format(starts_ms, at)));
	json_object_set_new(o, "endsAt", json_string(utc_format(ends_ms, at)));
	if (a->report_url)
		json_object_set_new(o, "generatorURL", json_string(a->report_url));
	return o;
}

json_t *alertmanager_compose(const struct alert *a, uint64_t ttl_s)
{
	static const enum verdict severities[] = { V_CRITICAL, V_UNKNOWN, V_WARNING };
	int64_t far_ms = a->at_ms + (int64_t)ttl_s * 1000;
	json_t *alerts = json_array();

	if (a->kind == ALERT_TEST)
		json_array_append_new(alerts, alert_of(a, V_WARNING, a->at_ms + 60 * 1000));
	for (size_t i = 0; i < 3 && a->kind != ALERT_TEST; i++) {
		bool firing = a->kind != ALERT_RESOLVE && severities[i] == a->verdict;

		json_array_append_new(alerts,
				      alert_of(a, severities[i], firing ? far_ms : a->at_ms));
	}
	return json_pack("{s:o}", "alerts", alerts);
}
