#ifndef LIB_ALERT_STORY_H
#define LIB_ALERT_STORY_H
/*
 * story: what a stream of records comes to, split into the topics that are told about (alert.h).
 */
#include "lib/alert/policy.h"
#include "lib/report/summary.h"

#include <jansson.h>
#include <stdint.h>

struct story {
	const char *teller;     /* the tool that gathers it */
	struct summary summary; /* judged once it is finished */
	json_t *checks;         /* then all its checks, worst first; owned */
};

struct topic {
	const char *name; /* borrowed from the story or from `known` */
	enum verdict verdict;
	uint64_t what;
	json_t *failing; /* check records, worst first; owned */
	json_t *tools;   /* whose checks they are; owned */
};

struct topics {
	struct topic *v; /* owned */
	size_t n;
};

/* The finding that a run died before it could tell anything. */
extern const char story_cut_off[];

/* To be filled with summary_take(). teller is borrowed. */
void story_begin(struct story *s, const char *teller);
/* Nothing more comes. expect and restored as in summary_finish(). */
void story_finish(struct story *s, const struct strv *expect, const struct strv *restored,
		  int64_t now_ms);
/* A finished story of one finding. */
void story_of(struct story *s, const char *check, enum verdict status, const char *summary);
void story_free(struct story *s);

/* Of a finished story: was the check made, and found nothing worse than a warning? */
bool story_proves(const struct story *s, const char *check);
/* Its checks that are not ok. */
unsigned story_failing(const struct story *s);

/* The one topic "" of the whole run. */
void topics_whole(struct topics *t, const struct story *s);

/* A topic for each check name that fails, worst first; then one that passes for each topic that is
 * open in the state and is over: the run as a whole passes, or every tool that had raised it has
 * run to its end and did not raise it again. A check that merely did not run resolves nothing. With
 * a new state and resolve_blindly, also one that passes for each check of the run that passed. */
void topics_by_check(struct topics *t, const struct policy_rules *rules, const struct story *s,
		     const json_t *state);
void topics_free(struct topics *t);
#endif
