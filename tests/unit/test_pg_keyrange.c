#include "lib/pg/keyrange.h"

#include "tests/unit/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 1000 };

/* A table of ROWS rows whose keys are numbers or words. skip, extra and change: a row's number, 0
 * for none. */
struct table {
	bool number;
	int skip, extra, change;
};

static void key_of(const struct table *t, int i, char *out, size_t size)
{
	(void)snprintf(out, size, t->number ? "%d" : "key%d\tx", t->number ? i - ROWS / 2 : i);
}

static void add(struct keyranges *r, const struct table *t, int i)
{
	char key[32], line[64];

	key_of(t, i, key, sizeof(key));
	(void)snprintf(line, sizeof(line), "%s\tvalue %d", key, i == t->change ? -i : i);
	ck_assert(keyranges_add(r, key, strlen(key), line, strlen(line)));
}

static void fill(struct keyranges *r, const struct table *t)
{
	for (int i = ROWS; i > 0; i--)
		if (i != t->skip)
			add(r, t, i);
	if (t->extra)
		add(r, t, t->extra);
}

static void divide(struct keyranges *r, const struct table *t)
{
	static char text[ROWS][32];
	char *sample[ROWS];

	*r = (struct keyranges){ .number = t->number };
	for (int i = 0; i < ROWS; i++) {
		key_of(t, i + 1, text[i], sizeof(text[i]));
		sample[i] = text[i];
	}
	keyranges_divide(r, sample, ROWS);
}

static const struct table tables[] = {
	{ .number = true },
	{ .number = true, .skip = 1 },
	{ .number = true, .skip = 777 },
	{ .number = true, .extra = ROWS + 5 },
	{ .number = true, .change = 3 },
	{ .number = true, .change = ROWS },
	{ .skip = 500 },
	{ .extra = ROWS + 5 },
	{ .change = 42 },
	{ .number = false },
};

START_TEST(names_the_row_that_differs)
{
	struct table sound = { .number = tables[_i].number };
	int which = tables[_i].skip + tables[_i].extra + tables[_i].change;
	struct keyranges was, is;
	size_t found = 0;
	char key[32];
	uint64_t k;

	divide(&was, &sound);
	ck_assert_uint_eq(was.n, KEYRANGE_MAX);
	keyranges_like(&is, &was);
	fill(&was, &sound);
	fill(&is, &tables[_i]);
	for (size_t i = 0; i < was.n; i++) {
		enum keyrange_finding f = keyrange_compare(&was, &is, i, &k);

		ck_assert(f != KEYRANGE_MANY);
		if (f == KEYRANGE_SAME)
			continue;
		key_of(&tables[_i], which, key, sizeof(key));
		ck_assert_uint_eq(k, keyrange_number(&was, key, strlen(key)));
		found++;
	}
	ck_assert_uint_eq(found, which != 0);
	keyranges_free(&was);
	keyranges_free(&is);
}
END_TEST

START_TEST(two_rows_of_one_range_are_many)
{
	struct table sound = { .number = _i == 0 };
	struct table bad = { .number = _i == 0, .skip = 100, .change = 101 };
	struct keyranges was = { .number = _i == 0 }, is;
	uint64_t k;

	keyranges_divide(&was, NULL, 0);
	ck_assert_uint_eq(was.n, 1);
	keyranges_like(&is, &was);
	fill(&was, &sound);
	fill(&is, &bad);
	ck_assert_int_eq(keyrange_compare(&was, &is, 0, &k), KEYRANGE_MANY);
	keyranges_free(&was);
	keyranges_free(&is);
}
END_TEST

START_TEST(refuses_a_key_that_is_no_number)
{
	struct keyranges r = { .number = true };

	keyranges_divide(&r, NULL, 0);
	ck_assert(!keyranges_add(&r, "\\N", 2, "x", 1));
	ck_assert(!keyranges_add(&r, "123456789012345678901234", 24, "x", 1));
	keyranges_free(&r);
}
END_TEST

START_TEST(sum_comes_back)
{
	keyrange_sum w = (keyrange_sum)0x0123456789abcdefULL << 64 | 0xfedcba9876543210ULL, back;
	char text[KEYRANGE_SUM_SIZE];

	ck_assert_str_eq(keyrange_sum_text(w, text), "0123456789abcdeffedcba9876543210");
	ck_assert(keyrange_sum_parse(text, &back) && back == w);
	ck_assert(!keyrange_sum_parse("0123", &back));
	ck_assert(!keyrange_sum_parse("0123456789abcdeffedcba987654321x", &back));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_keyrange");
	TCase *c = tcase_create("pg_keyrange");

	tcase_add_loop_test(c, names_the_row_that_differs, 0, CASES(tables));
	tcase_add_loop_test(c, two_rows_of_one_range_are_many, 0, 2);
	tcase_add_test(c, refuses_a_key_that_is_no_number);
	tcase_add_test(c, sum_comes_back);
	suite_add_tcase(s, c);
	return suite_run(s);
}
