#include "lib/pg/latest.h"

#include "lib/base/xmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_LARGEST = 10 };
static const int64_t scan_small_b = 256LL * 1024 * 1024;

/* The questions, and what each column is. */
struct asking {
	struct pg_newest *v;
	const struct pg_timecol **columns;
	size_t n;
};

static void ask(struct asking *a, const struct pg_table *t, const struct pg_timecol *c,
		int64_t limit_ms)
{
	a->columns[a->n] = c;
	a->v[a->n++] = (struct pg_newest){ .table = t, .column = c->name, .limit_ms = limit_ms };
}

static int name_columns(const struct pg_readers *r, struct pg_tables *tables,
			const struct strv *named, const char **unmatched, struct err *e)
{
	for (size_t k = 0; k < named->n; k++) {
		char *value = named->v[k], *dot = strrchr(value, '.');
		char *pattern AUTO_FREE = dot ? xstrndup(value, (size_t)(dot - value)) : NULL;
		bool any = false, found;

		for (size_t i = 0; i < tables->n; i++) {
			if (pattern && !pg_table_matches(&tables->v[i], pattern))
				continue;
			if (pg_table_name_timecol(r->first, &tables->v[i], dot ? dot + 1 : value,
						  &found, e) < 0)
				return -1;
			any = any || found;
		}
		if (!any && !*unmatched)
			*unmatched = value;
	}
	return 0;
}

/* How large a table must be to be among the largest. */
static int by_size(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

static int64_t large_b(const struct pg_tables *t)
{
	int64_t *sizes = xcalloc(t->n + 1, sizeof(*sizes));
	int64_t least = 0;

	for (size_t i = 0; i < t->n; i++)
		sizes[i] = t->v[i].bytes;
	qsort(sizes, t->n, sizeof(*sizes), by_size);
	if (t->n > SCAN_LARGEST)
		least = sizes[SCAN_LARGEST - 1];
	free(sizes);
	return least;
}

static void choose(struct asking *a, const struct pg_tables *tables, bool named, int64_t limit_ms)
{
	int64_t large = large_b(tables);

	a->v = xcalloc(2 * tables->n + 1, sizeof(*a->v));
	a->columns = xcalloc(2 * tables->n + 1, sizeof(struct pg_timecol *));
	for (size_t i = 0; i < tables->n; i++) {
		const struct pg_table *t = &tables->v[i];
		const struct pg_timecol *columns[] = { &t->created, &t->changed };
		bool scan = t->bytes >= large || t->bytes <= scan_small_b;

		for (size_t k = 0; k < 2 && t->populated; k++)
			if (columns[k]->name &&
			    (named ? columns[k]->named : scan || columns[k]->indexed))
				ask(a, t, columns[k], limit_ms);
	}
}

static void note(struct pg_latest *out, const struct pg_newest *w)
{
	if (out->found && w->at_ms <= out->at_ms)
		return;
	out->found = true;
	out->at_ms = w->at_ms;
	(void)snprintf(out->table, sizeof(out->table), "%s", w->table->full);
	(void)snprintf(out->column, sizeof(out->column), "%s", w->column);
}

static bool trusted(const struct pg_newest *w, const struct pg_timecol *c)
{
	if (!w->ahead || c->named)
		return true;
	return !w->far && c->type == PG_TIME_ZONED;
}

static void take(const struct asking *a, struct pg_latest *out)
{
	out->asked = a->n;
	for (size_t i = 0; i < a->n; i++) {
		const struct pg_newest *w = &a->v[i];

		if (w->asked)
			out->answered++;
		else if (w->failure)
			(void)err_set(&out->failure, ERR_REMOTE, "%s: %s", w->table->full,
				      w->failure);
		if (w->ahead && !w->far) {
			out->ahead = true;
			(void)snprintf(out->ahead_table, sizeof(out->ahead_table), "%s",
				       w->table->full);
		}
		if (w->found && trusted(w, a->columns[i]) && a->columns[i]->type != PG_TIME_DATE)
			note(out, w);
	}
	for (size_t i = 0; !out->found && i < a->n; i++)
		if (a->v[i].found && trusted(&a->v[i], a->columns[i]))
			note(out, &a->v[i]);
}

int pg_latest_find(const struct pg_readers *r, struct pg_tables *tables, const struct strv *named,
		   int64_t limit_ms, struct pg_latest *out, const char **unmatched, struct err *e)
{
	struct asking a = { 0 };
	int rc;

	*out = (struct pg_latest){ 0 };
	*unmatched = NULL;
	if (name_columns(r, tables, named, unmatched, e) < 0)
		return -1;
	choose(&a, tables, named->n > 0, limit_ms);
	rc = pg_newest_run(r, a.v, a.n, e);
	if (rc == 0)
		take(&a, out);
	for (size_t i = 0; i < a.n; i++)
		free(a.v[i].failure);
	free(a.v);
	free(a.columns);
	return rc;
}

void pg_latest_say_missing(struct check *c, const struct pg_latest *l)
{
	if (l->failure.kind != ERR_NONE)
		check_say(c, V_UNKNOWN, "no newest row is known: %s", l->failure.msg);
	else if (l->ahead)
		check_say(c, V_UNKNOWN,
			  "the newest rows of %s are later than the backup: local time? "
			  "(--time-zone)",
			  l->ahead_table);
	else if (l->asked > 0)
		check_say(c, V_UNKNOWN, "none of %zu time columns holds a moment of the past",
			  l->asked);
	else
		check_say(c, V_UNKNOWN,
			  "no table has a column that tells when a row was made; name "
			  "one with --time-column");
}
