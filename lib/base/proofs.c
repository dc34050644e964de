#include "lib/base/proofs.h"

#include "lib/base/fresh.h"
#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <stdio.h>

enum { OF_LABEL = 512 };

static bool take_proof(json_t *run, void *to)
{
	struct proofs *p = to;

	p->found = (!p->drill || json_object_get(run, "drill")) && record_true(run, "verified") &&
		   record_time(run, "at", &p->at_ms);
	return !p->found;
}

/* However long ago it was. */
static int find_proof(struct proofs *p, bool drill, struct err *e)
{
	p->drill = drill;
	p->found = false;
	if (p->history == NULL)
		return err_set(
			e, ERR_USAGE,
			"not measured: --max-verified-age and --max-drill-age need --history");
	return history_search(p->history, p->label, drill ? "\"drill\":{" : "\"verified\":true",
			      take_proof, p, e);
}

json_t *proofs_newest_run(const struct proofs *p, unsigned *skipped, struct err *e)
{
	JSON_AUTO *runs = p->history ? history_load(p->history, p->label, 1, skipped, e) : NULL;

	return json_incref(json_array_get(runs, 0));
}

static const char *of_label(const struct proofs *p, char out[OF_LABEL])
{
	(void)snprintf(out, OF_LABEL, "%s%s%s", history_name(p->history), *p->label ? " for " : "",
		       p->label);
	return out;
}

void proofs_check_verified(struct stage *st, struct proofs *p, uint64_t limit_s, bool now)
{
	char where[OF_LABEL];
	struct err e = { 0 };
	struct check c;
	unsigned skipped = 0;

	check_init(&c, "last-verified", "");
	if (find_proof(p, false, &e) < 0)
		check_say(&c, V_UNKNOWN, "%s", e.msg);
	else if (now)
		check_say(&c, V_OK, "by this run, if it succeeds");
	else if (p->found)
		fresh_say_verified(&c, p->at_ms, utc_now_ms(), limit_s);
	else
		check_say(&c, V_CRITICAL, "never verified: no run in %s proved a backup",
			  of_label(p, where));
	json_decref(proofs_newest_run(p, &skipped, &e));
	if (skipped)
		check_say(&c, V_WARNING, "%u unreadable lines at the end of %s", skipped,
			  history_name(p->history));
	stage_check(st, &c);
}

static void say_drill(struct check *c, int64_t at_ms, uint64_t every_s)
{
	const int64_t age_s = (utc_now_ms() - at_ms) / 1000;
	const int64_t left_s = (int64_t)every_s - age_s;
	char age[HUMAN_SIZE], left[HUMAN_SIZE];

	check_metric_int(c, "drill_age_seconds", age_s, "s");
	(void)human_duration((double)age_s, age);
	(void)human_duration((double)(left_s < 0 ? -left_s : left_s), left);
	if (left_s < 0)
		check_say(c, V_CRITICAL, "the last drill was %s ago: overdue by %s", age, left);
	else
		check_say(c, left_s * 10 < (int64_t)every_s ? V_WARNING : V_OK,
			  "the last drill was %s ago, the next is due in %s", age, left);
}

void proofs_check_drill(struct stage *st, struct proofs *p, uint64_t every_s, bool now)
{
	char where[OF_LABEL];
	struct err e = { 0 };
	struct check c;

	check_init(&c, "last-drill", "");
	if (now)
		check_say(&c, V_OK, "this run is one, if it succeeds");
	else if (find_proof(p, true, &e) < 0)
		check_say(&c, V_UNKNOWN, "%s", e.msg);
	else if (p->found)
		say_drill(&c, p->at_ms, every_s);
	else
		check_say(&c, V_CRITICAL, "no run in %s was a drill that verified a backup",
			  of_label(p, where));
	stage_check(st, &c);
}
