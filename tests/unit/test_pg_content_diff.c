/* Which rows differ, in words, from the sums that a baseline keeps. */
#include "lib/pg/content_diff.h"

#include "lib/base/record.h"
#include "lib/pg/content_json.h"
#include "tests/unit/suite.h"

#include <stdio.h>
#include <string.h>

enum { ROWS = 600 };

/* Rows that are not there, are there in addition, or are not what they were; 0: none. */
struct fate {
	int lost[8], changed[8], added;
};

static bool among(const int *list, int i)
{
	for (int k = 0; k < 8; k++)
		if (list[k] == i)
			return true;
	return false;
}

static void key_of(bool number, int i, char out[32])
{
	(void)snprintf(out, 32, number ? "%d" : "key%04d", i);
}

static void add(struct keyranges *r, int i, int value)
{
	char key[32], line[64];

	key_of(r->number, i, key);
	(void)snprintf(line, sizeof(line), "%s\t%d", key, value);
	ck_assert(keyranges_add(r, key, strlen(key), line, strlen(line)));
}

static json_t *entry(bool number, const struct fate *f)
{
	static char text[ROWS][32];
	char *sample[ROWS];
	struct pg_content c = { .ranges = { .number = number } };
	json_t *o;

	for (int i = 0; i < ROWS; i++) {
		key_of(number, i + 1, text[i]);
		sample[i] = text[i];
	}
	keyranges_divide(&c.ranges, sample, ROWS);
	for (int i = 1; i <= ROWS; i++)
		if (!among(f->lost, i))
			add(&c.ranges, i, among(f->changed, i) ? -1 : i);
	if (f->added)
		add(&c.ranges, f->added, 0);
	o = pg_content_json(&c, NULL, true);
	pg_content_free(&c);
	return o;
}

static const struct {
	bool number;
	struct fate fate;
	const char *says; /* "" : nothing can be said; a '*' stands for anything */
} cases[] = {
	{ true, { { 0 }, { 0 }, 0 }, "" },
	{ true, { { 17 }, { 0 }, 0 }, "; key 17 lost" },
	{ true, { { 0 }, { 599 }, 0 }, "; key 599 changed" },
	{ true, { { 0 }, { 0 }, -5 }, "; key -5 added" },
	{ true, { { 1, 300 }, { 600 }, 0 }, "; key 1 lost; key 300 lost; key 600 changed" },
	{ true,
	  { { 100, 101 }, { 0 }, 0 },
	  "; several rows with keys from * to below * (*, were *)" },
	{ true,
	  { { 10, 60, 110, 160, 210, 260, 310 }, { 0 }, 0 },
	  "; key 10 lost; key 60 lost; key 110 lost; key 160 lost; key 210 lost; and 2 more" },
	{ false, { { 17 }, { 0 }, 0 }, "; one row with a key * lost" },
};

/* A '*' in the pattern stands for some bytes. */
static bool like(const char *pattern, const char *s)
{
	if (*pattern == '\0')
		return *s == '\0';
	if (*pattern != '*')
		return *pattern == *s && like(pattern + 1, s + 1);
	for (; *s; s++)
		if (like(pattern + 1, s + 1))
			return true;
	return false;
}

START_TEST(said)
{
	static const struct fate none;
	struct pg nowhere = { .link = NULL };
	JSON_AUTO *was = entry(cases[_i].number, &none);
	JSON_AUTO *is = entry(cases[_i].number, &cases[_i].fate);
	BUF_AUTO out = BUF_INIT(4096);

	content_diff(&nowhere, "public.t", was, is, false, &out);
	ck_assert_msg(like(cases[_i].says, out.len ? out.s : ""), "%s", out.s);
}
END_TEST

/* Of what cannot be compared nothing is said. */
START_TEST(silent)
{
	static const struct fate none, lost = { .lost = { 17 } };
	struct pg nowhere = { .link = NULL };
	JSON_AUTO *was = entry(true, &none);
	JSON_AUTO *words = entry(false, &none);
	JSON_AUTO *is = entry(true, &lost);
	BUF_AUTO out = BUF_INIT(4096);

	content_diff(&nowhere, "public.t", was, words, false, &out);
	(void)json_object_del(was, "ranges");
	content_diff(&nowhere, "public.t", was, is, false, &out);
	(void)json_object_set_new(was, "ranges", json_pack("[[n,s]]", "x"));
	content_diff(&nowhere, "public.t", was, is, false, &out);
	content_diff(&nowhere, "public.t", NULL, is, false, &out);
	ck_assert_uint_eq(out.len, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pg_content_diff");
	TCase *c = tcase_create("all");

	tcase_add_loop_test(c, said, 0, CASES(cases));
	tcase_add_test(c, silent);
	suite_add_tcase(s, c);
	return suite_run(s);
}
