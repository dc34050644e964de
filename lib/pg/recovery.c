#include "lib/pg/recovery.h"

#include "lib/base/human.h"
#include "lib/base/utc.h"

#include <stdio.h>

enum {
	ZONE_MS = 25 * 60 * 1000, /* no two time zones are closer than half an hour */
	CONTRADICT = 2,           /* tables; one alone may have lost its newest rows */
};

int64_t pg_evidence_latest(const struct pg_evidence *v)
{
	int64_t last = v->modified && v->modified_ms < v->now_ms ? v->modified_ms : v->now_ms;

	return last + RECOVERY_SKEW_MS;
}

static void doubt(const struct pg_evidence *v, struct pg_bounds *b)
{
	char said[UTC_SIZE];

	if (!v->said)
		(void)snprintf(b->doubt, sizeof(b->doubt),
			       "neither its name nor its header tells when it was taken");
	else if (v->said_day)
		(void)snprintf(b->doubt, sizeof(b->doubt), "its name tells the day alone");
	else if (v->said_ms > pg_evidence_latest(v))
		(void)snprintf(b->doubt, sizeof(b->doubt),
			       "it names %s, after its own last change: local time?",
			       utc_human(v->said_ms, said));
}

void pg_recovery_bounds(const struct pg_evidence *v, struct pg_bounds *out)
{
	int64_t latest = pg_evidence_latest(v);

	*out = (struct pg_bounds){ 0 };
	if (v->said && v->said_surely) {
		out->use_said = true;
		out->said_ms = out->data_ms = v->said_ms;
		return;
	}
	doubt(v, out);
	out->use_said = !*out->doubt;
	out->said_ms = out->use_said ? v->said_ms : latest;
	out->data_ms = v->data ? v->data_ms : out->said_ms;
	if (out->said_ms < out->data_ms)
		out->said_ms = out->data_ms;
}

static void be_sure(struct pg_recovery *out)
{
	out->sure = true;
	out->why[0] = '\0';
}

static void by_said(const struct pg_bounds *b, struct pg_recovery *out)
{
	out->at_ms = b->said_ms;
	out->by_said = true;
	out->sure = true;
	out->by = "the time in its name or header";
}

static void by_data(const struct pg_evidence *v, const struct pg_bounds *b, struct pg_recovery *out)
{
	out->at_ms = b->data_ms;
	out->by = v->data ? "the newest row of the backup" : "the age of the backup";
	out->sure = v->near >= 2;
	if (!out->sure)
		(void)snprintf(out->why, sizeof(out->why), "%s, and only one table has rows of %s",
			       *b->doubt ? b->doubt : "the time that it names is far from its rows",
			       "its last minutes");
}

void pg_recovery_decide(const struct pg_evidence *v, const struct pg_bounds *b, size_t between,
			struct pg_recovery *out)
{
	char gap[HUMAN_SIZE];
	int64_t gap_ms = b->said_ms - b->data_ms;

	*out = (struct pg_recovery){ 0 };
	if (b->use_said && v->said_surely) {
		by_said(b, out);
		out->by = v->said_by ? v->said_by : "the recovery point given";
	} else if (b->use_said && v->data && v->said_ms < v->data_ms) {
		by_data(v, b, out);
		if (v->data_ms - v->said_ms <= RECOVERY_NEAR_MS)
			be_sure(out);
	} else if (b->use_said && (between < CONTRADICT || gap_ms < ZONE_MS)) {
		by_said(b, out);
	} else {
		by_data(v, b, out);
		out->disagree = b->use_said;
	}
	if (out->disagree)
		(void)snprintf(
			out->why, sizeof(out->why),
			"its newest row is %s older than the time it names, though production "
			"has rows in between in %zu tables: that time is local time, or the "
			"backup was taken from a stale copy",
			human_duration((double)gap_ms / 1000, gap), between);
}
