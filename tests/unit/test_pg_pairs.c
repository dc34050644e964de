#include "lib/pg/pairs.h"

#include "lib/base/buf.h"
#include "lib/base/xmem.h"
#include "tests/unit/suite.h"

#include <string.h>

static struct pg_table table(const char *schema, const char *name, int64_t bytes, int64_t heap_b)
{
	return (struct pg_table){ .schema = xstrdup(schema),
				  .name = xstrdup(name),
				  .full = xasprintf("%s.%s", schema, name),
				  .bytes = bytes,
				  .heap_b = heap_b };
}

static void tables(struct pg_tables *t, size_t n, const struct pg_table *v)
{
	t->n = n;
	t->v = xcalloc(n + 1, sizeof(*t->v));
	memcpy(t->v, v, n * sizeof(*v));
}

/* Both in the order of schema and name, as the catalogue gives them. */
static void fixture(struct pg_tables *here, struct pg_tables *there)
{
	const struct pg_table ours[] = {
		table("a", "audit", 900, 900),  table("a", "gone", 10, 10),
		table("a", "orders", 500, 500), table("a", "users", 8, 0),
		table("b", "a.orders", 3, 3),
	};
	const struct pg_table theirs[] = {
		table("a", "audit", 800, 800),  table("a", "big", 2000, 2000),
		table("a", "orders", 700, 700), table("a", "users", 600, 600),
		table("b", "a.orders", 3, 3),   table("b", "tiny", 1, 1),
	};

	tables(here, 5, ours);
	tables(there, 6, theirs);
}

/* The chosen ones as "audit big ..." */
static char *chosen(const struct pg_selection *s, struct pg_selected *out, bool alone)
{
	PG_TABLES_AUTO here = { 0 };
	PG_TABLES_AUTO there = { 0 };
	PG_PAIRS_AUTO p = { 0 };
	BUF_AUTO b = BUF_INIT(500);

	fixture(&here, &there);
	pg_pairs_make(&p, &here, alone ? NULL : &there);
	pg_pairs_select(&p, s, out);
	for (size_t i = 0; i < p.n; i++)
		buf_addf(&b, "%s%s%s", i ? " " : "", p.v[i].here ? p.v[i].there ? "" : "-" : "+",
			 pg_pair_table(&p.v[i])->name);
	return xstrdup(b.s);
}

static struct strv list(const char *a, const char *b)
{
	struct strv l = { 0 };

	if (a)
		strv_add(&l, a);
	if (b)
		strv_add(&l, b);
	return l;
}

static const struct {
	const char *only, *only2, *exclude;
	size_t top;
	bool alone;
	const char *want;
} cases[] = {
	{ NULL, NULL, NULL, 0, false, "+big audit orders users -gone a.orders +tiny" },
	{ NULL, NULL, NULL, 0, true, "-audit -orders -gone -users -a.orders" },
	{ NULL, NULL, NULL, 2, true, "-audit -orders" },
	/* the largest, and whatever is missing or without a page */
	{ NULL, NULL, NULL, 1, false, "+big users -gone +tiny" },
	{ NULL, NULL, NULL, 2, false, "+big audit users -gone +tiny" },
	{ NULL, NULL, "big", 1, false, "audit users -gone +tiny" },
	{ NULL, NULL, "a.*", 0, false, "a.orders +tiny" },
	{ NULL, NULL, "*", 0, false, "" },
	{ "orders", NULL, NULL, 0, false, "orders" },
	{ "a.orders", NULL, NULL, 0, false, "orders a.orders" },
	{ "b.a.orders", NULL, NULL, 0, false, "a.orders" },
	{ "*.orders", NULL, NULL, 0, false, "orders a.orders" },
	{ "?udit", "t[hi]ny", NULL, 0, false, "audit +tiny" },
	{ "a.*", NULL, "*aud*", 0, false, "+big orders users -gone" },
	{ "ORDERS", NULL, NULL, 0, false, "" },
};

START_TEST(selection_table)
{
	struct strv only = list(cases[_i].only, cases[_i].only2);
	struct strv exclude = list(cases[_i].exclude, NULL);
	const struct pg_selection s = {
		.only = &only, .exclude = &exclude, .top = cases[_i].top, .paired = !cases[_i].alone
	};
	struct pg_selected out;
	char *got AUTO_FREE = chosen(&s, &out, cases[_i].alone);

	ck_assert_str_eq(got, cases[_i].want);
	strv_free(&only);
	strv_free(&exclude);
}
END_TEST

START_TEST(what_was_left_out)
{
	struct strv only = list("orders", "nosuch*"), none = list(NULL, NULL);
	struct pg_selection s = { .only = &none, .exclude = &none, .top = 2, .paired = true };
	struct pg_selected out;

	free(chosen(&s, &out, false));
	ck_assert_uint_eq(out.candidates, 7);
	ck_assert_int_eq(out.bytes, 2000 + 900 + 700 + 600 + 10 + 3 + 1);
	ck_assert_int_eq(out.chosen_bytes, 2000 + 900 + 600 + 10 + 1);
	ck_assert_ptr_null(out.unmatched);
	s.only = &only;
	free(chosen(&s, &out, false));
	ck_assert_str_eq(out.unmatched, "nosuch*");
	strv_free(&only);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_pairs");
	TCase *c = tcase_create("pg_pairs");

	tcase_add_loop_test(c, selection_table, 0, CASES(cases));
	tcase_add_test(c, what_was_left_out);
	suite_add_tcase(s, c);
	return suite_run(s);
}
