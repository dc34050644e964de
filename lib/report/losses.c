#include "lib/report/losses.h"

#include "lib/base/buf.h"
#include "lib/base/human.h"
#include "lib/base/record.h"
#include "lib/base/xmem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table that never held more is too small for a finding; and so is a smaller change. */
enum { SMALL_B = 64 * 1024, SMALL_ROWS = 1000, DELTA_B = 16 * 1024, DELTA_ROWS = 100 };

static const char all_of[] = "dump-rows", some_of[] = "row-count";

static bool metric(const json_t *check, const char *name, int64_t *out)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(check, "metrics"), i, m)
		if (strcmp(record_word(m, "name"), name) == 0)
			return record_int(m, "value", out) && *out >= 0;
	return false;
}

/* The tables of a run's checks of that name, each with what it holds. */
static json_t *tables_of(const json_t *checks, const char *named, bool bytes)
{
	json_t *out = json_object();
	const json_t *check;
	int64_t held;
	size_t i;

	json_array_foreach(checks, i, check)
		if (strcmp(record_word(check, "check"), named) == 0 &&
		    *record_word(check, "subject") &&
		    metric(check, bytes ? "bytes" : "rows", &held))
			json_object_set_new(out, record_word(check, "subject"), json_integer(held));
	return out;
}

/* The name without its digits: that of all partitions. NULL: it has none. */
static char *stem(const char *name)
{
	char *s = xstrdup(name), *to = s;

	for (const char *from = name; *from; from++)
		if (!isdigit((unsigned char)*from))
			*to++ = *from;
	*to = '\0';
	if (strlen(s) < strlen(name))
		return s;
	free(s);
	return NULL;
}

static bool rotated(const char *name, json_t *now)
{
	AUTO_FREE char *mine = stem(name);
	const char *other;
	json_t *v;

	if (mine == NULL)
		return false;
	json_object_foreach(now, other, v) {
		AUTO_FREE char *its = stem(other);

		if (its && strcmp(mine, its) == 0)
			return true;
	}
	return false;
}

/* Earlier runs' tables, oldest first, and when those were. */
struct earlier {
	json_t *tables[LOSSES_RUNS];
	int64_t at_ms[LOSSES_RUNS];
	size_t n;
};

static void read_earlier(const json_t *runs, const char *named, bool bytes, struct earlier *out)
{
	const size_t n = json_array_size(runs);

	out->n = 0;
	for (size_t i = n > LOSSES_RUNS ? n - LOSSES_RUNS : 0; i < n; i++) {
		const json_t *run = json_array_get(runs, i);
		json_t *tables = tables_of(json_object_get(run, "checks"), named, bytes);
		int64_t at_ms = INT64_MIN;

		if (json_object_size(tables) == 0) {
			json_decref(tables);
			continue;
		}
		(void)record_time(run, "at", &at_ms);
		out->tables[out->n] = tables;
		out->at_ms[out->n++] = at_ms;
	}
}

/* Against what the table held before, weekdays and all; false when that was never much. */
static bool judge(const struct earlier *before, const char *table, struct loss *l, double max_drop)
{
	const struct series_limits limits = {
		.trend = { .max_drop = max_drop, .max_growth = (double)INFINITY },
		.min_delta_b = l->bytes ? DELTA_B : DELTA_ROWS,
	};
	uint64_t held[LOSSES_RUNS];
	int64_t at_ms[LOSSES_RUNS];
	struct series_in in = {
		.bytes = held,
		.at_ms = at_ms,
		.window = LOSSES_WINDOW,
		.now_b = (uint64_t)l->is,
		.now_ms = INT64_MIN,
	};

	for (size_t i = 0; i < before->n; i++) {
		const json_int_t v = json_integer_value(json_object_get(before->tables[i], table));

		if (v > 0) {
			held[in.n] = (uint64_t)v;
			at_ms[in.n++] = before->at_ms[i];
		}
	}
	series_judge(&in, &limits, &l->series);
	return l->series.trend.median_b >= (l->bytes ? SMALL_B : SMALL_ROWS);
}

static void keep(struct losses *out, struct loss *l)
{
	size_t at = out->n < LOSSES_MOST ? out->n++ : LOSSES_MOST - 1;

	out->found++;
	if (out->found > LOSSES_MOST) {
		if (out->v[at].was - out->v[at].is >= l->was - l->is) {
			free(l->table);
			return;
		}
		free(out->v[at].table);
	}
	for (; at > 0 && out->v[at - 1].was - out->v[at - 1].is < l->was - l->is; at--)
		out->v[at] = out->v[at - 1];
	out->v[at] = *l;
}

static void compare(const struct earlier *before, json_t *now, bool bytes, bool whole,
		    double max_drop, struct losses *out)
{
	json_t *last = before->tables[before->n - 1], *was;
	const char *table;
	double lost = 0;

	json_object_foreach(last, table, was) {
		const json_t *is = json_object_get(now, table);
		struct loss l = {
			.bytes = bytes,
			.was = (double)json_integer_value(was),
			.is = (double)json_integer_value(is),
			.gone = is == NULL,
		};

		out->tables += is != NULL;
		if (is == NULL && (!whole || rotated(table, now)))
			continue;
		lost += fmax(0, l.was - l.is);
		if (!l.gone && (!judge(before, table, &l, max_drop) || l.series.status == V_OK))
			continue;
		l.table = xstrdup(table);
		keep(out, &l);
	}
	for (size_t i = 0; i < out->n; i++)
		out->v[i].share = lost > 0 ? fmax(0, out->v[i].was - out->v[i].is) / lost : 0;
}

void losses_find(const json_t *runs, const json_t *checks, double max_drop, struct losses *out)
{
	JSON_AUTO *sizes = tables_of(checks, all_of, true);
	JSON_AUTO *rows = tables_of(checks, all_of, false);
	JSON_AUTO *counts = tables_of(checks, some_of, false);
	const bool bytes = json_object_size(sizes) > 0;
	const bool whole = bytes || json_object_size(rows) > 0;
	struct earlier before;

	*out = (struct losses){ .n = 0 };
	read_earlier(runs, whole ? all_of : some_of, bytes, &before);
	if (before.n && (whole || json_object_size(counts) > 0))
		compare(&before,
			bytes   ? sizes
			: whole ? rows
				: counts,
			bytes, whole, max_drop, out);
	for (size_t i = 0; i < before.n; i++)
		json_decref(before.tables[i]);
}

void losses_free(struct losses *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].table);
	l->n = 0;
}

static const char *held(const struct loss *l, double v, char out[HUMAN_SIZE])
{
	return l->bytes ? human_bytes((uint64_t)v, out) : human_count((int64_t)v, out);
}

void losses_say(struct check *c, enum verdict status, const struct loss *loss)
{
	const char *what = loss->bytes ? "" : " rows";
	char was[HUMAN_SIZE], is[HUMAN_SIZE];
	BUF_AUTO share = BUF_INIT(100);

	(void)held(loss, loss->was, was);
	if (loss->share > 0)
		buf_addf(&share, ": %.0f %% of what all tables lost", 100 * loss->share);
	if (loss->gone)
		check_say(c, status, "%s is gone (%s%s)%s", loss->table, was, what,
			  share.len ? share.s : "");
	else
		check_say(c, status, "%s has %s%s after %s%s", loss->table,
			  held(loss, loss->is, is), what, was, share.len ? share.s : "");
}

void losses_check(struct stage *st, const struct losses *l)
{
	struct check c;

	for (size_t i = 0; i < l->n; i++) {
		check_init(&c, "table-size", l->v[i].table);
		losses_say(&c, V_WARNING, &l->v[i]);
		stage_check(st, &c);
	}
	if (l->found == l->n && (l->n || l->tables == 0))
		return;
	check_init(&c, "table-size", "");
	if (l->found)
		check_say(&c, V_WARNING, "%zu more %s gone or lost much", l->found - l->n,
			  l->found - l->n == 1 ? "table is" : "tables are");
	else
		check_say(&c, V_OK, "%zu %s as ever", l->tables,
			  l->tables == 1 ? "table" : "tables");
	check_metric_int(&c, "tables", (int64_t)l->tables, "");
	stage_check(st, &c);
}
