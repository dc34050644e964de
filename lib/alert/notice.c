#include "lib/alert/notice.h"

#include "lib/alert/state.h"
#include "lib/base/runid.h"
#include "lib/base/utc.h"

#include <stdio.h>
#include <string.h>

enum { HEADLINE_MAX = 4096, KEY_BUF = 2 * ALERT_KEY_MAX };

/* Completes the alert and lets the tool word it. */
static json_t *message_of(const struct notice *n, struct alert *a)
{
	BUF_AUTO headline = BUF_INIT(HEADLINE_MAX);
	BUF_AUTO key = BUF_INIT(KEY_BUF);
	char id[RUN_ID_SIZE], at[UTC_SIZE];

	a->id = runid_make(utc_now_ms(), id);
	a->label = n->label;
	a->run = n->run;
	a->host = n->host;
	a->at_ms = n->at_ms;
	a->report_url = n->report_url;
	a->runbook_url = n->runbook_url;
	alert_key(&key, n->label, a->topic);
	a->key = key.s;
	alert_headline(&headline, a);
	a->headline = headline.s;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "id", a->id, "kind",
			 alert_kind_name(a->kind), "key", a->key, "topic", a->topic, "verdict",
			 verdict_name(a->verdict), "label", a->label, "run", a->run, "at",
			 utc_format(a->at_ms, at), "body", n->compose(a));
}

static void decide_topic(struct notice *n, const struct story *s, const struct topic *t,
			 json_t *state, json_t *messages)
{
	struct policy_memory before = state_memory(state, t->name);
	struct policy_finding now = { t->verdict, t->what, n->at_ms };
	struct policy_decision d = policy_decide(&n->rules, &before, &now);
	json_t *memory = state_pack(&d.after, t->tools);

	/* Of several topics the first that is sent says why: failures come first. */
	if (json_array_size(messages) == 0)
		(void)snprintf(n->why, sizeof(n->why), "%s", d.why);
	if (d.send) {
		struct alert a = { .kind = d.kind,
				   .topic = t->name,
				   .verdict = t->verdict,
				   .since_ms = before.open ? before.since_ms : d.after.since_ms,
				   .failing = t->failing,
				   .checks = s->checks };
		json_t *message = message_of(n, &a);

		json_object_set(message, "memory", memory);
		json_array_append_new(messages, message);
	}
	state_remember(state, t->name, memory);
}

static void tell_passed(const struct notice *n, const struct story *s, json_t *messages)
{
	json_t *none = json_array();
	struct alert a = { .kind = ALERT_REPORT,
			   .topic = "",
			   .verdict = s->summary.status,
			   .failing = none,
			   .checks = s->checks };

	json_array_append_new(messages, message_of(n, &a));
	json_decref(none);
}

void notice_decide(struct notice *n, const struct story *s, json_t *state, json_t *messages)
{
	struct topics t;

	(void)snprintf(n->why, sizeof(n->why), "nothing failed, and nothing did before");
	if (n->per_check)
		topics_by_check(&t, &n->rules, s, state);
	else
		topics_whole(&t, s);
	for (size_t i = 0; i < t.n; i++)
		decide_topic(n, s, &t.v[i], state, messages);
	if (n->tell_passed && !policy_fails(&n->rules, s->summary.status))
		tell_passed(n, s, messages);
	topics_free(&t);
}

json_t *notice_test(const struct notice *n)
{
	json_t *none = json_array();
	struct alert a = { .kind = ALERT_TEST,
			   .topic = "test",
			   .verdict = V_OK,
			   .failing = none,
			   .checks = none };
	json_t *message = message_of(n, &a);

	json_decref(none);
	return message;
}
