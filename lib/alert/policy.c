#include "lib/alert/policy.h"

#include <stddef.h>
#include <string.h>

static const char *const whens[] = { "failure", "always", "change" };
static const char *const kinds[] = { "trigger", "reminder", "resolve", "report", "test" };

bool policy_fails(const struct policy_rules *rules, enum verdict v)
{
	return v != V_OK && verdict_worst(v, rules->from) == v;
}

static bool is_due(const struct policy_rules *rules, const struct policy_memory *m, int64_t now_ms)
{
	int64_t slack_s = (int64_t)(rules->remind_s / 12);
	int64_t wait_ms = ((int64_t)rules->remind_s - slack_s) * 1000;

	if (rules->remind_s == 0)
		return rules->when == WHEN_FAILURE;
	/* A clock that was set back must not silence reminders. */
	return now_ms < m->told_ms || now_ms - m->told_ms >= wait_ms;
}

static struct policy_decision failing(const struct policy_rules *rules,
				      const struct policy_memory *m, const struct policy_finding *f)
{
	bool changed = m->open && (m->verdict != f->verdict || m->what != f->what);
	struct policy_decision d = { .send = true, .kind = ALERT_TRIGGER, .after = *m };

	d.why = changed ? "it fails in another way than before" : "it failed";
	if (m->open && !changed) {
		d.kind = ALERT_REMINDER;
		d.send = rules->when == WHEN_ALWAYS || is_due(rules, m, f->at_ms);
		d.why = d.send ? "it still fails" : "it still fails, which was told";
	}
	d.after.known = true;
	d.after.open = true;
	if (!m->open)
		d.after.since_ms = f->at_ms;
	if (d.send) {
		d.after.verdict = f->verdict;
		d.after.what = f->what;
		d.after.told_ms = f->at_ms;
	}
	return d;
}

static struct policy_decision passing(const struct policy_rules *rules,
				      const struct policy_memory *m, const struct policy_finding *f)
{
	bool blindly = !m->known && rules->resolve_blindly;
	struct policy_decision d = { .after = *m };

	d.after = (struct policy_memory){ .known = true, .verdict = f->verdict };
	d.after.told_ms = m->told_ms;
	if (m->open || blindly) {
		d.send = true;
		d.kind = ALERT_RESOLVE;
		d.why = m->open ? "it is well again" : "it is well, and nothing is remembered";
	} else {
		d.send = rules->when == WHEN_ALWAYS;
		d.kind = ALERT_REPORT;
		d.why = "all is well";
	}
	if (d.send)
		d.after.told_ms = f->at_ms;
	return d;
}

struct policy_decision policy_decide(const struct policy_rules *rules,
				     const struct policy_memory *before,
				     const struct policy_finding *now)
{
	return policy_fails(rules, now->verdict) ? failing(rules, before, now)
						 : passing(rules, before, now);
}

int policy_parse_when(const char *word, void *to, struct err *e)
{
	for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++)
		if (strcmp(word, whens[i]) == 0) {
			*(enum policy_when *)to = (enum policy_when)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "'%s' is none of failure, always, change", word);
}

const char *alert_kind_name(enum alert_kind kind)
{
	return kinds[kind];
}

bool alert_kind_parse(const char *word, enum alert_kind *out)
{
	for (size_t i = 0; word && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(word, kinds[i]) == 0) {
			*out = (enum alert_kind)i;
			return true;
		}
	return false;
}
