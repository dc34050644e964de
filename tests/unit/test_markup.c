#include "lib/report/markup.h"

#include "tests/unit/suite.h"

static const struct {
	const char *in, *want;
} texts[] = {
	{ "8,412,056 (production: 8,412,103) - match",
	  "8,412,056 (production: 8,412,103) - match" },
	{ "<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" },
	{ "\" onload=\"x", "&quot; onload=&quot;x" },
	{ "&lt; & ]]>", "&amp;lt; &amp; ]]&gt;" },
	{ "a\nb\tc\x01\x1b[31m", "a?b?c??[31m" },
	{ "rtl \xe2\x80\xae evil", "rtl ? evil" },
	{ "no \xef\xbf\xbe character \xef\xbf\xbf", "no ? character ?" },
	{ "one \xef\xbf\xbd is", "one \xef\xbf\xbd is" },
	{ "bad \xff\xef\xbf", "bad ???" },
	{ "\xc3\xa9t\xc3\xa9 \xf0\x9f\x90\x98", "\xc3\xa9t\xc3\xa9 \xf0\x9f\x90\x98" },
	{ "", "" },
};

START_TEST(text_table)
{
	BUF_AUTO b = BUF_INIT(4096);

	markup_text(&b, texts[_i].in);
	ck_assert_str_eq(b.s, texts[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("markup");
	TCase *c = tcase_create("markup");

	tcase_add_loop_test(c, text_table, 0, CASES(texts));
	suite_add_tcase(s, c);
	return suite_run(s);
}
