#include "lib/alert/story.h"

#include "lib/alert/alert.h"
#include "lib/alert/state.h"
#include "lib/base/xmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ended_check[] = "stage-ended", stream_check[] = "stream";

void story_begin(struct story *s)
{
	*s = (struct story){ .checks = json_array(),
			     .open = json_object(),
			     .ended = json_object() };
}

void story_free(struct story *s)
{
	json_decref(s->checks);
	json_decref(s->open);
	json_decref(s->ended);
	*s = (struct story){ 0 };
}

static void count(json_t *tools, const char *tool, int by)
{
	json_int_t n = json_integer_value(json_object_get(tools, tool)) + by;

	json_object_set_new(tools, tool, json_integer(n > 0 ? n : 0));
}

void story_add(struct story *s, const struct record *r)
{
	const char *tool = record_text(r->object, "tool");
	const char *event = record_text(r->object, "event");

	s->records++;
	if (strcmp(r->kind, "check") == 0)
		json_array_append(s->checks, r->object);
	if (strcmp(r->kind, "stage") != 0 || tool == NULL || event == NULL)
		return;
	if (strcmp(event, "begin") == 0)
		count(s->open, tool, 1);
	if (strcmp(event, "end") == 0) {
		count(s->open, tool, -1);
		count(s->ended, tool, 1);
	}
}

static enum verdict status_of(const json_t *check)
{
	const char *word = record_text(check, "status");
	enum verdict v = V_UNKNOWN;

	if (word)
		(void)verdict_parse(word, &v);
	return v;
}

static void add_own(struct story *s, const char *check, const char *tool, enum verdict status,
		    const char *summary)
{
	json_array_append_new(s->checks,
			      json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "record", "check", "tool",
					tool, "check", check, "subject", tool, "status",
					verdict_name(status), "summary", summary));
}

static void worst_first(struct story *s)
{
	static const enum verdict order[] = { V_CRITICAL, V_UNKNOWN, V_WARNING, V_OK };
	json_t *sorted = json_array();
	const json_t *check;
	size_t i;

	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		json_array_foreach(s->checks, i, check) {
			if (status_of(check) == order[k])
				json_array_append(sorted, json_array_get(s->checks, i));
		}
	json_decref(s->checks);
	s->checks = sorted;
	s->verdict = json_array_size(sorted) ? status_of(json_array_get(sorted, 0)) : V_CRITICAL;
}

void story_finish(struct story *s)
{
	const char *tool;
	json_t *n;

	json_object_foreach(s->open, tool, n) {
		BUF_AUTO text = BUF_INIT(1024);

		if (json_integer_value(n) == 0)
			continue;
		buf_addf(&text, "%.200s began and did not end: it died, or was killed", tool);
		add_own(s, ended_check, tool, V_CRITICAL, text.s);
	}
	if (json_array_size(s->checks) == 0)
		add_own(s, stream_check, "", V_CRITICAL,
			s->records ? "nothing was checked" : "no record arrived: nothing ran");
	worst_first(s);
}

void story_of(struct story *s, const char *check, enum verdict status, const char *summary)
{
	story_begin(s);
	add_own(s, check, "", status, summary);
	worst_first(s);
}

/* Order does not matter: two runs list the same checks differently when sizes change. */
static uint64_t fingerprint(const json_t *check)
{
	BUF_AUTO b = BUF_INIT(SIZE_MAX / 2);
	const char *name = record_text(check, "check"), *subject = record_text(check, "subject");

	buf_addf(&b, "%s\n%s\n%d", name ? name : "", subject ? subject : "", (int)status_of(check));
	return alert_hash(b.s);
}

static void add_tool(json_t *tools, const char *tool)
{
	const json_t *known;
	size_t i;

	json_array_foreach(tools, i, known)
		if (strcmp(json_string_value(known), tool) == 0)
			return;
	json_array_append_new(tools, json_string(tool));
}

static struct topic *topic_named(struct topics *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return &t->v[i];
	t->v = xrealloc(t->v, t->n + 1, sizeof(*t->v));
	t->v[t->n] = (struct topic){
		.name = name, .verdict = V_OK, .failing = json_array(), .tools = json_array()
	};
	return &t->v[t->n++];
}

static void blame(struct topic *t, json_t *check)
{
	const char *tool = record_text(check, "tool");

	t->verdict = verdict_worst(t->verdict, status_of(check));
	t->what += fingerprint(check);
	json_array_append(t->failing, check);
	if (tool)
		add_tool(t->tools, tool);
}

void topics_whole(struct topics *t, const struct story *s)
{
	struct topic *whole;
	json_t *check;
	size_t i;

	*t = (struct topics){ 0 };
	whole = topic_named(t, "");
	json_array_foreach(s->checks, i, check) {
		if (status_of(check) != V_OK)
			blame(whole, check);
	}
	whole->verdict = s->verdict;
}

static bool has_ended(const struct story *s, const char *tool)
{
	return json_integer_value(json_object_get(s->ended, tool)) > 0 &&
	       json_integer_value(json_object_get(s->open, tool)) == 0;
}

static bool is_over(const struct story *s, const json_t *tools)
{
	const json_t *tool;
	size_t i;

	if (tools == NULL)
		return false;
	json_array_foreach(tools, i, tool) {
		const char *name = json_string_value(tool);

		if (name && name[0] && !has_ended(s, name))
			return false;
	}
	return true;
}

/* Nothing is remembered: what may be open at the service can only be guessed. */
static void guess(struct topics *t, const struct policy_rules *rules, const struct story *s)
{
	const json_t *check;
	size_t i;

	json_array_foreach(s->checks, i, check) {
		const char *name = record_text(check, "check");

		if (name)
			(void)topic_named(t, name);
	}
	if (policy_fails(rules, s->verdict))
		return;
	(void)topic_named(t, ended_check);
	(void)topic_named(t, stream_check);
}

void topics_by_check(struct topics *t, const struct policy_rules *rules, const struct story *s,
		     const json_t *state)
{
	const char *name;
	json_t *check, *memory;
	size_t i;

	*t = (struct topics){ 0 };
	json_array_foreach(s->checks, i, check) {
		if (record_text(check, "check") && policy_fails(rules, status_of(check)))
			blame(topic_named(t, record_text(check, "check")), check);
	}
	json_object_foreach(json_object_get(state, "topics"), name, memory)
		if (record_true(memory, "open") &&
		    (!policy_fails(rules, s->verdict) || is_over(s, state_tools(state, name))))
			(void)topic_named(t, name);
	if (rules->resolve_blindly && state_is_new(state))
		guess(t, rules, s);
}

void topics_free(struct topics *t)
{
	for (size_t i = 0; i < t->n; i++) {
		json_decref(t->v[i].failing);
		json_decref(t->v[i].tools);
	}
	free(t->v);
	*t = (struct topics){ 0 };
}
