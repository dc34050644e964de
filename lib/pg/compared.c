#include "lib/pg/compared.h"

#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/utc.h"

#include <string.h>

static void add_figures(struct check *c, const struct pg_compared *x)
{
	if (x->here) {
		check_observed_int(c, x->drift.here.rows);
		check_metric_int(c, "rows", x->drift.here.rows, "rows");
	}
	if (x->there) {
		check_expected_int(c, x->drift.there.rows);
		check_metric_int(c, "production_rows", x->drift.there.rows, "rows");
	}
	if (x->both) {
		check_metric_int(c, "difference", x->drift.difference, "rows");
		check_metric_int(c, "unexplained_rows", x->drift.unexplained, "rows");
		check_metric_limits(c, NULL, "0");
	}
	if (x->both && x->share > 0) {
		check_field(c, "sampled", json_real(x->share));
		check_metric_int(c, "margin", x->drift.margin, "rows");
	}
	if (x->column)
		check_field(c, x->key.column ? "key_column" : "time_column",
			    record_string(x->column, strlen(x->column)));
}

static void say_table(struct check *c, const struct pg_compared *x)
{
	BUF_AUTO text = BUF_INIT(2048);
	char rows[HUMAN_SIZE];

	add_figures(c, x);
	(void)human_count(x->drift.here.rows, rows);
	if (x->both)
		pg_drift_say(&x->drift, &text);
	else if (!x->failed)
		buf_addf(&text, "%s, not compared", rows);
	else if (x->here)
		buf_addf(&text, "%s, not compared: %s", rows, x->failed);
	else
		buf_adds(&text, x->failed);
	if (x->both && x->share > 0)
		buf_addf(&text, "; production estimated from %.2g %% of its blocks, to %s rows",
			 100 * x->share, human_count(x->drift.margin, rows));
	check_say(c, x->verdict, "%s", text.s);
}

struct totals {
	size_t compared, counted;
	int64_t rows; /* on both sides */
	bool columns; /* there is a time column, so the recovery point mattered */
};

static struct totals add_up(const struct pg_compare *all)
{
	struct totals t = { 0 };

	for (size_t i = 0; i < all->pairs->n; i++) {
		const struct pg_compared *x = &all->v[i];

		t.compared += x->both && x->here && x->there;
		t.counted += x->here;
		t.rows += x->drift.here.rows + x->drift.there.rows;
		t.columns = t.columns || (x->column && !x->key.column);
	}
	return t;
}

static void say_nothing(struct check *c, const struct totals *t, const struct err *lost)
{
	char rows[HUMAN_SIZE];

	if (lost && lost->kind != ERR_NONE)
		check_say(c, V_UNKNOWN, "nothing was compared: %s", lost->msg);
	else if (lost)
		check_say(c, V_UNKNOWN,
			  "nothing was compared: no table could be counted on both sides");
	else if (t->rows == 0)
		check_say(c, V_UNKNOWN,
			  "the restored database holds no rows, and without PRODUCTION nothing "
			  "tells whether it should");
	else
		check_say(c, V_WARNING,
			  "nothing was compared: PRODUCTION is not set; %s rows were restored in "
			  "%zu tables",
			  human_count(t->rows, rows), t->counted);
}

static void say_compared(struct check *c, const struct pg_compare *all,
			 const struct pg_selected *selected, const struct totals *t)
{
	const struct pg_recovery *r = &all->recovery;
	double share = selected->bytes > 0
			       ? 100.0 * (double)selected->chosen_bytes / (double)selected->bytes
			       : 100.0;
	char at[UTC_SIZE];

	(void)utc_human(r->at_ms, at);
	check_say(c, V_OK, "%zu of %zu tables compared, %.1f %% of the data", t->compared,
		  selected->candidates, share);
	if (!t->columns)
		return;
	if (r->disagree)
		check_say(c, V_WARNING, "the backup's times disagree: %s; compared as of %s, %s",
			  r->why, at, r->by);
	else if (r->sure)
		check_say(c, V_OK, "recovery point %s, %s", at, r->by);
	else
		check_say(c, V_OK, "recovery point about %s, %s: %s", at, r->by, r->why);
	check_field(c, "recovery_point", json_string(utc_format(r->at_ms, at)));
}

static void say_all(struct check *c, const struct pg_compare *all,
		    const struct pg_selected *selected, const struct err *lost)
{
	struct totals t = add_up(all);

	check_metric_int(c, "tables", (int64_t)t.compared, "");
	if (all->there)
		check_metric_real(c, "production_seconds", (double)all->production_ms / 1000, "s");
	if (t.compared == 0)
		say_nothing(c, &t, lost);
	else if (t.rows == 0)
		check_say(c, V_UNKNOWN,
			  "nothing was compared: all %zu tables are empty on both sides",
			  t.compared);
	else
		say_compared(c, all, selected, &t);
	if (all->forgotten.kind != ERR_NONE)
		check_say(c, V_WARNING, "production's counters are not remembered: %s",
			  all->forgotten.msg);
}

void compared_report(struct stage *st, const struct pg_compare *all,
		     const struct pg_selected *selected, const struct err *lost)
{
	struct check c;

	for (size_t i = 0; i < all->pairs->n; i++) {
		check_init(&c, "row-count", pg_pair_table(all->v[i].pair)->full);
		say_table(&c, &all->v[i]);
		stage_check(st, &c);
	}
	check_init(&c, "tables-compared", "");
	say_all(&c, all, selected, lost);
	stage_check(st, &c);
}
