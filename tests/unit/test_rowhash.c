#include "lib/base/rowhash.h"

#include "tests/unit/suite.h"

#include <string.h>

/* Of the empty line the published test vector of XXH3 with 128 bits; of "abc" what xxhsum -H2
 * prints. */
static const struct {
	const char *line, *text;
} known[] = {
	{ "", "xxh3-128:99aa06d3014798d86001c324468d497f" },
	{ "abc", "xxh3-128:06b05ab6733a618578af5f94892f3950" },
};

static struct rowhash of(const char *const *lines, size_t n)
{
	struct rowhash h = { 0 };

	for (size_t i = 0; i < n; i++)
		rowhash_add(&h, lines[i], strlen(lines[i]));
	return h;
}

START_TEST(one_row_is_its_own_hash)
{
	char text[ROWHASH_TEXT_SIZE];
	struct rowhash h = of(&known[_i].line, 1);

	ck_assert_str_eq(rowhash_text(&h, text), known[_i].text);
	ck_assert_uint_eq(h.rows, 1);
}
END_TEST

START_TEST(order_and_parts_do_not_matter)
{
	static const char *const rows[] = { "1\ta", "2\tb", "2\tb", "3\t\\N", "" };
	static const char *const turned[] = { "", "2\tb", "3\t\\N", "1\ta", "2\tb" };
	struct rowhash whole = of(rows, 5), other = of(turned, 5);
	struct rowhash part = of(rows, 2), rest = of(rows + 2, 3);

	ck_assert(rowhash_equal(&whole, &other));
	rowhash_merge(&part, &rest);
	ck_assert(rowhash_equal(&whole, &part));
	ck_assert_uint_eq(part.rows, 5);
}
END_TEST

START_TEST(every_byte_and_every_double_matters)
{
	static const char *const a[] = { "1\ta", "2\tb" }, *const b[] = { "1\ta", "2\tc" };
	static const char *const split[] = { "1", "\ta", "2\tb" };
	static const char *const twice[] = { "x", "x" };
	struct rowhash ha = of(a, 2), hb = of(b, 2), hs = of(split, 3), ht = of(twice, 2),
		       none = { 0 };

	ck_assert(!rowhash_equal(&ha, &hb));
	ck_assert(!rowhash_equal(&ha, &hs));
	ck_assert(!rowhash_equal(&ht, &none));
}
END_TEST

START_TEST(text_comes_back)
{
	char text[ROWHASH_TEXT_SIZE], again[ROWHASH_TEXT_SIZE];
	static const char *const rows[] = { "1\ta", "2\tb", "3\tc" };
	struct rowhash h = of(rows, 3), back = { .rows = 7 };

	ck_assert(rowhash_parse(rowhash_text(&h, text), &back));
	ck_assert(rowhash_equal(&h, &back));
	ck_assert_uint_eq(back.rows, 7);
	ck_assert_str_eq(rowhash_text(&back, again), text);
}
END_TEST

static const char *const bad[] = {
	"",
	"xxh3-128:",
	"xxh3-128:99aa06d3014798d86001c324468d497",
	"xxh3-128:99aa06d3014798d86001c324468d497f0",
	"xxh3-128:99AA06d3014798d86001c324468d497f",
	"xxh3-128:99aa06d3014798d86001c324468d497g",
	"md5:99aa06d3014798d86001c324468d497f",
};

START_TEST(refuses)
{
	struct rowhash h = { 0 };

	ck_assert(!rowhash_parse(bad[_i], &h));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rowhash");
	TCase *c = tcase_create("rowhash");

	tcase_add_loop_test(c, one_row_is_its_own_hash, 0, CASES(known));
	tcase_add_test(c, order_and_parts_do_not_matter);
	tcase_add_test(c, every_byte_and_every_double_matters);
	tcase_add_test(c, text_comes_back);
	tcase_add_loop_test(c, refuses, 0, CASES(bad));
	suite_add_tcase(s, c);
	return suite_run(s);
}
