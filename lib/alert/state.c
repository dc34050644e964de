#include "lib/alert/state.h"

#include "lib/base/atomic.h"
#include "lib/base/io.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"
#include "lib/base/xmem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_VERSION = 1, STATE_MAX = 4 << 20 };

json_t *state_new(void)
{
	return json_pack("{s:i, s:i, s:{}}", "v", STATE_VERSION, "sequence", 0, "topics");
}

static json_t *set_aside(const char *path, struct err *e)
{
	AUTO_FREE char *bad = xasprintf("%s.bad", path);

	(void)rename(path, bad);
	(void)err_wrap(e, "read what was told before, %s (now %s)", path, bad);
	return NULL;
}

json_t *state_load(const char *path, struct err *e)
{
	BUF_AUTO b = BUF_INIT(STATE_MAX);
	json_t *state;
	int64_t v;

	if (access(path, F_OK) < 0 && errno == ENOENT)
		return state_new();
	if (io_slurp(path, &b, e) < 0)
		return NULL;
	state = record_parse(b.s, b.len, e);
	if (state == NULL)
		return set_aside(path, e);
	if (!record_int(state, "v", &v) || v != STATE_VERSION ||
	    !json_is_object(json_object_get(state, "topics"))) {
		(void)err_set(e, ERR_SYSTEM, "it is no state of version %d", STATE_VERSION);
		json_decref(state);
		return set_aside(path, e);
	}
	return state;
}

int state_save(const char *path, const json_t *state, struct err *e)
{
	AUTO_FREE char *text = record_print(state, STATE_MAX);

	if (text == NULL)
		return err_set(e, ERR_SYSTEM, "write %s: more than %d bytes", path, STATE_MAX);
	return atomic_write(path, text, strlen(text), 0600, e);
}

bool state_is_new(const json_t *state)
{
	return json_object_get(state, "session") == NULL;
}

int64_t state_sequence(const json_t *state)
{
	int64_t n;

	return record_int(state, "sequence", &n) ? n : 0;
}

bool state_has_decided(const json_t *state, const char *session)
{
	const char *last = record_text(state, "session");

	return last && strcmp(last, session) == 0;
}

static const json_t *topic_of(const json_t *state, const char *topic)
{
	return json_object_get(json_object_get(state, "topics"), topic);
}

struct policy_memory state_memory(const json_t *state, const char *topic)
{
	const json_t *t = topic_of(state, topic);
	const char *verdict = record_text(t, "verdict"), *what = record_text(t, "what");
	struct policy_memory m = { .known = t != NULL, .open = record_true(t, "open") };

	if (verdict)
		(void)verdict_parse(verdict, &m.verdict);
	if (what)
		m.what = strtoull(what, NULL, 16);
	(void)record_time(t, "since", &m.since_ms);
	(void)record_time(t, "told", &m.told_ms);
	return m;
}

const json_t *state_tools(const json_t *state, const char *topic)
{
	return json_object_get(topic_of(state, topic), "tools");
}

json_t *state_pack(const struct policy_memory *m, const json_t *tools)
{
	json_t *o = json_pack("{s:b, s:s}", "open", m->open, "verdict", verdict_name(m->verdict));
	char what[17], at[UTC_SIZE];

	/* As text: JSON integers have a sign. */
	(void)snprintf(what, sizeof(what), "%016" PRIx64, m->what);
	json_object_set_new(o, "what", json_string(what));
	json_object_set_new(o, "since", json_string(utc_format(m->since_ms, at)));
	json_object_set_new(o, "told", json_string(utc_format(m->told_ms, at)));
	if (tools)
		json_object_set_new(o, "tools", json_deep_copy(tools));
	return o;
}

void state_remember(json_t *state, const char *topic, json_t *memory)
{
	json_object_set_new(json_object_get(state, "topics"), topic, memory);
}

void state_forget(json_t *state, const char *topic)
{
	(void)json_object_del(json_object_get(state, "topics"), topic);
}

void state_decided(json_t *state, int64_t sequence, const char *session)
{
	json_object_set_new(state, "sequence", json_integer(sequence));
	json_object_set_new(state, "session", json_string(session));
}

bool state_knows_dead(const json_t *state, const char *id)
{
	const json_t *known;
	size_t i;

	json_array_foreach(json_object_get(state, "dead"), i, known)
		if (strcmp(json_string_value(known) ? json_string_value(known) : "", id) == 0)
			return true;
	return false;
}

void state_know_dead(json_t *state, const struct strv *ids)
{
	json_t *all = json_array();

	for (size_t i = 0; i < ids->n; i++)
		json_array_append_new(all, json_string(ids->v[i]));
	json_object_set_new(state, "dead", all);
}

static json_t *known_dead(json_t *state)
{
	json_t *all = json_object_get(state, "dead");

	if (json_is_array(all))
		return all;
	all = json_array();
	json_object_set_new(state, "dead", all);
	return all;
}

void state_redo(json_t *state, const json_t *message)
{
	const char *topic = record_text(message, "topic");
	const char *session = record_text(message, "session");
	json_t *memory = json_object_get(message, "memory");
	int64_t sequence;

	if (!record_int(message, "sequence", &sequence) || sequence <= state_sequence(state))
		return;
	json_object_set_new(state, "sequence", json_integer(sequence));
	if (topic && memory)
		state_remember(state, topic, json_deep_copy(memory));
	(void)json_array_extend(known_dead(state), json_object_get(message, "dead"));
	if (session == NULL || !record_true(message, "last"))
		return;
	/* Both have decided, this one and the one before it, whose mark may be there still. */
	if (json_object_get(state, "session"))
		json_array_append(known_dead(state), json_object_get(state, "session"));
	json_object_set_new(state, "session", json_string(session));
}
