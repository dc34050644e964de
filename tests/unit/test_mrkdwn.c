#include "lib/alert/mrkdwn.h"

#include "lib/base/utf8.h"
#include "tests/unit/suite.h"

static const struct {
	const char *in;
	size_t most;
	const char *want;
} texts[] = {
	{ "", 10, "" },
	{ "8,412,056 (production: 8,412,103) - match", 100,
	  "8,412,056 (production: 8,412,103) - match" },
	{ "a & b", 100, "a &amp; b" },
	{ "&amp;", 100, "&amp;amp;" },
	{ "<!channel> <@U123> <https://x|y>", 100,
	  "&lt;!channel&gt; &lt;@U123&gt; &lt;https://x|y&gt;" },
	/* what could be formatting stands in backticks */
	{ "*bold*", 100, "`*bold*`" },
	{ "_a_", 100, "`_a_`" },
	{ "~gone~", 100, "`~gone~`" },
	{ "tick ` tick", 100, "`tick ' tick`" },
	{ "```x```", 100, "`'''x'''`" },
	{ ":tada:", 100, "`:tada:`" },
	{ "> quoted", 100, "`&gt; quoted`" },
	/* and what could not be, does not */
	{ "order_items has a_b_c", 100, "order_items has a_b_c" },
	{ "2 * 3 = 6", 100, "2 * 3 = 6" },
	{ "_private", 100, "_private" },
	{ "at 2026-02-17 01:58:42 UTC", 100, "at 2026-02-17 01:58:42 UTC" },
	{ "a: b: c", 100, "a: b: c" },
	/* one line, in one direction */
	{ "a\nb\x1b[31m", 100, "a?b?[31m" },
	{ "x\xe2\x80\xaegpj", 100, "x?gpj" },
	{ "bad \xff", 100, "bad ?" },
	/* cut on the borders of characters and of escapes */
	{ "abcdef", 6, "abcdef" },
	{ "abcdef", 5, "abcd\xe2\x80\xa6" },
	{ "\xc3\xa4\xc3\xa4\xc3\xa4", 3, "\xc3\xa4\xc3\xa4\xc3\xa4" },
	{ "\xc3\xa4\xc3\xa4\xc3\xa4", 2, "\xc3\xa4\xe2\x80\xa6" },
	{ "\xf0\x9f\x90\x98\xf0\x9f\x90\x98", 1, "\xe2\x80\xa6" },
	{ "a&", 3, "a\xe2\x80\xa6" },
	{ "a&", 6, "a&amp;" },
	{ "&&", 10, "&amp;&amp;" },
	{ "&&", 9, "&amp;\xe2\x80\xa6" },
	{ "<a>", 9, "&lt;a&gt;" },
	{ "<a>", 8, "&lt;a\xe2\x80\xa6" },
};

START_TEST(data_table)
{
	BUF_AUTO out = BUF_INIT(1000);

	mrkdwn_data(&out, texts[_i].in, texts[_i].most);
	ck_assert_str_eq(out.s, texts[_i].want);
	ck_assert_uint_le(utf8_count(out.s), texts[_i].most + 2);
}
END_TEST

START_TEST(code_is_always_in_backticks)
{
	BUF_AUTO out = BUF_INIT(1000);

	mrkdwn_code(&out, "public.a`<b>", 100);
	ck_assert_str_eq(out.s, "`public.a'&lt;b&gt;`");
}
END_TEST

START_TEST(tame_text_is_not_escaped)
{
	BUF_AUTO out = BUF_INIT(1000);

	mrkdwn_tame(&out, "shop & *co*\n", 100);
	ck_assert_str_eq(out.s, "shop & *co*?");
}
END_TEST

static const struct {
	const char *url, *want;
} links[] = {
	{ "https://ci.example.com/run/42", "<https://ci.example.com/run/42|a &lt;b&gt;>" },
	{ "http://x/?a=1&b=2", "<http://x/?a=1&amp;b=2|a &lt;b&gt;>" },
	{ "javascript:alert(1)", "" },
	{ "ftp://x/", "" },
	{ "https://x/|evil", "" },
	{ "https://x/><!channel>", "" },
	{ "https://x/ y", "" },
	{ "https://x/\n", "" },
	{ "", "" },
	{ "https://example.com/0123456789/0123456789/", "" }, /* too long */
};

START_TEST(link_table)
{
	BUF_AUTO out = BUF_INIT(1000);

	ck_assert(mrkdwn_link(&out, links[_i].url, "a <b>", 40) == (links[_i].want[0] != '\0'));
	ck_assert_str_eq(out.s, links[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mrkdwn");
	TCase *c = tcase_create("mrkdwn");

	tcase_add_loop_test(c, data_table, 0, CASES(texts));
	tcase_add_test(c, code_is_always_in_backticks);
	tcase_add_test(c, tame_text_is_not_escaped);
	tcase_add_loop_test(c, link_table, 0, CASES(links));
	suite_add_tcase(s, c);
	return suite_run(s);
}
