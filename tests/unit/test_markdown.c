#include "lib/report/markdown.h"

#include "tests/unit/suite.h"

static const struct {
	const char *in, *want;
} texts[] = {
	{ "8,412,056 (production: 8,412,103) - match",
	  "8,412,056 (production: 8,412,103) - match" },
	{ "a|b", "a\\|b" },
	{ "a\nb\r\n| c |", "a?b??\\| c \\|" },
	{ "<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>" },
	{ "&lt;", "\\&lt;" },
	{ "`code`", "\\`code\\`" },
	{ "**bold** *it*", "\\*\\*bold\\*\\* \\*it\\*" },
	{ "order_items _it_ __b__", "order_items \\_it\\_ \\_\\_b\\_\\_" },
	{ "_", "\\_" },
	{ "\xc3\xa9t\xc3\xa9_\xc3\xa9", "\xc3\xa9t\xc3\xa9_\xc3\xa9" },
	{ "[link](http://x) ![i](y)", "\\[link\\](http://x) !\\[i\\](y)" },
	{ "~~gone~~", "\\~\\~gone\\~\\~" },
	{ "back\\slash \\|", "back\\\\slash \\\\\\|" },
	{ "rtl \xe2\x80\xae evil", "rtl ? evil" },
	{ "bad \xff", "bad ?" },
	{ "", "" },
};

START_TEST(text_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	markdown_text(texts[_i].in, &b);
	ck_assert_str_eq(b.s, texts[_i].want);
}
END_TEST

static const struct {
	const char *in;
	bool in_table;
	const char *want;
} codes[] = {
	{ "public.users", true, "`public.users`" },
	{ "a|b", true, "`a\\|b`" },
	{ "a|b", false, "`a|b`" },
	{ "a`b", true, "`` a`b ``" },
	{ "``", true, "``` `` ```" },
	{ "`a``b", false, "``` `a``b ```" },
	{ "a\nb", true, "`a?b`" },
	{ "<b>*x*</b>", true, "`<b>*x*</b>`" },
	{ "\\", true, "`\\`" },
};

START_TEST(code_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	markdown_code(codes[_i].in, codes[_i].in_table, &b);
	ck_assert_str_eq(b.s, codes[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("markdown");
	TCase *c = tcase_create("markdown");

	tcase_add_loop_test(c, text_table, 0, CASES(texts));
	tcase_add_loop_test(c, code_table, 0, CASES(codes));
	suite_add_tcase(s, c);
	return suite_run(s);
}
