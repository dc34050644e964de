#include "lib/pg/sides.h"

enum { LOCK_WAIT_S = 10 };

/* Less than the whole limit, so that it is the lock that is named as the reason. */
static uint64_t lock_wait_s(uint64_t limit_s)
{
	if (limit_s == 0 || limit_s / 2 > LOCK_WAIT_S)
		return LOCK_WAIT_S;
	return limit_s < 2 ? 1 : limit_s / 2;
}

/* PG* lead to the restored server when nothing else names it, and under restore-to-temp. */
static int open_production(struct sides *both, const struct sides_plan *plan, const char *dbname,
			   struct err *e)
{
	struct pg_target t = { .what = "production",
			       .conninfo = plan->production,
			       .env = plan->restored ? PG_ENV_ALL : PG_ENV_NO_ADDRESS,
			       .statement_s = plan->production_timeout_s,
			       .lock_s = lock_wait_s(plan->production_timeout_s) };

	if (!pg_names_database(plan->production))
		t.dbname = dbname;
	if (pg_open(&both->there, &t, e) < 0 || pg_tables_load(&both->there, &both->theirs, e) < 0)
		return -1;
	both->has_production = true;
	return 0;
}

int sides_open_production(struct sides *both, const struct sides_plan *plan, struct err *e)
{
	return open_production(both, plan, NULL, e);
}

int sides_open(struct sides *both, const struct sides_plan *plan, const struct restored *from,
	       struct err *e)
{
	struct pg_target here;

	if (restored_target(from, plan->restored, &here, e) < 0)
		return -1;
	/* A pg_dumpall restores many databases. */
	if (plan->production && open_production(both, plan, here.dbname, &both->lost) == 0 &&
	    !plan->restored && strv_has(&from->databases, PQdb(both->there.link)))
		here.dbname = PQdb(both->there.link);
	if (pg_open(&both->here, &here, e) < 0 || pg_tables_load(&both->here, &both->ours, e) < 0)
		return -1;
	if (both->has_production && pg_same_database(&both->here, &both->there))
		return err_set(e, ERR_USAGE,
			       "compare: %s is the restored database itself; let --production name "
			       "its host",
			       both->there.where);
	return 0;
}

static void say_unusable(struct stage *st, const char *subject, const char *why)
{
	struct check c;

	check_init(&c, "tables-compared", subject);
	check_say(&c, V_UNKNOWN, "%s", why);
	stage_check(st, &c);
}

int sides_choose(struct sides *both, const struct sides_plan *plan, struct stage *st, struct err *e)
{
	const struct pg_selection s = { .only = &plan->tables,
					.exclude = &plan->exclude,
					.paired = both->has_production && both->here.link,
					.top = plan->all || plan->tables.n ? 0 : plan->top };
	bool any;

	pg_pairs_make(&both->pairs, &both->ours, both->has_production ? &both->theirs : NULL);
	pg_pairs_select(&both->pairs, &s, &both->selected);
	if (both->selected.unmatched)
		say_unusable(st, both->selected.unmatched, "no table matches this pattern");
	for (size_t i = 0; both->has_production && i < plan->time_columns.n; i++) {
		const char *column = plan->time_columns.v[i];

		if (pg_pairs_name_timecol(&both->pairs, &both->here, &both->there, column, &any,
					  e) < 0)
			return -1;
		if (!any)
			say_unusable(st, column,
				     "no compared table has this time column (of type timestamp, "
				     "timestamptz or date)");
	}
	return 0;
}

void sides_free(struct sides *both)
{
	pg_pairs_free(&both->pairs);
	pg_tables_free(&both->ours);
	pg_tables_free(&both->theirs);
	pg_close(&both->here);
	pg_close(&both->there);
}
