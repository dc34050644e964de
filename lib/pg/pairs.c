#include "lib/pg/pairs.h"

#include "lib/base/num.h"
#include "lib/base/xmem.h"

#include <stdlib.h>
#include <string.h>

const struct pg_table *pg_pair_table(const struct pg_pair *p)
{
	return p->here ? p->here : p->there;
}

static void add(struct pg_pairs *p, struct pg_table *here, struct pg_table *there)
{
	int64_t h = here ? here->bytes : 0, t = there ? there->bytes : 0;

	p->v[p->n++] = (struct pg_pair){ .here = here, .there = there, .bytes = h > t ? h : t };
}

/* Among equals by name, so that two runs pick the same tables. */
static int larger(const void *a, const void *b)
{
	const struct pg_pair *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(pg_pair_table(x)->full, pg_pair_table(y)->full);
}

void pg_pairs_make(struct pg_pairs *out, const struct pg_tables *here,
		   const struct pg_tables *there)
{
	*out = (struct pg_pairs){ 0 };
	out->v = xcalloc(here->n + (there ? there->n : 0) + 1, sizeof(*out->v));
	for (size_t i = 0; i < here->n; i++)
		add(out, &here->v[i], there ? pg_tables_find(there, &here->v[i]) : NULL);
	for (size_t i = 0; there && i < there->n; i++)
		if (!pg_tables_find(here, &there->v[i]))
			add(out, NULL, &there->v[i]);
	qsort(out->v, out->n, sizeof(*out->v), larger);
}

void pg_pairs_free(struct pg_pairs *p)
{
	free(p->v);
	*p = (struct pg_pairs){ 0 };
}

static bool any_matches(const struct strv *patterns, const struct pg_pair *p)
{
	for (size_t i = 0; patterns && i < patterns->n; i++)
		if (pg_table_matches(pg_pair_table(p), patterns->v[i]))
			return true;
	return false;
}

static const char *find_unmatched(const struct pg_pairs *p, const struct strv *patterns)
{
	for (size_t i = 0; patterns && i < patterns->n; i++) {
		size_t k = 0;

		while (k < p->n && !pg_table_matches(pg_pair_table(&p->v[k]), patterns->v[i]))
			k++;
		if (k == p->n)
			return patterns->v[i];
	}
	return NULL;
}

/* What a look at the catalogue shows to be wrong is looked into, however small it is. */
static bool suspicious(const struct pg_pair *p)
{
	return !p->here || !p->there || (p->here->heap_b == 0 && p->there->heap_b > 0);
}

void pg_pairs_select(struct pg_pairs *p, const struct pg_selection *s, struct pg_selected *out)
{
	size_t kept = 0, ranked = 0;

	*out = (struct pg_selected){ .unmatched = find_unmatched(p, s->only) };
	for (size_t i = 0; i < p->n; i++) {
		struct pg_pair pair = p->v[i];

		if (any_matches(s->exclude, &pair))
			continue;
		out->candidates++;
		out->bytes += pair.bytes;
		if (s->only && s->only->n > 0 && !any_matches(s->only, &pair))
			continue;
		if (s->top > 0 && ranked++ >= s->top && (!s->paired || !suspicious(&pair)))
			continue;
		out->chosen_bytes += pair.bytes;
		p->v[kept++] = pair;
	}
	p->n = kept;
}

int pg_pairs_name_timecol(struct pg_pairs *p, struct pg *here, struct pg *there, const char *value,
			  bool *any, struct err *e)
{
	const char *dot = strrchr(value, '.');
	char *pattern AUTO_FREE = dot ? xstrndup(value, (size_t)(dot - value)) : NULL;
	bool found;

	*any = false;
	for (size_t i = 0; i < p->n; i++) {
		struct pg_table *t = p->v[i].here ? p->v[i].here : p->v[i].there;

		if (pattern && !pg_table_matches(t, pattern))
			continue;
		if (pg_table_name_timecol(p->v[i].here ? here : there, t, dot ? dot + 1 : value,
					  &found, e) < 0)
			return -1;
		*any = *any || found;
	}
	return 0;
}

int pg_top_option(const char *value, void *to, struct err *e)
{
	uint64_t *top = to;

	if (strcmp(value, "all") == 0) {
		*top = 0;
		return 0;
	}
	if (num_u64(value, 1, 1000000, top, e) < 0)
		return err_set(e, ERR_USAGE, "'%s' is neither a number of tables nor \"all\"",
			       value);
	return 0;
}
