#include "lib/base/utf8.h"

#include "tests/unit/suite.h"

#include <string.h>

static const struct {
	const char *s;
	size_t len, want;
	uint32_t cp;
} takes[] = {
	{ "a", 1, 1, 'a' },
	{ "", 1, 1, 0 }, /* NUL is a character */
	{ "", 0, 0, 0 },
	{ "\x7f", 1, 1, 0x7f },
	{ "\xc2\x80", 2, 2, 0x80 },
	{ "\xdf\xbf", 2, 2, 0x7ff },
	{ "\xe0\xa0\x80", 3, 3, 0x800 },
	{ "\xef\xbf\xbf", 3, 3, 0xffff },
	{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
	{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
	{ "\xc3\xa9", 1, 0, 0 }, /* may not read on */
	{ "\xe2\x82\xac", 2, 0, 0 },
	{ "\xf0\x9f\x90\x98", 3, 0, 0 },
	{ "\x80", 1, 0, 0 },
	{ "\xff", 1, 0, 0 },
	{ "\xf8\x88\x80\x80\x80", 5, 0, 0 },
	{ "\xc1\xbf", 2, 0, 0 }, /* overlong */
	{ "\xe0\x9f\xbf", 3, 0, 0 },
	{ "\xf0\x8f\xbf\xbf", 4, 0, 0 },
	{ "\xed\xa0\x80", 3, 0, 0 }, /* surrogate */
	{ "\xf4\x90\x80\x80", 4, 0, 0 },
	{ "\xe2(\xac", 3, 0, 0 },
};

START_TEST(take_table)
{
	uint32_t cp = 0xdead;

	ck_assert_uint_eq(utf8_take(takes[_i].s, takes[_i].len, &cp), takes[_i].want);
	ck_assert_uint_eq(cp, takes[_i].want ? takes[_i].cp : 0xdead);
	ck_assert_uint_eq(utf8_take(takes[_i].s, takes[_i].len, NULL), takes[_i].want);
}
END_TEST

static const struct {
	const char *s;
	size_t count, most, prefix;
	const char *cut;
} texts[] = {
	{ "", 0, 1, 0, "" },
	{ "abc", 3, 3, 3, "abc" },
	{ "abc", 3, 2, 2, "a\xe2\x80\xa6" },
	{ "abc", 3, 1, 1, "\xe2\x80\xa6" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9", 3, 2, 4, "\xc3\xa9\xe2\x80\xa6" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9", 3, 3, 6, "\xc3\xa9\xc3\xa9\xc3\xa9" },
	{ "a\xf0\x9f\x90\x98z", 3, 2, 5, "a\xe2\x80\xa6" },
	{ "\xff\xff", 2, 2, 2, "\xff\xff" },
	{ "\xe2\x82", 2, 5, 2, "\xe2\x82" },
};

START_TEST(text_table)
{
	BUF_AUTO out = BUF_INIT(100);

	ck_assert_uint_eq(utf8_count(texts[_i].s), texts[_i].count);
	ck_assert_uint_eq(utf8_prefix(texts[_i].s, texts[_i].most), texts[_i].prefix);
	utf8_cut(&out, texts[_i].s, texts[_i].most);
	ck_assert_str_eq(out.s, texts[_i].cut);
	ck_assert_uint_le(utf8_count(out.s), texts[_i].most);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("utf8");
	TCase *c = tcase_create("utf8");

	tcase_add_loop_test(c, take_table, 0, CASES(takes));
	tcase_add_loop_test(c, text_table, 0, CASES(texts));
	suite_add_tcase(s, c);
	return suite_run(s);
}
