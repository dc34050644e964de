#include "lib/report/summary.h"

#include "lib/base/check.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char sink[] = "emit-report";

void summary_init(struct summary *s)
{
	*s = (struct summary){
		.checks = json_array(),
		.others = json_array(),
		.started_ms = INT64_MAX,
		.status = V_CRITICAL,
	};
}

void summary_free(struct summary *s)
{
	json_decref(s->checks);
	json_decref(s->others);
	json_decref(s->backup);
	json_decref(s->instance);
	for (size_t i = 0; i < s->n_tools; i++)
		free(s->tools[i].name);
	free(s->tools);
	*s = (struct summary){ 0 };
}

size_t summary_checks(const struct summary *s)
{
	return s->counts[V_OK] + s->counts[V_WARNING] + s->counts[V_CRITICAL] +
	       s->counts[V_UNKNOWN];
}

/* NULL when there are too many. */
static struct summary_tool *tool_of(struct summary *s, const char *name)
{
	for (size_t i = 0; i < s->n_tools; i++)
		if (strcmp(s->tools[i].name, name) == 0)
			return &s->tools[i];
	if (s->n_tools == SUMMARY_TOOLS) {
		s->more_tools = true;
		return NULL;
	}
	s->tools = xrealloc(s->tools, s->n_tools + 1, sizeof(*s->tools));
	s->tools[s->n_tools] = (struct summary_tool){ .name = xstrdup(name), .counted = true };
	return &s->tools[s->n_tools++];
}

static void take_stage(struct summary *s, const json_t *record)
{
	const char *event = record_word(record, "event");
	struct summary_tool *t = tool_of(s, record_word(record, "tool"));
	enum verdict v;
	int64_t at, checks;
	double seconds;

	if (record_time(record, "at", &at) && at < s->started_ms)
		s->started_ms = at;
	if (t == NULL)
		return;
	if (strcmp(event, "begin") == 0)
		t->begun++;
	if (strcmp(event, "end") != 0)
		return;
	t->ended++;
	(void)verdict_parse(record_text(record, "status"), &v);
	t->said = verdict_worst(t->said, v);
	if (record_real(record, "seconds", &seconds) && seconds > 0)
		t->seconds += seconds;
	if (record_int(record, "checks", &checks) && checks >= 0)
		t->said_checks += (uint64_t)checks;
	else
		t->counted = false;
}

static void count(struct summary *s, enum verdict v)
{
	s->status = summary_checks(s) ? verdict_worst(s->status, v) : v;
	s->counts[v]++;
}

static void keep(struct summary *s, json_t *check, enum verdict v)
{
	const size_t ok = s->counts[V_OK] - s->left_out[V_OK];
	const size_t kept = json_array_size(s->checks);

	if ((v == V_OK ? ok : kept - ok) >= SUMMARY_KEPT)
		s->left_out[v]++;
	else
		json_array_append(s->checks, check);
}

static void take_check(struct summary *s, json_t *check)
{
	struct summary_tool *t = tool_of(s, record_word(check, "tool"));
	enum verdict v;

	(void)verdict_parse(record_text(check, "status"), &v);
	if (t) {
		t->seen = verdict_worst(t->seen, v);
		t->seen_checks++;
	}
	keep(s, check, v);
	count(s, v);
}

static void replace(json_t **kept, json_t *by)
{
	json_decref(*kept);
	*kept = json_incref(by);
}

static void keep_other(struct summary *s, json_t *record)
{
	if (s->n_others++ < SUMMARY_OTHERS)
		json_array_append(s->others, record);
}

static void adopt(char to[SUMMARY_TEXT], const char *s)
{
	if (to[0] == '\0' && strlen(s) < SUMMARY_TEXT)
		memcpy(to, s, strlen(s) + 1);
}

void summary_take(struct summary *s, json_t *record)
{
	const char *kind = record_word(record, "record");

	s->records++;
	adopt(s->run, record_word(record, "run"));
	adopt(s->label, record_word(record, "label"));
	if (strcmp(kind, "stage") == 0)
		take_stage(s, record);
	else if (strcmp(kind, "check") == 0)
		take_check(s, record);
	else if (strcmp(kind, "backup") == 0 && record_true(record, "newest"))
		replace(&s->backup, record);
	else if (strcmp(kind, "instance") == 0)
		replace(&s->instance, record);
	else if (*kind && strcmp(kind, "backup") != 0)
		keep_other(s, record);
}

void summary_take_own(struct summary *s, const struct stage *st)
{
	json_t *check;
	size_t i;

	json_array_foreach(st->kept, i, check) {
		json_object_set_new(check, "record", json_string("check"));
		json_object_set_new(check, "tool", json_string(st->tool->name));
		summary_take(s, check);
	}
}

void summary_find(struct summary *s, const char *name, const char *subject, enum verdict status,
		  const char *fmt, ...)
{
	char sentence[1024];
	struct check c;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	check_init(&c, name, subject);
	check_say(&c, status, "%s", sentence);
	check_field(&c, "record", json_string("check"));
	check_field(&c, "tool", json_string(sink));
	keep(s, c.object, status);
	count(s, status);
	check_drop(&c);
}

/* What a tool's own records say about each other. */
static void judge_tool(struct summary *s, const struct summary_tool *t)
{
	if (t->begun > t->ended)
		summary_find(s, "stage", t->name, V_CRITICAL,
			     "began and did not end: it was killed, or its records were cut off");
	if (t->ended && verdict_worst(t->said, t->seen) != t->seen)
		summary_find(s, "stage", t->name, t->said,
			     "ended with status %s, which none of its checks shows",
			     verdict_name(t->said));
	if (t->ended && t->counted && t->begun == t->ended && t->said_checks > t->seen_checks)
		summary_find(
			s, "stage", t->name, V_UNKNOWN, "wrote %llu checks, of which %llu arrived",
			(unsigned long long)t->said_checks, (unsigned long long)t->seen_checks);
}

static void judge_expected(struct summary *s, const char *name)
{
	for (size_t i = 0; i < s->n_tools; i++)
		if (strcmp(s->tools[i].name, name) == 0 && s->tools[i].begun)
			return;
	summary_find(s, "stage", name, V_CRITICAL, "was expected and never began");
}

void summary_finish(struct summary *s, const struct strv *tools, const struct strv *restored,
		    int64_t now_ms)
{
	const bool nothing = summary_checks(s) == 0;

	s->ended_ms = now_ms;
	if (s->started_ms > now_ms)
		s->started_ms = now_ms;
	for (size_t i = 0; i < s->n_tools; i++)
		judge_tool(s, &s->tools[i]);
	for (size_t i = 0; i < tools->n; i++)
		judge_expected(s, tools->v[i]);
	for (size_t i = 0; s->instance && restored && i < restored->n; i++)
		judge_expected(s, restored->v[i]);
	if (s->more_tools)
		summary_find(s, "stage", "", V_UNKNOWN, "more than %d tools wrote records",
			     SUMMARY_TOOLS);
	if (s->records == 0)
		summary_find(s, "stream", "", V_CRITICAL,
			     "no record arrived: nothing before this tool ran");
	else if (nothing)
		summary_find(s, "stream", "", V_UNKNOWN, "nothing was checked");
}

bool summary_restored(const struct summary *s)
{
	const json_t *check;
	size_t i;

	json_array_foreach(s->checks, i, check)
		if (strcmp(record_word(check, "check"), "restore") == 0)
			return true;
	return false;
}

bool summary_verified(const struct summary *s)
{
	return (s->status == V_OK || s->status == V_WARNING) && summary_restored(s);
}

static bool metric_of(const json_t *check, const char *metric, double *out)
{
	const json_t *metrics = json_object_get(check, "metrics"), *m;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (strcmp(record_word(m, "name"), metric) == 0)
			return record_real(m, "value", out) && isfinite(*out);
	return false;
}

bool summary_metric(const struct summary *s, const char *check, const char *metric, double *out)
{
	for (size_t i = json_array_size(s->checks); i > 0; i--) {
		const json_t *c = json_array_get(s->checks, i - 1);

		if (strcmp(record_word(c, "check"), check) == 0)
			return metric_of(c, metric, out);
	}
	return false;
}
