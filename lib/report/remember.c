#include "lib/report/remember.h"

#include "lib/base/record.h"
#include "lib/report/anchor.h"
#include "lib/report/run.h"

enum { CHECKS_B = 3 * 1024 * 1024 };

void remember_past(const struct remember *r, bool wanted, struct summary *s, struct past *past)
{
	struct err e = { 0 };

	past_watch(past, s->checks);
	if (r->history && wanted &&
	    past_load(past, r->history, s->label, summary_restored(s), s->ended_ms, &e) < 0)
		summary_find(s, "history", "", V_UNKNOWN, "earlier runs were not read: %s", e.msg);
}

static void tell_head(const struct remember *r, struct summary *s, const struct chain_head *head)
{
	const struct anchor_run run = {
		.label = s->label,
		.run = s->run,
		.at_ms = s->ended_ms,
		.head = *head,
	};
	struct err e = { 0 };

	if (anchor_put(r->anchor, &run, r->ca_file, r->within_s, &e) < 0)
		summary_find(s, "history", "", V_UNKNOWN, "the history's head was not anchored: %s",
			     e.msg);
}

void remember_run(const struct remember *r, struct summary *s, struct chain_head *head)
{
	JSON_AUTO *run = NULL;
	struct history_seal seal = { .sign_key = r->sign_key };
	struct err e = { 0 };

	if (r->history == NULL)
		return;
	run = run_object(s, CHECKS_B);
	if (history_append(r->history, s->label, run, &seal, &e) < 0) {
		summary_find(s, "history", "", V_UNKNOWN, "the run was not remembered: %s", e.msg);
		return;
	}
	*head = seal.head;
	if (r->anchor)
		tell_head(r, s, head);
}
