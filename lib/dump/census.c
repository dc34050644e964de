#include "lib/dump/census.h"

#include "lib/base/xmem.h"
#include "lib/dump/sqlstmt.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_B = 512 };

static int by_name(const void *a, const void *b)
{
	const struct census_table *x = a, *y = b;
	int r = strcmp(x->database, y->database);

	return r ? r : strcmp(x->name, y->name);
}

static void nothing(void *node)
{
	(void)node;
}

void census_free(struct census *r)
{
	tdestroy(r->by_name, nothing);
	for (size_t i = 0; i < r->n; i++) {
		tally_free(&r->v[i]->tally);
		free(r->v[i]->database);
		free(r->v[i]->name);
		free(r->v[i]);
	}
	free(r->v);
	for (size_t i = 0; i < r->n_sequences; i++) {
		free(r->sequences[i].database);
		free(r->sequences[i].name);
	}
	free(r->sequences);
	*r = (struct census){ 0 };
}

struct census_table *census_table(struct census *r, const char *database, const char *name)
{
	struct census_table *t = xcalloc(1, sizeof(*t));
	struct census_table **node;

	t->database = xstrdup(database);
	t->name = xstrdup(name);
	tally_begin(&t->tally, -1, false);
	node = tsearch(t, &r->by_name, by_name);
	if (node == NULL)
		abort(); /* out of memory, which xmem has just seen coming */
	if (*node != t) {
		free(t->database);
		free(t->name);
		free(t);
		return *node;
	}
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 64;
		r->v = xrealloc(r->v, r->cap, sizeof(struct census_table *));
	}
	t->at = r->n;
	r->v[r->n++] = t;
	return t;
}

/* Does TABLE.COLUMN, or COLUMN, speak of this table? Its column then; else NULL. */
static const char *column_of(const char *wanted, const char *name)
{
	const char *dot = strrchr(wanted, '.'), *table = strchr(name, '.');
	size_t n;

	if (dot == NULL)
		return wanted;
	n = (size_t)(dot - wanted);
	if ((strlen(name) == n && strncmp(name, wanted, n) == 0) ||
	    (table && strlen(table + 1) == n && strncmp(table + 1, wanted, n) == 0))
		return dot + 1;
	return NULL;
}

void census_begin_copy(struct census *r, struct census_table *t, const char *copy, size_t n)
{
	int field = -1;

	for (size_t i = 0; field < 0 && r->time_columns && i < r->time_columns->n; i++) {
		const char *column = column_of(r->time_columns->v[i], t->name);

		if (column)
			field = sqlstmt_copy_column(copy, n, column);
		if (field >= 0)
			t->column = column;
	}
	tally_begin(&t->tally, field, r->hashes);
}

void census_statement(struct census *r, const char *database, const char *schema, const char *sql,
		      size_t n)
{
	struct census_sequence *q;
	char written[NAME_MAX_B], name[NAME_MAX_B];
	int64_t last;
	bool called;

	if (!sqlstmt_setval(sql, n, written, sizeof(written), &last, &called) ||
	    !sqlstmt_plain_name(written, schema, name, sizeof(name)))
		return;
	if (r->n_sequences == r->sequences_cap) {
		r->sequences_cap = r->sequences_cap ? r->sequences_cap * 2 : 64;
		r->sequences = xrealloc(r->sequences, r->sequences_cap, sizeof(*r->sequences));
	}
	q = &r->sequences[r->n_sequences++];
	*q = (struct census_sequence){ .last = last, .called = called };
	q->database = xstrdup(database);
	q->name = xstrdup(name);
}

static int in_order(const void *a, const void *b)
{
	struct census_table *const *x = a, *const *y = b;

	return by_name(*x, *y);
}

void census_sort(struct census *r)
{
	if (r->n > 1)
		qsort(r->v, r->n, sizeof(struct census_table *), in_order);
}
