#include "lib/pg/witness.h"

#include "lib/base/fresh.h"
#include "lib/base/human.h"
#include "lib/base/utc.h"
#include "lib/pg/query.h"

static const char *const names[WITNESSES] = {
	[WITNESS_REPLAYED] = "the last transaction replayed",
	[WITNESS_COMMITTED] = "the last commit",
	[WITNESS_NAMED] = "the time in its name or header",
	[WITNESS_ROW] = "the newest row",
	[WITNESS_MODIFIED] = "its last change, for nothing better tells",
};

const char *witness_name(enum witness_kind kind)
{
	return names[kind];
}

static void take_cell(const PGresult *r, int64_t limit_ms, struct witness *w)
{
	int64_t ms;

	if (!pg_cell_int(r, 0, 0, &ms) || ms > limit_ms)
		return;
	w->known = true;
	w->at_ms = ms;
}

int witness_ask(struct pg *pg, int64_t limit_ms, struct witnesses *w, struct err *e)
{
	PGRESULT_AUTO *replayed = pg_query(
		pg,
		"SELECT (extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000)::bigint,"
		" current_setting('track_commit_timestamp') = 'on'",
		NULL, 0, e);
	PGRESULT_AUTO *committed = NULL;

	if (!replayed)
		return -1;
	take_cell(replayed, limit_ms, &w->v[WITNESS_REPLAYED]);
	if (!pg_cell_true(replayed, 0, 1))
		return 0;
	committed = pg_query(pg,
			     "SELECT (extract(epoch FROM timestamp) * 1000)::bigint"
			     " FROM pg_last_committed_xact()",
			     NULL, 0, e);
	if (!committed)
		return -1;
	take_cell(committed, limit_ms, &w->v[WITNESS_COMMITTED]);
	return 0;
}

void witness_take(const struct pg_evidence *v, const struct pg_latest *latest, struct witnesses *w)
{
	const int64_t last_ms =
		v->modified && v->modified_ms < v->now_ms ? v->modified_ms : v->now_ms;

	w->v[WITNESS_MODIFIED] = (struct witness){ v->modified, last_ms };
	if (v->said && v->said_ms > last_ms + RECOVERY_SKEW_MS)
		w->named_ahead_ms = v->said_ms - last_ms;
	else if (v->said)
		w->v[WITNESS_NAMED] = (struct witness){ true, v->said_ms };
	if (latest->found)
		w->v[WITNESS_ROW] = (struct witness){ true, latest->at_ms };
	if (latest->ahead && v->modified)
		w->ahead_ms = latest->last_ms - last_ms;
}

/* The latest of the kinds that are wanted. */
static bool latest_of(const struct witnesses *w, unsigned wanted, enum witness_kind *kind)
{
	*kind = WITNESSES;
	for (enum witness_kind k = 0; k < WITNESSES; k++)
		if (wanted & 1U << k && w->v[k].known &&
		    (*kind == WITNESSES || w->v[k].at_ms > w->v[*kind].at_ms))
			*kind = k;
	return *kind != WITNESSES;
}

enum {
	OF_DATA = 1U << WITNESS_REPLAYED | 1U << WITNESS_COMMITTED | 1U << WITNESS_ROW,
	LOWER_BOUNDS = OF_DATA | 1U << WITNESS_NAMED,
	OF_BACKUP = 1U << WITNESS_NAMED,
	NOTED_MS = 60 * 1000, /* how far two of them may differ without a word */
};

bool witness_data(const struct witnesses *w, enum witness_kind *kind)
{
	return latest_of(w, OF_DATA, kind);
}

static void say_lag(struct check *c, const struct witnesses *w, uint64_t max_lag_s)
{
	enum witness_kind backup, data;
	char at[UTC_SIZE], lag[HUMAN_SIZE];
	int64_t lag_ms;

	if (!witness_data(w, &data) ||
	    (!latest_of(w, OF_BACKUP, &backup) && !latest_of(w, 1U << WITNESS_MODIFIED, &backup)))
		return;
	lag_ms = w->v[backup].at_ms - w->v[data].at_ms;
	check_metric_real(c, "data_lag_seconds", (double)(lag_ms > 0 ? lag_ms : 0) / 1000, "s");
	(void)human_duration((double)lag_ms / 1000, lag);
	if (lag_ms > (int64_t)max_lag_s * 1000)
		check_say(c, V_CRITICAL,
			  "the backup is of %s, but %s is %s older: it was taken from a stale "
			  "copy, or "
			  "nobody has written since (--max-data-lag)",
			  utc_human(w->v[backup].at_ms, at), names[data], lag);
	else if (lag_ms > NOTED_MS && backup == WITNESS_NAMED)
		check_say(c, V_OK, "%s is %s older", names[data], lag);
}

void witness_say(struct check *c, const struct witnesses *w, uint64_t max_lag_s)
{
	char at[UTC_SIZE], why[FRESH_WHY_SIZE], ahead[HUMAN_SIZE];
	enum witness_kind kind;

	if (!latest_of(w, LOWER_BOUNDS, &kind) && !latest_of(w, 1U << WITNESS_MODIFIED, &kind)) {
		check_say(c, V_UNKNOWN, "nothing tells when the backup was taken");
		return;
	}
	check_observed_text(c, utc_format(w->v[kind].at_ms, at));
	check_say(c, V_OK, "%s, by %s", utc_human(w->v[kind].at_ms, at), names[kind]);
	say_lag(c, w, max_lag_s);
	if (w->ahead_ms > 0)
		check_say(c, V_WARNING, "there are rows %s later than its last change: %s",
			  human_duration((double)w->ahead_ms / 1000, ahead),
			  fresh_name_ahead(w->ahead_ms, why));
	if (w->named_ahead_ms > 0)
		check_say(c, V_OK, "it names a time %s after its last change: %s",
			  human_duration((double)w->named_ahead_ms / 1000, ahead),
			  fresh_name_ahead(w->named_ahead_ms, why));
}
