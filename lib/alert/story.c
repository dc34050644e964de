#include "lib/alert/story.h"

#include "lib/alert/alert.h"
#include "lib/alert/state.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Findings about the stream that summary makes, and the sender: they are there only when they fail.
 */
static const char stage_check_name[] = "stage", stream_check[] = "stream",
		  input_check[] = "input-record";
const char story_cut_off[] = "run-cut-off";

void story_begin(struct story *s, const char *teller)
{
	*s = (struct story){ .teller = teller };
	summary_init(&s->summary);
}

void story_free(struct story *s)
{
	summary_free(&s->summary);
	json_decref(s->checks);
	*s = (struct story){ 0 };
}

static enum verdict status_of(const json_t *check)
{
	const char *word = record_text(check, "status");
	enum verdict v = V_UNKNOWN;

	if (word)
		(void)verdict_parse(word, &v);
	return v;
}

static void sort_worst_first(struct story *s)
{
	static const enum verdict order[] = { V_CRITICAL, V_UNKNOWN, V_WARNING, V_OK };
	json_t *check;
	size_t i;

	s->checks = json_array();
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++)
		json_array_foreach(s->summary.checks, i, check)
			if (status_of(check) == order[k])
				json_array_append(s->checks, check);
}

void story_finish(struct story *s, const struct strv *expect, const struct strv *restored,
		  int64_t now_ms)
{
	summary_finish(&s->summary, expect, restored, now_ms);
	sort_worst_first(s);
}

void story_of(struct story *s, const char *check, enum verdict status, const char *summary)
{
	story_begin(s, "");
	summary_find(&s->summary, check, "", status, "%s", summary);
	sort_worst_first(s);
}

bool story_proves(const struct story *s, const char *check)
{
	const json_t *c;
	bool proven = false;
	size_t i;

	json_array_foreach(s->checks, i, c) {
		const char *name = record_text(c, "check");

		if (name == NULL || strcmp(name, check) != 0)
			continue;
		if (status_of(c) != V_OK && status_of(c) != V_WARNING)
			return false;
		proven = true;
	}
	return proven;
}

unsigned story_failing(const struct story *s)
{
	const json_t *check;
	unsigned n = 0;
	size_t i;

	json_array_foreach(s->checks, i, check)
		n += status_of(check) != V_OK;
	return n;
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

/* Whose work has to be seen to end before the finding is over: that of the tool that found it, and
 * for what was found about a tool, of that one. */
static const char *tool_behind(const json_t *check)
{
	const char *name = record_text(check, "check");

	if (name && strcmp(name, stage_check_name) == 0)
		return record_text(check, "subject");
	if (name && (strcmp(name, stream_check) == 0 || strcmp(name, story_cut_off) == 0))
		return NULL;
	return record_text(check, "tool");
}

static void blame(struct topic *t, json_t *check)
{
	const char *tool = tool_behind(check);

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
	whole->verdict = s->summary.status;
}

static bool has_ended(const struct story *s, const char *tool)
{
	if (strcmp(tool, s->teller) == 0)
		return true;
	for (size_t i = 0; i < s->summary.n_tools; i++) {
		const struct summary_tool *t = &s->summary.tools[i];

		if (strcmp(t->name, tool) == 0)
			return t->ended > 0 && t->begun <= t->ended;
	}
	return false;
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
	static const char *const hidden[] = { stage_check_name, stream_check, input_check,
					      story_cut_off };
	const json_t *check;
	size_t i;

	json_array_foreach(s->checks, i, check) {
		const char *name = record_text(check, "check");

		if (name)
			(void)topic_named(t, name);
	}
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (!policy_fails(rules, s->summary.status))
			(void)topic_named(t, hidden[i]);
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
		if (record_true(memory, "open") && (!policy_fails(rules, s->summary.status) ||
						    is_over(s, state_tools(state, name))))
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
