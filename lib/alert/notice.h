#ifndef LIB_ALERT_NOTICE_H
#define LIB_ALERT_NOTICE_H
/*
 * notice: from what a run found, and what was told before, to the messages that are to go out now.
 * Touches no file and no network, so that a dry run takes the same path.
 */
#include "lib/alert/alert.h"
#include "lib/alert/story.h"

#include <jansson.h>

struct notice {
	bool per_check;
	bool tell_passed; /* a REPORT of each run that passed, whatever the rules say */
	struct policy_rules rules;
	json_t *(*compose)(const struct alert *a);
	const char *label, *run, *host, *report_url, *runbook_url;
	int64_t at_ms;
	char why[128]; /* out: why something was sent, or nothing was; for people */
};

/* Appends to messages (an array) what is to be sent, each with its "memory" (state.h), and brings
 * the state up to date. */
void notice_decide(struct notice *n, const struct story *s, json_t *state, json_t *messages);

/* A message that says it is a test. The caller's. */
json_t *notice_test(const struct notice *n);
#endif
